import type { Composer } from '../compose/port.ts';
import { scopesCovering } from '../consent/scope.ts';
import { toSettlement } from '../deliver/outcome.ts';
import type { RouteSpec, Transport } from '../deliver/port.ts';
import { isMailRelayError, messageOf } from '../errors.ts';
import { encodeId } from '../message.ts';
import type { ClaimedDelivery, Settlement } from '../queue/port.ts';
import { nextAttemptAt, type RetrySchedule } from '../queue/retry.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import { createRouteFaults } from './route-faults.ts';

/** What delivering works with. */
export interface DeliveringContext {
  readonly store: Pick<Store, 'log' | 'suppressions'>;
  readonly composer: Composer;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly routes: readonly RouteSpec[];
  readonly schedule: RetrySchedule;
  readonly log: HostApi['log'];
}

/** One attempt of one claimed delivery: suppression, composing, sending, and what follows from the answer. */
export function createDelivering(
  context: DeliveringContext,
): (claimed: ClaimedDelivery, route: string, onStart: (at: number) => void) => Promise<Settlement> {
  const { store, composer, transports, schedule, log } = context;
  const tellFault = createRouteFaults(log, context.routes);

  return async function deliver(claimed, route, onStart): Promise<Settlement> {
    const unsent = { deliveryId: claimed.id, startedAt: undefined, transcript: undefined };
    try {
      const content = await store.log.content(claimed.messageId);
      const transport = transports.get(route);
      if (content === undefined || transport === undefined) {
        const reply = content === undefined ? 'its content is gone' : `its route ${route} is gone`;
        return { ...unsent, result: { type: 'failed', reply, status: undefined, reason: 'system' } };
      }
      // Asked as late as possible, so that an unsubscribe also stops mail that was already claimed.
      const suppression = store.suppressions.find(claimed.address, scopesCovering(content));
      if (suppression !== undefined) {
        return { ...unsent, result: { type: 'suppressed', reason: `${suppression.reason} (${suppression.scope})` } };
      }
      const mail = await composer.compose(content, claimed);
      const attempt = await transport.send({
        deliveryId: encodeId('dlv', claimed.id),
        messageId: mail.messageId,
        envelope: { from: mail.envelopeFrom, to: claimed.address, utf8: mail.utf8, eightBit: mail.eightBit },
        raw: mail.raw,
        subject: mail.subject,
        stream: content.stream,
        onStart,
      });
      const now = Date.now();
      tellFault(route, claimed.id, attempt.outcome, now);
      return toSettlement({
        claimed,
        attempt,
        retryAt: ({ reason, retryAfterMs }) =>
          nextAttemptAt({
            attempts: claimed.attempts + 1,
            reason,
            now,
            acceptedAt: claimed.acceptedAt,
            retryAfterMs,
            random: Math.random,
            schedule,
          }),
      });
    } catch (error) {
      if (!isMailRelayError(error) || error.retry) throw error;
      log('error', { delivery: encodeId('dlv', claimed.id), code: error.code }, 'a delivery cannot be composed');
      return { ...unsent, result: { type: 'failed', reply: messageOf(error), status: undefined, reason: 'system' } };
    }
  };
}
