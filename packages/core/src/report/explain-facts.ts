import type { MessageEvent } from '../events.ts';
import type { InHand, LaneLimit, SiteLane } from '../queue/port.ts';
import type { DeliveryRecord } from '../store/port.ts';

/** What a route may have on its way at once. */
export interface RoutePlaces {
  /** Mails, those that are composed included. */
  readonly mails: number;
  /** Connections; undefined where it has none. */
  readonly connections: number | undefined;
}

/** What explaining needs to know. */
export interface ExplainFacts {
  readonly delivery: DeliveryRecord;
  /** Of the delivery, oldest first. */
  readonly events: readonly MessageEvent[];
  readonly lane: { readonly paused: boolean; readonly waiting: number } | undefined;
  /** When a probe of the route goes next, where it does not work. */
  readonly downUntil: number | undefined;
  /** When the route has room again, where it is full. */
  readonly fullUntil: number | undefined;
  /** Of the delivery's lane. */
  readonly limits: readonly LaneLimit[];
  /** What is known of its site, where it has one. */
  readonly site: SiteLane | undefined;
  /** Where it is, where this process has claimed it. */
  readonly inHand: InHand | undefined;
  /** What the route may have on its way; undefined where this process does not have the route. */
  readonly places: RoutePlaces | undefined;
  readonly now: number;
}
