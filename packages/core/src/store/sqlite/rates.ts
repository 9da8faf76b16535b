import type { Stream } from '../../message.ts';
import type { LaneKey, LaneUse } from '../../queue/port.ts';
import type { Rate } from '../../rate.ts';
import { SHORT_MS, shareOfDay, shareOfRate } from '../../stream-share.ts';
import { DAY_MS, type WarmUp } from '../../warm-up.ts';
import type { Database } from './database.ts';
import { createWarmUpLog } from './warm-ups.ts';

/** A window is kept in this many buckets: fine enough to lose a hundredth of the rate, coarse enough to stay cheap. */
const BUCKETS = 100;
/** Broadcast mail of a short window is spread over slices of it, so that transactional mail waits for a slice at most. */
const SLICES = 10;
/** What a slice may hold, so that slices never bound the rate themselves. */
const SLICE_SHARE = 1 / 8;

/** What starts are counted under: a route, or a site of one. */
export function rateKey({ route, site = '' }: Pick<LaneKey, 'route' | 'site'>): string {
  return site === '' ? route : `${route}\t${site}`;
}

/** The starts of rated routes and sites, each under its key. Inside of `write`, but for `nextSlotAt`. */
export interface RateLog {
  /** A route or site has limits, which all hold: starts are counted from now on. */
  limit(key: string, rates: readonly Rate[], warmUp?: WarmUp | undefined): void;
  /**
   * How many may start now; those that a process has claimed and not begun count as started now. Infinity without a limit.
   *
   * @param factor - share of the limits that is left
   */
  allowed(lane: LaneKey, now: number, factor?: number): number;
  /** A process claimed deliveries, or (negative) will not begin some of them. */
  reserve(key: string, owner: number, n: number): void;
  /** Claimed deliveries began, one at each of these times. */
  started(key: string, owner: number, times: readonly number[]): void;
  /** A process is gone. Nobody knows what it began, so all that it had reserved counts as started now. */
  abandon(owner: number, now: number): void;
  /** Where the clock was set back, starts that lie ahead of it by more than `skewMs` count as started now. */
  rewind(now: number, skewMs: number): void;
  /** When a lane whose route is full may start the next one; undefined where nothing is in the window. */
  nextSlotAt(lane: LaneKey, now: number, factor?: number): number | undefined;
  /** Where limits are looked up that nobody has set yet. */
  onUnknown(lookUp: (key: string) => Limits | undefined): void;
  /** When mail that is due may leave by this way again, where its day is full and it is to take another; undefined where it is not. */
  overflowsUntil(lane: LaneKey, now: number): number | undefined;
  /** What is in each window, and on this day of a warm-up. */
  used(lane: LaneKey, now: number): LaneUse;
}

/** Limits of a route or site. */
export interface Limits {
  readonly rates: readonly Rate[];
  readonly warmUp?: WarmUp | undefined;
}

/** The starts of one window of a route. */
interface Series {
  readonly name: string;
  readonly rate: Rate;
}

/** The bounds of one stream: each a number of starts in a window. */
function boundsOf(rate: Rate, stream: Stream): readonly Rate[] {
  // Longer windows are not spread; instead a share of them is kept for transactional mail.
  if (stream === 'transactional' || rate.windowMs > SHORT_MS) return [{ ...rate, limit: shareOfRate(rate, stream) }];
  return [rate, { limit: Math.ceil(rate.limit * SLICE_SHARE), windowMs: rate.windowMs / SLICES }];
}

