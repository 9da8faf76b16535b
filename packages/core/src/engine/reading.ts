import type { Composer } from '../compose/port.ts';
import type { MessageEvent } from '../events.ts';
import { labelAgent } from '../feedback/agent.ts';
import type { Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

/** What readers do: opens, clicks, unsubscribes, view in browser. */
export function createReading(context: {
  readonly store: Pick<Store, 'activity' | 'log' | 'suppressions'>;
  readonly composer: Composer;
  publish(events: readonly MessageEvent[]): void;
}): Pick<EngineApi, 'read' | 'unsubscribe' | 'view'> {
  const { store, composer, publish } = context;

  /** Links that differ by recipient are counted by what stands in the template. */
  async function formOf(deliveryId: number, link: { number: number; url: string }): Promise<string | undefined> {
    const delivery = await store.log.delivery(deliveryId);
    const content = delivery && (await store.log.content(delivery.messageId));
    return content && delivery && composer.linkForm(content, delivery, link);
  }

  return {
    async read({ type, deliveryId, at, method, userAgent, url, link }) {
      const known = store.activity.look(deliveryId, at);
      if (known === undefined) return;
      const secondsSinceSent = known.sentAt === undefined ? undefined : (at - known.sentAt) / 1000;
      const agent = labelAgent({ type, method, userAgent, secondsSinceSent, recentClicks: known.recentClicks });
      const form =
        link === undefined || url === undefined ? undefined : await formOf(deliveryId, { number: link, url });
      const target = {
        ...(url === undefined ? {} : { url }),
        ...(link === undefined ? {} : { link }),
        ...(form === undefined ? {} : { form }),
      };
      publish(await store.activity.record([{ type, deliveryId, at, agent, ...target }]));
    },
    async unsubscribe({ deliveryId, address, scope, at, evidence }) {
      publish(await store.suppressions.add({ address, scope, reason: 'unsubscribed', evidence }, at));
      publish(await store.activity.record([{ type: 'unsubscribed', deliveryId, at, scope }]));
    },
    async view(deliveryId) {
      const delivery = await store.log.delivery(deliveryId);
      const content = delivery && (await store.log.content(delivery.messageId));
      return content && delivery && composer.view(content, delivery);
    },
  };
}
