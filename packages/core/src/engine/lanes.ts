import type { Clock } from '../clock.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { factorOf } from '../lane-rule.ts';
import type { LaneKey, LaneLimit, LaneRecord, LaneUse, LaneView, SiteLane } from '../queue/port.ts';
import type { Bounds } from '../route/sites/bounds.ts';
import type { Store } from '../store/port.ts';
import type { Shaping } from './shaping.ts';

/** Says what limits lanes. */
export interface LaneViews {
  view(lane: LaneRecord): LaneView;
  /** The limits of a lane that nothing is known of otherwise. */
  limitsOf(lane: LaneKey, now: number): readonly LaneLimit[];
}

/** Joins what is configured with what is counted. */
export function createLaneViews(context: {
  readonly store: Pick<Store, 'queue' | 'sites'>;
  readonly routes: readonly RouteSpec[];
  readonly shaping: Pick<Shaping, 'boundsOf'>;
  readonly clock: Pick<Clock, 'now'>;
}): LaneViews {
  const { store, routes, shaping, clock } = context;

  function ofRoute({ route, stream }: LaneKey, now: number): LaneLimit[] {
    const { rates, today } = store.queue.used({ route, stream }, now);
    const written = [routes.find(({ name }) => name === route)?.rate ?? []].flat();
    const limits = rates.map(({ rate, n }): LaneLimit => {
      const text = written.find((one) => one.startsWith(`${rate.limit}/`)) ?? `${rate.limit} in ${rate.windowMs} ms`;
      return { kind: 'rate', text, by: 'route', most: rate.limit, used: n };
    });
    return [...limits, ...ofDay(today)];
  }

  function ofSite(lane: LaneKey, site: string, known: SiteLane | undefined, now: number): LaneLimit[] {
    const bounds = shaping.boundsOf(lane.route, site);
    if (bounds === undefined) return [];
    const { rates, today } = store.queue.used(lane, now);
    const factor = factorOf(known?.rule, now);
    return [...ofRates(bounds, rates, factor), connections(bounds, known, factor), ...ofDay(today)];
  }

  const limitsOf = (lane: LaneKey, now: number): readonly LaneLimit[] => [
    ...ofRoute(lane, now),
    ...(lane.site === undefined
      ? []
      : ofSite(lane, lane.site, store.sites.lane(lane.route, lane.site, lane.stream), now)),
  ];

  return {
    limitsOf,
    view(lane) {
      const now = clock.now();
      const { route, site, stream } = lane;
      const known = site === undefined ? undefined : store.sites.lane(route, site, stream);
      const rule = known?.rule;
      return {
        ...lane,
        limits: limitsOf(lane, now),
        rule: rule && {
          name: rule.name,
          reply: rule.reply,
          since: rule.since,
          until: rule.until,
          factor: factorOf(rule, now),
        },
        readyAt: site === undefined ? plainReadyAt(lane, now) : known?.readyAt,
      };
    },
  };

  function plainReadyAt(lane: LaneRecord, now: number): number | undefined {
    if (lane.oldestDueAt === undefined || lane.paused) return undefined;
    const full = limitsOf(lane, now).some(({ most, used }) => used >= most);
    return Math.max(lane.oldestDueAt, (full ? store.queue.nextSlotAt(lane, now) : undefined) ?? 0);
  }
}

function ofRates(bounds: Bounds, rates: LaneUse['rates'], factor: number): LaneLimit[] {
  return rates.map(({ rate, n }): LaneLimit => {
    const written = bounds.rate.find((one) => one.startsWith(`${rate.limit}/`)) ?? `${rate.limit}`;
    const by = factor < 1 ? 'rule' : (bounds.setBy.rate ?? 'receiver');
    const most = factor === 0 ? 0 : Math.max(1, Math.floor(rate.limit * factor));
    return { kind: 'rate', text: slowed(written, factor), by, most, used: n };
  });
}

function connections(bounds: Bounds, known: SiteLane | undefined, factor: number): LaneLimit {
  const most = factor === 0 ? 0 : Math.max(1, Math.floor(bounds.connections * factor));
  const text = slowed(`${bounds.connections} connection${bounds.connections === 1 ? '' : 's'}`, factor);
  const by = factor < 1 ? 'rule' : bounds.setBy.connections;
  return { kind: 'connections', text, by, most, used: Math.min(most, known?.held ?? 0) };
}

function ofDay(today: LaneUse['today']): LaneLimit[] {
  if (today?.ceiling === undefined) return [];
  const day = new Date(today.until - 1).toISOString().slice(0, 10);
  return [
    { kind: 'warm-up', text: `${today.ceiling} on ${day}`, by: 'warm-up', most: today.ceiling, used: today.sent },
  ];
}

function slowed(text: string, factor: number): string {
  if (factor === 1) return text;
  return factor === 0 ? `${text}, suspended` : `${text}, at ${Math.max(1, Math.round(factor * 100))} %`;
}
