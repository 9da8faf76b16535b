import type { Rate } from '../../queue/port.ts';
import type { Database } from './database.ts';

/** A window is kept in this many buckets: fine enough to lose a hundredth of the rate, coarse enough to stay cheap. */
const BUCKETS = 100;

/** The starts of rated routes. Inside of `write`, but for `nextSlotAt`. */
export interface RateLog {
  /** A route has a limit: starts are counted from now on. */
  limit(route: string, rate: Rate): void;
  /** How many may start now; those that a process has in its hands count as started now. Infinity without a limit. */
  allowed(route: string, now: number): number;
  /** A delivery of this route started. */
  started(route: string, at: number, n?: number): void;
  /** When the oldest starts leave the window; undefined where none are in it. */
  nextSlotAt(route: string): number | undefined;
}

/** Starts by bucket, in the database, so that they hold over processes and restarts. */
export function createRateLog(db: Database): RateLog {
  const rates = new Map<string, Rate>();
  const forget = db.prepare((query, { route, before }: { route: string; before: number }) =>
    query.deleteFrom('rate_start').where('route', '=', route).where('bucket_end', '<=', before),
  );
  const inWindow = db.prepare((query, { route }: { route: string }) =>
    query
      .selectFrom('rate_start')
      .select((row) => [row.fn.sum<number | null>('n').as('n'), row.fn.min('bucket_end').as('oldest')])
      .where('route', '=', route),
  );
  const inHand = db.prepare((query, { route }: { route: string }) =>
    query
      .selectFrom('delivery')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where('owner', 'is not', null)
      .where('lane_id', 'in', (lanes) => lanes.selectFrom('lane').select('id').where('route', '=', route)),
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

  return {
    limit: (route, rate) => void rates.set(route, rate),
    allowed(route, now) {
      const rate = rates.get(route);
      if (rate === undefined) return Number.POSITIVE_INFINITY;
      forget.run({ route, before: now - rate.windowMs });
      return rate.limit - (inWindow.get({ route })?.n ?? 0) - (inHand.get({ route })?.n ?? 0);
    },
    started(route, at, n = 1) {
      const rate = rates.get(route);
      if (rate === undefined) return;
      const size = Math.max(1, Math.floor(rate.windowMs / BUCKETS));
      // A start counts until the end of its bucket, and a window: never too short.
      add.run({ route, bucketEnd: (Math.floor(at / size) + 1) * size, n });
    },
    nextSlotAt(route) {
      const rate = rates.get(route);
      const oldest = rate && inWindow.get({ route })?.oldest;
      return oldest === null || oldest === undefined ? undefined : oldest + (rate as Rate).windowMs;
    },
  };
}
