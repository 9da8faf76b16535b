import { METRICS, type Metric } from '../port.ts';
import { createAdditions } from './additions.ts';
import type { Database } from './database.ts';
import { type MessageFacts, STREAMS } from './ledger-facts.ts';

/** A day of the reports, ms. */
export const DAY_MS = 86_400_000;

/** Counts by campaign, stream and day. Inside of `write`. */
export interface Counts {
  add(facts: MessageFacts, metric: Metric, at: number, n: number): void;
}

/** Scopes of a message's counts: streams are -1 and -2, so that campaigns keep their own numbers. */
export function scopesOf({ stream, campaignId }: Pick<MessageFacts, 'stream' | 'campaignId'>): readonly number[] {
  const ofStream = -1 - STREAMS.indexOf(stream);
  return campaignId === undefined ? [ofStream] : [ofStream, campaignId];
}

/** What a transaction adds to a scope on a day, of the figures that change. */
interface Sum {
  readonly scope: number;
  readonly day: number;
  readonly counts: Partial<Record<Metric, number>>;
}

/** Counts in SQLite: those of a transaction are added at its end. */
export function createCounts(db: Database): Counts {
  const put = db.prepare((query, p: { scope: number; day: number; metric: number; n: number }) =>
    query
      .insertInto('report')
      .values({ scope: p.scope, day: p.day, metric: p.metric, n: p.n })
      .onConflict((conflict) =>
        conflict
          .columns(['scope', 'day', 'metric'])
          .doUpdateSet((row) => ({ n: row('report.n', '+', row.ref('excluded.n')) })),
      ),
  );
  const sums = createAdditions<MessageFacts, Sum>(db, {
    keysOf: scopesOf,
    empty: (scope, day) => ({ scope, day, counts: {} }),
    write(all) {
      for (const { scope, day, counts } of all)
        for (const [metric, n] of Object.entries(counts) as [Metric, number][])
          put.run({ scope, day, metric: METRICS.indexOf(metric), n });
    },
  });
  return {
    add(facts, metric, at, n) {
      for (const { counts } of sums.of(facts, Math.floor(at / DAY_MS))) counts[metric] = (counts[metric] ?? 0) + n;
    },
  };
}
