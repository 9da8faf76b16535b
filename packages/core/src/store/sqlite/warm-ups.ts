import { ceilingOn, DAY_MS, KEPT_DAYS, type WarmUp } from '../../warm-up.ts';
import type { Database } from './database.ts';

/** What was sent by day, under the keys of rates. Inside of `write`, but for `look`. */
export interface WarmUpLog {
  /** A start on the day of a time. */
  count(key: string, at: number, n: number): void;
  /** The ceiling of this day, undefined where there is none, and what was sent. */
  look(key: string, warmUp: WarmUp, now: number): { readonly ceiling: number | undefined; readonly sent: number };
}

/** Starts by day in SQLite, beside those of the rates. */
export function createWarmUpLog(db: Database): WarmUpLog {
  /** Ceilings of a day do not change in it. */
  const ceilings = new Map<
    string,
    { readonly today: number; readonly warmUp: WarmUp; readonly ceiling: number | undefined }
  >();
  const add = db.prepare((query, p: { key: string; end: number; n: number }) =>
    query
      .insertInto('rate_start')
      .values({ route: p.key, bucket_end: p.end, n: p.n })
      .onConflict((conflict) =>
        conflict
          .columns(['route', 'bucket_end'])
          .doUpdateSet((row) => ({ n: row('rate_start.n', '+', row.ref('excluded.n')) })),
      ),
  );
  const since = db.prepare((query, p: { key: string; end: number }) =>
    query.selectFrom('rate_start').select('bucket_end').where('route', '=', p.key).where('bucket_end', '>=', p.end),
  );
  const one = db.prepare((query, p: { key: string; end: number }) =>
    query.selectFrom('rate_start').select('n').where('route', '=', p.key).where('bucket_end', '=', p.end),
  );
  const forget = db.prepare((query, p: { key: string; end: number }) =>
    query.deleteFrom('rate_start').where('route', '=', p.key).where('bucket_end', '<', p.end),
  );

  const nameOf = (key: string): string => `${key}\nday`;
  const dayOf = (at: number): number => Math.floor(at / DAY_MS);
  const endOf = (day: number): number => (day + 1) * DAY_MS;

  function ceiling(key: string, warmUp: WarmUp, today: number): number | undefined {
    const known = ceilings.get(key);
    if (known?.today === today && known.warmUp === warmUp) return known.ceiling;
    const rows = since.all({ key: nameOf(key), end: endOf(today - KEPT_DAYS) });
    const sent = new Set(rows.map(({ bucket_end }) => bucket_end / DAY_MS - 1));
    const found = ceilingOn(warmUp, today, (day) => sent.has(day));
    ceilings.set(key, { today, warmUp, ceiling: found });
    return found;
  }

  return {
    count(key, at, n) {
      if (n < 1) return;
      const day = dayOf(at);
      if (one.get({ key: nameOf(key), end: endOf(day) }) === undefined)
        forget.run({ key: nameOf(key), end: endOf(day - KEPT_DAYS) });
      add.run({ key: nameOf(key), end: endOf(day), n });
    },
    look(key, warmUp, now) {
      const today = dayOf(now);
      const sent = one.get({ key: nameOf(key), end: endOf(today) })?.n ?? 0;
      return { ceiling: ceiling(key, warmUp, today), sent };
    },
  };
}
