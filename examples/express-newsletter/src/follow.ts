import type { CampaignReport, MailRelay } from '@mailrelay/core';
import { type Check, same } from './checks.ts';
import { progressBar } from './progress.ts';

/** A campaign on its way, seen through the relay's events. */
export interface Followed {
  /** When each attempt of the route began, ms since the epoch. */
  readonly startedAt: readonly number[];
  /** Resolves when half of the list is done. */
  readonly halfway: Promise<void>;
  /** How many mails were sent so far. */
  sent(): number;
  /** Resolves when all that was accepted is sent or has failed. */
  finished(accepted: number): Promise<void>;
  /** The events tell the same as the report. */
  check(report: CampaignReport): Check[];
}

/** Follows a campaign with a progress bar. */
export function follow(relay: MailRelay, campaign: string, expected: number): Followed {
  const counts = { accepted: 0, sent: 0, deferred: 0, bounced: 0, failed: 0, opened: 0, clicked: 0, unsubscribed: 0 };
  const half = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const startedAt: number[] = [];
  const bar = progressBar();
  let total = expected;
  let known = false;

  function show(): void {
    const done = counts.sent + counts.bounced + counts.failed;
    bar(done, total, `sent ${counts.sent}, deferred ${counts.deferred}, bounced ${counts.bounced}`);
    if (done >= total / 2) half.resolve();
    if (known && done >= total) end.resolve();
  }

  relay.on('event', (event) => {
    if ('transcript' in event && event.transcript) startedAt.push(event.transcript.startedAt);
    if (event.campaign !== campaign || !(event.type in counts)) return;
    counts[event.type as keyof typeof counts] += 1;
    show();
  });

  return {
    startedAt,
    halfway: half.promise,
    sent: () => counts.sent,
    finished(accepted) {
      total = accepted;
      known = true;
      show();
      return end.promise;
    },
    check: (report) => [
      same(
        'events: accepted, sent, deferred, bounced, opened, clicked, unsubscribed',
        [
          counts.accepted,
          counts.sent,
          counts.deferred,
          counts.bounced,
          counts.opened,
          counts.clicked,
          counts.unsubscribed,
        ],
        [
          report.accepted,
          report.sent,
          report.deferrals,
          report.bounced,
          report.opens.total,
          report.clicks.total,
          report.unsubscribed,
        ],
      ),
    ],
  };
}
