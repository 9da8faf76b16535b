import type { Clock } from '../clock.ts';
import { isMailRelayError } from '../errors.ts';
import type { MessageEvent } from '../events.ts';
import type { Content } from '../message.ts';
import { scopesAbove } from '../scope.ts';
import type { Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

/** Who leaves by a link of a mail, and who comes back. */
export function createConsent(context: {
  readonly store: Pick<Store, 'activity' | 'log' | 'suppressions'>;
  readonly clock: Pick<Clock, 'now'>;
  publish(events: readonly MessageEvent[]): void;
}): Pick<EngineApi, 'subscription' | 'unsubscribe' | 'resubscribe'> {
  const { store, clock, publish } = context;

  /** Undefined where it is gone, or damaged: links work without it. */
  async function contentOf(deliveryId: number): Promise<Content | undefined> {
    try {
      const delivery = await store.log.delivery(deliveryId);
      return delivery && (await store.log.content(delivery.messageId));
    } catch (error) {
      if (isMailRelayError(error) && error.code === 'STORE_CORRUPT') return undefined;
      throw error;
    }
  }

  const subscription: EngineApi['subscription'] = async ({ deliveryId, address, scope }) => {
    const content = await contentOf(deliveryId);
    const entry = store.suppressions.find(address, [scope], clock.now());
    const above = store.suppressions.find(address, scopesAbove(scope, content?.stream), clock.now());
    return {
      sender: content?.from,
      unsubscribed: entry !== undefined,
      mayReturn: entry?.reason === 'unsubscribed' && above === undefined,
    };
  };

  return {
    subscription,
    async unsubscribe({ deliveryId, address, scope, at, evidence }) {
      publish(await store.suppressions.add({ address, scope, reason: 'unsubscribed', evidence }, at));
      publish(await store.activity.record([{ type: 'unsubscribed', deliveryId, at, scope }]));
    },
    async resubscribe(claim) {
      if (!(await subscription(claim)).mayReturn) return false;
      const { deliveryId, address, scope, at } = claim;
      // The entry stays as one that was lifted, so that what a provider tells late does not undo it.
      const back = { address, scope, reason: 'unsubscribed', note: 'subscribed again' } as const;
      if ((await store.suppressions.lift(back, at)) === 0) return false;
      publish(await store.activity.record([{ type: 'resubscribed', deliveryId, at, scope }]));
      return true;
    },
  };
}
