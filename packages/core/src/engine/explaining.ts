import type { Clock } from '../clock.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { explain } from '../report/explain.ts';
import type { Breakers } from '../route/breakers.ts';
import type { DeliveryRecord, Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

/** Why deliveries are where they are. */
export function createExplaining(context: {
  readonly store: Pick<Store, 'log' | 'queue'>;
  readonly routes: readonly RouteSpec[];
  readonly breakers: Breakers;
  readonly clock: Pick<Clock, 'now'>;
}): Pick<EngineApi, 'explain'> {
  const { store, routes, breakers, clock } = context;

  function fullness({ route, stream }: DeliveryRecord, now: number) {
    const rate = routes.find(({ name }) => name === route)?.rate;
    const until = rate === undefined ? undefined : store.queue.nextSlotAt({ route, stream }, now);
    if (rate === undefined || until === undefined || until <= now) return undefined;
    return { rate: [rate].flat().join(' and '), until };
  }

  return {
    async explain(id) {
      const record = await store.log.get(id);
      const delivery = record && longestWaiting(record.deliveries);
      if (record === undefined || delivery === undefined) return undefined;
      const { route, stream } = delivery;
      const lanes = await store.queue.lanes();
      const now = clock.now();
      const down = breakers.look(route, now) === 'open';
      return explain({
        delivery,
        events: record.events.filter(({ deliveryId }) => deliveryId === delivery.id),
        lane: lanes.find((lane) => lane.route === route && lane.stream === stream),
        downUntil: down ? breakers.of(route).health().probeAt : undefined,
        full: fullness(delivery, now),
        now,
      });
    },
  };
}

/** Of a message, what waits is asked for, and of that what is due first. */
function longestWaiting(deliveries: readonly DeliveryRecord[]): DeliveryRecord | undefined {
  const due = ({ dueAt }: DeliveryRecord): number => dueAt?.getTime() ?? Number.POSITIVE_INFINITY;
  return deliveries.toSorted((one, other) => due(one) - due(other))[0];
}
