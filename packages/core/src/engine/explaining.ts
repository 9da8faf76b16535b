import type { Clock } from '../clock.ts';
import { connectionsOf, placesOf } from '../deliver/places.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { decodeId } from '../message.ts';
import type { InHand } from '../queue/port.ts';
import { explain, isOver } from '../report/explain.ts';
import type { RoutePlaces } from '../report/explain-facts.ts';
import type { Breakers } from '../route/breakers.ts';
import type { DeliveryRecord, MessageRecord, Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

import type { LaneViews } from './lanes.ts';
import type { Ways } from './ways.ts';

/** Why deliveries are where they are. */
export function createExplaining(context: {
  readonly store: Pick<Store, 'log' | 'queue' | 'sites'>;
  readonly views: LaneViews;
  readonly breakers: Breakers;
  readonly ways: Pick<Ways, 'beyond'>;
  readonly routes: readonly RouteSpec[];
  /** Where a delivery is that this process has claimed. */
  inHand(deliveryId: number): InHand | undefined;
  readonly clock: Pick<Clock, 'now'>;
}): Pick<EngineApi, 'explain'> {
  const { store, views, breakers, ways, routes, clock } = context;

  /** When the route has room again, where a rate or a warm-up of its own is used up, and the mail waits for that. */
  async function fullUntil(record: MessageRecord, delivery: DeliveryRecord, now: number): Promise<number | undefined> {
    const { route, stream } = delivery;
    const limits = views.limitsOf({ route, stream }, now);
    const isFull = limits.some(({ kind, used, most }) => kind === 'warm-up' && used >= most);
    if (isFull && (await overflows(record, delivery, now))) return undefined;
    return views.fullUntil({ route, stream }, now);
  }

  /** Whether a mail that its route has no room for today takes another. */
  async function overflows(
    { id, campaign, tags }: MessageRecord,
    { route, recipient: address, inDoubt }: DeliveryRecord,
    now: number,
  ): Promise<boolean> {
    const spec = routes.find(({ name }) => name === route);
    const messageId = spec?.warmUp?.overflow === 'next-route' ? decodeId('msg', id) : undefined;
    const content = messageId === undefined ? undefined : await store.log.content(messageId);
    return (
      content !== undefined &&
      ways.beyond(route, { content, address, inDoubt, labels: () => ({ campaign, tags }) }, now) !== undefined
    );
  }

  function inHand({ id }: DeliveryRecord): InHand | undefined {
    const deliveryId = decodeId('dlv', id);
    return deliveryId === undefined ? undefined : context.inHand(deliveryId);
  }

  return {
    async explain(id) {
      const record = await store.log.get(id);
      const delivery = record && longestWaiting(record.deliveries, inHand);
      if (record === undefined || delivery === undefined) return undefined;
      const { route, stream, site } = delivery;
      const now = clock.now();
      const down = breakers.look(route, now) === 'open';
      return explain({
        delivery,
        events: record.events.filter(({ deliveryId }) => deliveryId === delivery.id),
        lane: store.queue.lane({ route, stream, site }),
        downUntil: down ? breakers.of(route).health().probeAt : undefined,
        fullUntil: await fullUntil(record, delivery, now),
        limits: views.limitsOf({ route, stream, site }, now),
        site: site === undefined ? undefined : store.sites.lane(route, site, stream),
        inHand: inHand(delivery),
        places: roomOf(routes.find(({ name }) => name === route)),
        now,
      });
    },
  };
}

/** What a route may have on its way at once. */
function roomOf(route: RouteSpec | undefined): RoutePlaces | undefined {
  return route && { mails: placesOf(route), connections: connectionsOf(route) };
}

/** Of a message, what waits is asked for, and of that what is due first; then what is being sent, and last what is over. */
function longestWaiting(
  deliveries: readonly DeliveryRecord[],
  inHand: (delivery: DeliveryRecord) => InHand | undefined,
): DeliveryRecord | undefined {
  const rank = (delivery: DeliveryRecord): number => {
    if (isOver(delivery.state)) return 2;
    return delivery.state === 'sending' && (inHand(delivery)?.stage ?? 'sending') === 'sending' ? 1 : 0;
  };
  // What is claimed or held has no time.
  const due = ({ dueAt }: DeliveryRecord): number => dueAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return deliveries.toSorted((one, other) => rank(one) - rank(other) || due(one) - due(other))[0];
}
