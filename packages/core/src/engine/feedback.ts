import { randomUUID } from 'node:crypto';
import { domainOf } from '../address.ts';
import type { Clock } from '../clock.ts';
import { classifyReply } from '../deliver/replies.ts';
import { MailRelayError } from '../errors.ts';
import type { MessageEvent } from '../events.ts';
import type { FeedbackEvent, FeedbackReport } from '../feedback/port.ts';
import { decodeId } from '../message.ts';
import type { Received, Store } from '../store/port.ts';
import type { SuppressionPolicy } from '../suppression-policy.ts';
import type { EngineApi, HostApi } from '../thread/port.ts';
import { createDoubleTracking } from './double-tracking.ts';
import { isForSender, type Warnings } from './warnings.ts';

/** What came back about deliveries, on its way into the store. */
export function createFeedback(context: {
  readonly store: Pick<Store, 'feedback' | 'log'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly policy: SuppressionPolicy;
  publish(events: readonly MessageEvent[]): void;
  readonly warnings: Pick<Warnings, 'note'>;
  readonly log: HostApi['log'];
}): Pick<EngineApi, 'feedback' | 'receive' | 'receiveOnce' | 'unmatchedFeedback'> {
  const { store, clock, policy, publish, warnings, log } = context;
  const doubleTracking = createDoubleTracking(store, log);

  async function record(feedback: readonly FeedbackEvent[], once?: string): Promise<readonly Received[] | undefined> {
    const options = { now: clock.now(), policy, ...(once === undefined ? {} : { once }) };
    const { events, received, used } = await store.feedback.receive(feedback, options);
    if (used) return undefined;
    publish(events);
    feedback.forEach((event, index) => {
      const what = received[index];
      if (what === undefined || what.outcome === 'repeated') return;
      warn(event, what);
      doubleTracking.note(event, what);
    });
    return received;
  }

  function warn(event: FeedbackEvent, { deliveryId, route, site }: Received): void {
    const { type, reason = 'other', fault, source, status, code, recipient } = event;
    if ((type !== 'bounced' && type !== 'deferred' && type !== 'failed') || !isForSender(reason, fault)) return;
    const reply = event.diagnostic ?? [code, status].filter((one) => one !== undefined).join(' ');
    const place = site ?? (recipient === undefined ? undefined : domainOf(recipient).toLowerCase());
    warnings.note({ reason, route, site: place, example: { deliveryId, reply, status, source } });
  }
  const receive: EngineApi['receive'] = async (feedback) => (await record(feedback)) ?? [];

  return {
    receive,
    receiveOnce: (token, feedback) => record(feedback, token),
    unmatchedFeedback: (query) => store.feedback.unmatched(query),
    async feedback(id, report) {
      const deliveryId = decodeId('dlv', id);
      if (deliveryId === undefined || (await store.log.delivery(deliveryId)) === undefined)
        throw new MailRelayError('MESSAGE_NOT_FOUND', { id, reason: `no delivery has the id ${id}` });
      const event = { id: randomUUID(), at: clock.now(), source: 'host', deliveryId: id, ...meaningOf(report) };
      return (await receive([event]))[0]?.outcome === 'moved';
    },
  };
}

/** Who sends a bounce has given up, whatever the code of its reply. */
function meaningOf(report: FeedbackReport): Pick<FeedbackEvent, 'type'> & Partial<FeedbackEvent> {
  if (report.type === 'complained') return { type: 'complained', diagnostic: report.evidence };
  const outcome = classifyReply(report.reply, 'MESSAGE');
  const { reply: diagnostic, status, reason } = outcome;
  const said = { type: 'bounced', diagnostic, status, reason, code: Number(report.reply.slice(0, 3)) } as const;
  if (outcome.type === 'deferred') return { ...said, kind: 'soft' };
  return { ...said, kind: outcome.kind };
}
