import type { Composer } from '../compose/port.ts';
import type { MessageEvent } from '../events.ts';
import { labelAgent } from '../feedback/agent.ts';
import type { Activity, Store } from '../store/port.ts';
import type { EngineApi, Reading } from '../thread/port.ts';

/** Links are asked for once per message, and there are few campaigns at a time. */
const CACHED = 10_000;

/** What readers do: opens, clicks, view in browser. */
export function createReading(context: {
  readonly store: Pick<Store, 'activity' | 'log'>;
  readonly composer: Composer;
  publish(events: readonly MessageEvent[]): void;
}): Pick<EngineApi, 'readAll' | 'view'> {
  const { store, composer, publish } = context;
  /** Links that lead everybody to the same place, by message and link. */
  const alike = new Set<string>();

  /** Links that differ by recipient are counted by what stands in the template. */
  async function formOf({ deliveryId, link, url }: Reading, messageId: number): Promise<string | undefined> {
    const key = `${messageId} ${link} ${url}`;
    if (link === undefined || url === undefined || alike.has(key)) return undefined;
    const delivery = await store.log.delivery(deliveryId);
    const content = delivery && (await store.log.content(delivery.messageId));
    const form = content && delivery && (await composer.linkForm(content, delivery, { number: link, url }));
    if (form === undefined) {
      if (alike.size >= CACHED) alike.clear();
      alike.add(key);
    }
    return form;
  }

  async function activityOf(reading: Reading): Promise<Activity[]> {
    const { type, deliveryId, at, method, userAgent, url, link } = reading;
    const known = store.activity.look(deliveryId, at);
    if (known === undefined) return [];
    const secondsSinceSent = known.sentAt === undefined ? undefined : (at - known.sentAt) / 1000;
    const agent = labelAgent({ type, method, userAgent, secondsSinceSent, recentClicks: known.recentClicks });
    const form = await formOf(reading, known.messageId);
    const target = {
      ...(url === undefined ? {} : { url }),
      ...(link === undefined ? {} : { link }),
      ...(form === undefined ? {} : { form }),
    };
    return [{ type, deliveryId, at, agent, ...target }];
  }

  return {
    async readAll(readings) {
      const activities = (await Promise.all(readings.map(activityOf))).flat();
      if (activities.length > 0) publish(await store.activity.record(activities));
    },
    async view(deliveryId) {
      const delivery = await store.log.delivery(deliveryId);
      const content = delivery && (await store.log.content(delivery.messageId));
      return content && delivery && composer.view(content, delivery);
    },
  };
}
