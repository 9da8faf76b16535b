import type { Metric } from '../port.ts';
import { METRICS } from '../port.ts';
import type { Database } from './database.ts';
import { type MessageFacts, STREAMS } from './ledger-facts.ts';

const DAY_MS = 86_400_000;

/** Counts by campaign, stream and day. Inside of `write`. */
export interface Counts {
  add(facts: MessageFacts, metric: Metric, at: number, n: number): void;
}

/** Scopes of a message's counts: streams are -1 and -2, so that campaigns keep their own numbers. */
export function scopesOf({ stream, campaignId }: Pick<MessageFacts, 'stream' | 'campaignId'>): readonly number[] {
  const ofStream = -1 - STREAMS.indexOf(stream);
  return campaignId === undefined ? [ofStream] : [ofStream, campaignId];
}

/** Counts in SQLite: those of a transaction are added at its end, since most of its changes add to the same ones. */
export function createCounts(db: Database): Counts {
  const counts = new Map<string, { scope: number; day: number; metric: number; n: number }>();
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
  db.beforeCommit(() => {
    for (const count of counts.values()) put.run(count);
    counts.clear();
  });
  db.onRollback(() => counts.clear());

  return {
    add(facts, metric, at, n) {
      const day = Math.floor(at / DAY_MS);
      for (const scope of scopesOf(facts)) {
        const key = `${scope} ${day} ${metric}`;
        const known = counts.get(key);
        if (known === undefined) counts.set(key, { scope, day, metric: METRICS.indexOf(metric), n });
        else known.n += n;
      }
    },
  };
}
