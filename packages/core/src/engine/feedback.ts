import type { Clock } from '../clock.ts';
import { classifyReply } from '../deliver/replies.ts';
import { MailRelayError } from '../errors.ts';
import type { MessageEvent } from '../events.ts';
import type { FeedbackReport } from '../feedback/port.ts';
import { decodeId } from '../message.ts';
import type { Feedback, Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

/** What came back about deliveries, on its way into the store. */
export function createFeedback(context: {
  readonly store: Pick<Store, 'feedback' | 'log'>;
  readonly clock: Pick<Clock, 'now'>;
  publish(events: readonly MessageEvent[]): void;
}): Pick<EngineApi, 'feedback'> {
  const { store, clock, publish } = context;
  return {
    async feedback(id, report) {
      const deliveryId = decodeId('dlv', id);
      if (deliveryId === undefined || (await store.log.delivery(deliveryId)) === undefined)
        throw new MailRelayError('MESSAGE_NOT_FOUND', { id, reason: `no delivery has the id ${id}` });
      const events = await store.feedback.record([{ deliveryId, at: clock.now(), ...meaningOf(report) }]);
      publish(events);
      return events.length > 0;
    },
  };
}

type Meaning = Feedback extends infer F ? (F extends Feedback ? Omit<F, 'deliveryId' | 'at'> : never) : never;

/** Who sends a bounce has given up, whatever the code of its reply. */
function meaningOf(report: FeedbackReport): Meaning {
  if (report.type === 'complained') return { type: 'complained', evidence: report.evidence };
  const outcome = classifyReply(report.reply, 'MESSAGE');
  if (outcome.type === 'bounced') return outcome;
  const { reply, status, reason } = outcome;
  return { type: 'bounced', kind: 'soft', reply, status, reason, suppress: false };
}
