import type { Clock } from '../clock.ts';
import { broadcastConnections, connectionsOf, placesOf } from '../deliver/places.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { avoidedBy, connectionsLeft, factorOf } from '../lane-rule.ts';
import type { Stream } from '../message.ts';
import type { LocalQueue } from '../queue/local-options.ts';
import type { LaneKey, LaneLimit, LaneRecord, LaneUse, LaneView, SiteLane } from '../queue/port.ts';
import type { Bounds } from '../route/sites/bounds.ts';
import type { Store } from '../store/port.ts';
import { shareOfDay, shareOfRate } from '../stream-share.ts';
import type { Shaping } from './shaping.ts';
import type { Ways } from './ways.ts';

type Sending = (route: string) => Readonly<Record<Stream, number>>;
type Pace = Pick<LocalQueue, 'startedLastMinute'>;

/** Says what limits lanes. */
export interface LaneViews {
  /** @param pace - how fast they go, undefined before the queue starts */
  views(lanes: readonly LaneRecord[], pace: Pace | undefined): LaneView[];
  /** The limits of a lane that nothing is known of otherwise. */
  limitsOf(lane: LaneKey, now: number): readonly LaneLimit[];
  /** When the route of a lane has room again, where a rate or a warm-up of its own is used up. */
  fullUntil(lane: LaneKey, now: number): number | undefined;
}

/** Joins what is configured with what is counted. */
export function createLaneViews(context: {
  readonly store: Pick<Store, 'queue' | 'sites'>;
  readonly routes: readonly RouteSpec[];
  readonly shaping: Pick<Shaping, 'boundsOf'>;
  readonly ways: Pick<Ways, 'heldUntil'>;
  readonly clock: Pick<Clock, 'now'>;
}): LaneViews {
  const { store, routes, shaping, ways, clock } = context;

  function ofRoute({ route, stream }: LaneKey, now: number): LaneLimit[] {
    const { rates, today } = store.queue.used({ route, stream }, now);
    const written = [routes.find(({ name }) => name === route)?.rate ?? []].flat();
    const limits = rates.map(({ rate, n }): LaneLimit => {
      const text = written.find((one) => one.startsWith(`${rate.limit}/`)) ?? `${rate.limit} in ${rate.windowMs} ms`;
      return { kind: 'rate', text, by: 'route', most: shareOfRate(rate, stream), used: n };
    });
    return [...limits, ...ofDay(today, stream)];
  }

  function ofSite(lane: LaneKey, site: string, known: SiteLane | undefined, now: number): LaneLimit[] {
    const bounds = shaping.boundsOf(lane.route, site);
    if (bounds === undefined) return [];
    const { rates, today } = store.queue.used(lane, now);
    const factor = factorOf(known?.rule, now);
    const { stream } = lane;
    return [...ofRates(bounds, rates, { factor, stream }), connections(bounds, known, factor), ...ofDay(today, stream)];
  }

  /** How much of a route is on its way at once; a process that does not have the route does not know. */
  function places({ route: name, stream }: LaneKey, sending: Sending): LaneLimit[] {
    const route = routes.find((one) => one.name === name);
    return route === undefined ? [] : placesOfRoute(route, stream, sending(name));
  }

  const limitsOf = (lane: LaneKey, now: number, sending: Sending = store.queue.sending): readonly LaneLimit[] => [
    ...ofRoute(lane, now),
    ...(lane.site === undefined
      ? []
      : ofSite(lane, lane.site, store.sites.lane(lane.route, lane.site, lane.stream), now)),
    ...places(lane, sending),
  ];

  function view(lane: LaneRecord, sending: Sending): Omit<LaneView, 'startedLastMinute'> {
    const now = clock.now();
    const { route, site, stream } = lane;
    const limits = limitsOf(lane, now, sending);
    const known = site === undefined ? undefined : store.sites.lane(route, site, stream);
    const rule = known?.rule;
    const ready = readyAt(lane, site === undefined ? lane.oldestDueAt : known?.readyAt, limits, now);
    return {
      ...lane,
      limits,
      rule: rule && {
        name: rule.name,
        reply: rule.reply,
        since: rule.since,
        until: rule.until,
        factor: factorOf(rule, now),
        avoided: avoidedBy(rule, now),
      },
      readyAt: ready === undefined ? undefined : Math.max(ready, ways.heldUntil(route, now) ?? 0),
    };
  }

  /** @param own - when the lane could start a mail, if the route had room for it */
  function readyAt(lane: LaneRecord, own: number | undefined, limits: readonly LaneLimit[], now: number) {
    if (own === undefined || lane.paused) return undefined;
    // A place is free when a mail that is on its way leaves it.
    if (limits.some((limit) => limit.kind === 'concurrency' && isFull(limit))) return undefined;
    return Math.max(own, fullUntil(lane, now) ?? 0);
  }

  function fullUntil({ route, stream }: LaneKey, now: number): number | undefined {
    const full = ofRoute({ route, stream }, now).some((limit) => isOfTime(limit) && isFull(limit));
    const until = full ? store.queue.nextSlotAt({ route, stream }, now) : undefined;
    return until === undefined || until <= now ? undefined : until;
  }

  return {
    limitsOf,
    fullUntil,
    views(lanes, pace) {
      const asked = new Map<string, ReturnType<Sending>>();
      const sending: Sending = (route) => {
        const sent = asked.get(route) ?? store.queue.sending(route);
        asked.set(route, sent);
        return sent;
      };
      return lanes.map((lane) => ({ ...view(lane, sending), startedLastMinute: pace?.startedLastMinute(lane) }));
    },
  };
}

