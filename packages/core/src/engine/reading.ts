import type { Composer } from '../compose/port.ts';
import type { MessageEvent } from '../events.ts';
import { labelAgent } from '../feedback/agent.ts';
import type { Activity, DeliveryActivity, Store } from '../store/port.ts';
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

  /** Links that differ by recipient are counted by what stands in the template, which is to be looked for first. */
  function hasForm({ link, url }: Reading, messageId: number): boolean {
    return link !== undefined && url !== undefined && !alike.has(keyOf(link, url, messageId));
  }

  async function formOf({ deliveryId, link, url }: Reading): Promise<string | undefined> {
    const delivery = await store.log.delivery(deliveryId);
    const content = delivery && (await store.log.content(delivery.messageId));
    if (delivery === undefined || content === undefined || link === undefined || url === undefined) return undefined;
    const form = await composer.linkForm(content, delivery, { number: link, url });
    if (form !== undefined) return form;
    if (alike.size >= CACHED) alike.clear();
    alike.add(keyOf(link, url, delivery.messageId));
    return undefined;
  }

  return {
    async readAll(readings) {
      const formed = new Set<Reading>();
      const events = await store.activity.read(readings, (reading, known) => {
        if (hasForm(reading, known.messageId)) {
          formed.add(reading);
          return undefined;
        }
        formed.delete(reading);
        return activityOf(reading, known);
      });
      publish(events);
      if (formed.size === 0) return;
      const forms = new Map(
        await Promise.all([...formed].map(async (reading) => [reading, await formOf(reading)] as const)),
      );
      publish(
        await store.activity.read([...formed], (reading, known) => activityOf(reading, known, forms.get(reading))),
      );
    },
    async view(deliveryId) {
      const delivery = await store.log.delivery(deliveryId);
      const content = delivery && (await store.log.content(delivery.messageId));
      return content && delivery && composer.view(content, delivery);
    },
  };
}

function keyOf(link: number, url: string, messageId: number): string {
  return `${messageId} ${link} ${url}`;
}

function activityOf(reading: Reading, known: DeliveryActivity, form?: string): Activity {
  const { type, deliveryId, at, method, userAgent, url, link } = reading;
  const secondsSinceSent = known.sentAt === undefined ? undefined : (at - known.sentAt) / 1000;
  return {
    type,
    deliveryId,
    at,
    agent: labelAgent({ type, method, userAgent, secondsSinceSent, recentClicks: known.recentClicks }),
    ...(url === undefined ? {} : { url }),
    ...(link === undefined ? {} : { link }),
    ...(form === undefined ? {} : { form }),
  };
}
