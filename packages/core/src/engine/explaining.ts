import type { Clock } from '../clock.ts';
import { explain } from '../report/explain.ts';
import type { Breakers } from '../route/breakers.ts';
import type { DeliveryRecord, Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';
import { isOfTime, type LaneViews } from './lanes.ts';

/** Why deliveries are where they are. */
export function createExplaining(context: {
  readonly store: Pick<Store, 'log' | 'queue' | 'sites'>;
  readonly views: LaneViews;
  readonly breakers: Breakers;
  readonly clock: Pick<Clock, 'now'>;
}): Pick<EngineApi, 'explain'> {
  const { store, views, breakers, clock } = context;

  /** When the route has room again, where a rate or a warm-up of its own is used up. */
  function fullUntil({ route, stream }: DeliveryRecord, now: number): number | undefined {
    const full = views.limitsOf({ route, stream }, now).some((limit) => isOfTime(limit) && limit.used >= limit.most);
    const until = full ? store.queue.nextSlotAt({ route, stream }, now) : undefined;
    return until === undefined || until <= now ? undefined : until;
  }

  return {
    async explain(id) {
      const record = await store.log.get(id);
      const delivery = record && longestWaiting(record.deliveries);
      if (record === undefined || delivery === undefined) return undefined;
      const { route, stream, site } = delivery;
      const now = clock.now();
      const down = breakers.look(route, now) === 'open';
      return explain({
        delivery,
        events: record.events.filter(({ deliveryId }) => deliveryId === delivery.id),
        lane: store.queue.lane({ route, stream, site }),
        downUntil: down ? breakers.of(route).health().probeAt : undefined,
        fullUntil: fullUntil(delivery, now),
        limits: views.limitsOf({ route, stream, site }, now),
        site: site === undefined ? undefined : store.sites.lane(route, site, stream),
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