/** Starts by bucket, in the database, so that they hold over processes and restarts. */
export function createRateLog(db: Database): RateLog {
  /** A series of starts for each window: what a short one counts in small buckets, a long one counts in large ones. */
  const limits = new Map<string, readonly Series[]>();
  const warmUps = new Map<string, WarmUp>();
  const days = createWarmUpLog(db);
  let lookUp = (_key: string): Limits | undefined => undefined;
  const forget = db.prepare((query, { route, before }: { route: string; before: number }) =>
    query.deleteFrom('rate_start').where('route', '=', route).where('bucket_end', '<=', before),
  );
  const inWindow = db.prepare((query, { route, since }: { route: string; since: number }) =>
    query
      .selectFrom('rate_start')
      .select((row) => [row.fn.sum<number | null>('n').as('n'), row.fn.min('bucket_end').as('oldest')])
      .where('route', '=', route)
      .where('bucket_end', '>', since),
  );
  const reserved = db.prepare((query, { route }: { route: string }) =>
    query
      .selectFrom('rate_reserved')
      .select((row) => row.fn.sum<number | null>('n').as('n'))
      .where('route', '=', route),
  );
  const addReserved = db.prepare((query, p: { owner: number; route: string; n: number }) =>
    query
      .insertInto('rate_reserved')
      .values({ owner: p.owner, route: p.route, n: p.n })
      .onConflict((conflict) =>
        conflict
          .columns(['owner', 'route'])
          .doUpdateSet((row) => ({ n: row('rate_reserved.n', '+', row.ref('excluded.n')) })),
      ),
  );
  const lessReserved = db.prepare((query, p: { owner: number; route: string; n: number }) =>
    query
      .updateTable('rate_reserved')
      .set((row) => ({ n: row.fn<number>('max', [row('n', '-', p.n), row.lit(0)]) }))
      .where('owner', '=', p.owner)
      .where('route', '=', p.route),
  );
  const takeReserved = db.prepare((query, { owner }: { owner: number }) =>
    query.deleteFrom('rate_reserved').where('owner', '=', owner).returning(['route', 'n']),
  );
  const add = db.prepare((query, p: { route: string; bucketEnd: number; n: number }) =>
    query
      .insertInto('rate_start')
      .values({ route: p.route, bucket_end: p.bucketEnd, n: p.n })
      .onConflict((conflict) =>
        conflict
          .columns(['route', 'bucket_end'])
          .doUpdateSet((row) => ({ n: row('rate_start.n', '+', row.ref('excluded.n')) })),
      ),
  );

  const takeAhead = db.prepare((query, { route, after }: { route: string; after: number }) =>
    query.deleteFrom('rate_start').where('route', '=', route).where('bucket_end', '>', after).returning('n'),
  );

  function bucketOf({ windowMs }: Rate): number {
    return Math.max(1, Math.floor(windowMs / BUCKETS));
  }

  function limit(key: string, { rates, warmUp }: Limits): readonly Series[] {
    if (warmUp === undefined) warmUps.delete(key);
    else warmUps.set(key, warmUp);
    const sorted = rates.toSorted((one, other) => one.windowMs - other.windowMs);
    // The shortest has the name of the route, so that a route that gets a further window keeps its count.
    const series = sorted.map((rate, index) => ({ name: index === 0 ? key : `${key}\n${rate.windowMs}`, rate }));
    limits.set(key, series);
    return series;
  }

  function seriesOf(key: string): readonly Series[] {
    return limits.get(key) ?? limit(key, lookUp(key) ?? { rates: [] });
  }

  function count(key: string, at: number, n: number): void {
    for (const series of seriesOf(key)) countIn(series, at, n);
    if (warmUps.has(key)) days.count(key, at, n);
  }

  /** How many more may start on this day. */
  function leftToday(key: string, stream: Stream, now: number): number {
    const warmUp = warmUps.get(key);
    if (warmUp === undefined) return Number.POSITIVE_INFINITY;
    const { ceiling, sent } = days.look(key, warmUp, now);
    if (ceiling === undefined) return Number.POSITIVE_INFINITY;
    return shareOfDay(ceiling, stream) - sent - (reserved.get({ route: key })?.n ?? 0);
  }

  /** When the day of a warm-up after this one begins: the first, where that is still to come. */
  function nextDay(key: string, now: number): number {
    return Math.max(tomorrow(now), (warmUps.get(key)?.from ?? 0) * DAY_MS);
  }

  function countIn({ name, rate }: Series, at: number, n: number): void {
    if (n < 1) return;
    const size = bucketOf(rate);
    // A start counts until the end of its bucket, and a window: never too short.
    add.run({ route: name, bucketEnd: (Math.floor(at / size) + 1) * size, n });
  }

  function reserve(route: string, owner: number, n: number): void {
    if (n === 0 || (seriesOf(route).length === 0 && !warmUps.has(route))) return;
    if (n > 0) addReserved.run({ route, owner, n });
    // Late reports of a process that was given up already find nothing to take back.
    else lessReserved.run({ route, owner, n: -n });
  }

  /** The bounds of a series for a stream, with what is in them. */
  function bounds({ name, rate }: Series, stream: Stream, now: number, factor: number) {
    const left = factor === 1 ? rate : { ...rate, limit: Math.max(1, Math.floor(rate.limit * factor)) };
    return boundsOf(left, stream).map(({ limit, windowMs }) => {
      const found = inWindow.get({ route: name, since: now - windowMs });
      return { limit, windowMs, n: found?.n ?? 0, oldest: found?.oldest ?? undefined };
    });
  }

  return {
    limit: (key, rates, warmUp) => void limit(key, { rates, warmUp }),
    onUnknown(given) {
      lookUp = given;
      for (const key of limits.keys()) if (key.includes('\t')) limits.delete(key);
    },
    allowed(lane, now, factor = 1) {
      const key = rateKey(lane);
      const all = seriesOf(key);
      const today = leftToday(key, lane.stream, now);
      if (all.length === 0) return today;
      for (const { name, rate } of all) forget.run({ route: name, before: now - rate.windowMs });
      const soon = reserved.get({ route: key })?.n ?? 0;
      const found = all.flatMap((series) => bounds(series, lane.stream, now, factor));
      return Math.min(today, ...found.map(({ limit: most, n }) => most - soon - n));
    },
    reserve,
    started(route, owner, times) {
      reserve(route, owner, -times.length);
      for (const at of times) count(route, at, 1);
    },
    abandon(owner, now) {
      for (const { route, n } of takeReserved.all({ owner })) count(route, now, n);
    },
    rewind(now, skewMs) {
      for (const series of [...limits.values()].flat()) {
        const ahead = takeAhead.all({ route: series.name, after: now + bucketOf(series.rate) + skewMs });
        const n = ahead.reduce((sum, one) => sum + one.n, 0);
        countIn(series, now, n);
      }
    },
    overflowsUntil(lane, now) {
      const key = rateKey(lane);
      seriesOf(key);
      if (warmUps.get(key)?.overflow !== 'next-route' || leftToday(key, lane.stream, now) >= 1) return undefined;
      return nextDay(key, now);
    },
    used(lane, now) {
      const key = rateKey(lane);
      const rates = seriesOf(key).map(({ name, rate }) => ({
        rate,
        n: inWindow.get({ route: name, since: now - rate.windowMs })?.n ?? 0,
      }));
      const warmUp = warmUps.get(key);
      return { rates, today: warmUp && { ...days.look(key, warmUp, now), until: tomorrow(now) } };
    },
    nextSlotAt(lane, now, factor = 1) {
      const key = rateKey(lane);
      const known = seriesOf(key).flatMap((series) => bounds(series, lane.stream, now, factor));
      const moving = known.flatMap(({ limit, windowMs, n, oldest }) =>
        oldest === undefined ? [] : [{ full: n >= limit, at: oldest + windowMs }],
      );
      const full = moving.filter((bound) => bound.full).map(({ at }) => at);
      if (leftToday(key, lane.stream, now) < 1) full.push(nextDay(key, now));
      // All windows that are full, and the day, have to move on; where none is, what is reserved may become less sooner.
      if (full.length > 0) return Math.max(...full);
      return moving.length === 0 ? undefined : Math.min(...moving.map(({ at }) => at));
    },
  };
}

/** The beginning of the next day (UTC). */
function tomorrow(now: number): number {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS;
}
