import { scopesOf } from './counts.ts';
import type { Database } from './database.ts';
import type { MessageFacts } from './ledger-facts.ts';

/** How fine the window of alerts moves, ms. */
export const SLOT_MS = 3_600_000;

/** What is counted in a slot. */
const BEATS = ['tried', 'sent', 'hard', 'complained'] as const;

/** `tried`: mails that were sent, bounced or failed; `hard` and `complained` of them, whenever that was found out. */
export type Beats = { readonly [Name in (typeof BEATS)[number]]?: 1 };

/** What alerts are made of. Inside of `write`. */
export interface Pulses {
  add(facts: MessageFacts, at: number, beats: Beats): void;
}

type Row = { scope: number; slot: number } & Record<(typeof BEATS)[number], number>;

/** Pulses in SQLite, added up by transaction. */
export function createPulses(db: Database): Pulses {
  const rows = new Map<string, Row>();
  const put = db.prepare((query, p: Row) =>
    query
      .insertInto('pulse')
      .values({ slot: p.slot, scope: p.scope, tried: p.tried, sent: p.sent, hard: p.hard, complained: p.complained })
      .onConflict((conflict) =>
        conflict.columns(['slot', 'scope']).doUpdateSet((row) => ({
          tried: row('pulse.tried', '+', row.ref('excluded.tried')),
          sent: row('pulse.sent', '+', row.ref('excluded.sent')),
          hard: row('pulse.hard', '+', row.ref('excluded.hard')),
          complained: row('pulse.complained', '+', row.ref('excluded.complained')),
        })),
      ),
  );
  db.beforeCommit(() => {
    for (const row of rows.values()) put.run(row);
    rows.clear();
  });
  db.onRollback(() => rows.clear());

  return {
    add(facts, at, beats) {
      const slot = Math.floor(at / SLOT_MS);
      for (const scope of scopesOf(facts)) {
        const key = `${scope} ${slot}`;
        const row = rows.get(key) ?? { scope, slot, tried: 0, sent: 0, hard: 0, complained: 0 };
        for (const name of BEATS) row[name] += beats[name] ?? 0;
        rows.set(key, row);
      }
    },
  };
}
