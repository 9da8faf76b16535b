import { METRICS, type Metric } from '../port.ts';
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

type Count = { readonly scope: number; readonly day: number; readonly metric: number; n: number };

/** Counts in SQLite: those of a transaction are added at its end, since most of its changes add to the same ones. */
export function createCounts(db: Database): Counts {
  const counts = new Map<string, Count>();
  /** What was added to last: most changes of a transaction are alike. */
  let last:
    | { readonly facts: MessageFacts; readonly metric: Metric; readonly day: number; of: readonly Count[] }
    | undefined;
  function forget(): void {
    counts.clear();
    last = undefined;
  }
  const put = db.prepare((query, p: Count) =>
    query
      .insertInto('report')
      .values({ scope: p.scope, day: p.day, metric: p.metric, n: p.n })
      .onConflict((conflict) =>
        conflict
          .columns(['scope', 'day', 'metric'])
          .doUpdateSet((row) => ({ n: row('report.n', '+', row.ref('excluded.n')) })),
      ),
  );
  db.beforeCommit(() => {
    for (const count of counts.values()) put.run(count);
    forget();
  });
  db.onRollback(forget);

  function countsOf(facts: MessageFacts, metric: Metric, day: number): readonly Count[] {
    if (last?.facts === facts && last.metric === metric && last.day === day) return last.of;
    const of = scopesOf(facts).map((scope) => {
      const key = `${scope} ${day} ${metric}`;
      const count = counts.get(key) ?? { scope, day, metric: METRICS.indexOf(metric), n: 0 };
      counts.set(key, count);
      return count;
    });
    last = { facts, metric, day, of };
    return of;
  }

  return {
    add(facts, metric, at, n) {
      for (const count of countsOf(facts, metric, Math.floor(at / DAY_MS))) count.n += n;
    },
  };
}
