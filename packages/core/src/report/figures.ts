import type { Stream } from '../message.ts';
import type { LinkCount } from '../store/port.ts';
import { METRICS, type Metric } from '../store/port.ts';
import type { CampaignReport, Counts, Figures, OutcomeCounts, OutcomeFigures, Rates, SummaryReport } from './port.ts';

/** Figures and rates out of counts. */
function figuresOf(counts: Counts): Figures {
  const outcomes = outcomesOf(counts);
  const final = outcomes.tried + counts.suppressed + counts.cancelled;
  return {
    accepted: counts.accepted,
    pending: Math.max(0, counts.accepted - final),
    suppressed: counts.suppressed,
    cancelled: counts.cancelled,
    ...outcomes,
  };
}

/** Of what happens on the way and after it. */
export function outcomesOf(counts: OutcomeCounts): OutcomeFigures {
  const tried = triedOf(counts);
  return {
    tried,
    sent: counts.sent,
    deferred: counts.deferred,
    deferrals: counts.deferrals,
    bounced: counts.bounced,
    hardBounced: counts.hardBounced,
    failed: counts.failed,
    returned: counts.returned,
    complained: counts.complained,
    unsubscribed: counts.unsubscribed,
    resubscribed: counts.resubscribed,
    opens: {
      unique: counts.opensUnique,
      total: counts.opensTotal,
      human: { unique: counts.opensUniqueHuman, total: counts.opensTotalHuman },
    },
    clicks: {
      unique: counts.clicksUnique,
      total: counts.clicksTotal,
      human: { unique: counts.clicksUniqueHuman, total: counts.clicksTotalHuman },
    },
    rates: ratesOf(counts, tried),
  };
}

/** What bounces after the next hop has taken it was sent, too, and is one delivery. */
function triedOf({ sent, bounced, failed, returned }: OutcomeCounts): number {
  return sent + bounced + failed - returned;
}

function ratesOf(counts: OutcomeCounts, tried: number): Rates {
  const share = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);
  return {
    delivery: share(counts.sent - counts.returned, tried),
    bounce: share(counts.bounced, tried),
    hardBounce: share(counts.hardBounced, tried),
    deferral: share(counts.deferred, tried),
    open: share(counts.opensUniqueHuman, counts.sent),
    click: share(counts.clicksUniqueHuman, counts.sent),
    clickToOpen: share(counts.clicksUniqueHuman, counts.opensUniqueHuman),
    unsubscribe: share(counts.unsubscribed, counts.sent),
    complaint: share(counts.complained, counts.sent),
  };
}

/** The report of one campaign. */
export function campaignReport(campaign: string, counts: Counts, links: readonly LinkCount[]): CampaignReport {
  return { campaign, ...figuresOf(counts), links };
}

/** The report of a span of days. */
export function summaryReport(
  query: { readonly from: number; readonly to: number; readonly stream: Stream | undefined },
  days: readonly { readonly day: string; readonly counts: Counts }[],
): SummaryReport {
  const total = Object.fromEntries(
    METRICS.map((metric) => [metric, days.reduce((sum, { counts }) => sum + counts[metric], 0)]),
  ) as Record<Metric, number>;
  return {
    from: new Date(query.from),
    to: new Date(query.to),
    stream: query.stream,
    ...figuresOf(total),
    days: days.map(({ day, counts }) => ({ day, ...figuresOf(counts) })),
  };
}