function isFull({ used, most }: LaneLimit): boolean {
  return used >= most;
}

/** Whether a limit has room again at a time that is known. */
function isOfTime({ kind }: LaneLimit): boolean {
  return kind === 'rate' || kind === 'warm-up';
}

function placesOfRoute(route: RouteSpec, stream: Stream, sent: Readonly<Record<Stream, number>>): LaneLimit[] {
  const most = placesOf(route);
  const given = givenConnections(route);
  const by = (option: number | undefined): LaneLimit['by'] => (option === undefined ? 'default' : 'route');
  const concurrency: LaneLimit = {
    kind: 'concurrency',
    text: `${most} at once`,
    by: by(route.concurrency ?? given),
    most,
    used: Math.min(most, sent[stream]),
  };
  const connections = connectionsOf(route);
  if (connections === undefined) return [concurrency];
  const news = route.kind === 'smtp' ? Math.min(sent.broadcast, broadcastConnections(connections)) : sent.broadcast;
  const used = Math.min(connections, sent.transactional + news);
  return [concurrency, { kind: 'connections', text: counted(connections), by: by(given), most: connections, used }];
}

function givenConnections(route: RouteSpec): number | undefined {
  if (route.kind === 'smtp') return route.smtp.connections;
  return route.kind === 'mx' ? route.mx.connections : undefined;
}

function counted(connections: number): string {
  return `${connections} connection${connections === 1 ? '' : 's'}`;
}

function ofRates(
  bounds: Bounds,
  rates: LaneUse['rates'],
  { factor, stream }: { readonly factor: number; readonly stream: Stream },
): LaneLimit[] {
  return rates.map(({ rate, n }): LaneLimit => {
    const written = bounds.rate.find((one) => one.startsWith(`${rate.limit}/`)) ?? `${rate.limit}`;
    const by = factor < 1 ? 'rule' : (bounds.setBy.rate ?? 'receiver');
    const left = { ...rate, limit: Math.max(1, Math.floor(rate.limit * factor)) };
    const most = factor === 0 ? 0 : shareOfRate(left, stream);
    return { kind: 'rate', text: slowed(written, factor), by, most, used: n };
  });
}

function connections(bounds: Bounds, known: SiteLane | undefined, factor: number): LaneLimit {
  const most = factor === 0 ? 0 : connectionsLeft(bounds.connections, factor);
  const all = counted(bounds.connections);
  const text = factor > 0 && factor < 1 ? `${most} of ${all}` : slowed(all, factor);
  const by = factor < 1 ? 'rule' : bounds.setBy.connections;
  return { kind: 'connections', text, by, most, used: Math.min(most, known?.held ?? 0) };
}

function ofDay(today: LaneUse['today'], stream: Stream): LaneLimit[] {
  if (today?.ceiling === undefined) return [];
  const day = new Date(today.until - 1).toISOString().slice(0, 10);
  const most = shareOfDay(today.ceiling, stream);
  return [{ kind: 'warm-up', text: `${today.ceiling} on ${day}`, by: 'warm-up', most, used: today.sent }];
}

function slowed(text: string, factor: number): string {
  if (factor === 1) return text;
  return factor === 0 ? `${text}, suspended` : `${text}, at ${Math.max(1, Math.round(factor * 100))} %`;
}
