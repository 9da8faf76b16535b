import { createAdditions } from './additions.ts';
import { scopesOf } from './counts.ts';
import type { Database } from './database.ts';
import type { MessageFacts } from './ledger-facts.ts';

/** How fine the window of alerts moves, ms. */
export const SLOT_MS = 3_600_000;

/** `tried`: mails that were sent, bounced or failed; `hard` and `complained` of them, whenever that was found out. */
export type Beats = { readonly [Name in 'tried' | 'sent' | 'hard' | 'complained']?: 0 | 1 };

/** What alerts are made of. Inside of `write`. */
export interface Pulses {
  add(facts: MessageFacts, at: number, beats: Beats): void;
}

type Row = { readonly scope: number; readonly slot: number } & Record<keyof Beats, number>;

/** Pulses in SQLite, added up by transaction. */
export function createPulses(db: Database): Pulses {
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
  const sums = createAdditions<MessageFacts, Row>(db, {
    keysOf: scopesOf,
    empty: (scope, slot) => ({ scope, slot, tried: 0, sent: 0, hard: 0, complained: 0 }),
    write(rows) {
      for (const row of rows) put.run(row);
    },
  });

  return {
    add(facts, at, { tried = 0, sent = 0, hard = 0, complained = 0 }) {
      for (const row of sums.of(facts, Math.floor(at / SLOT_MS))) {
        row.tried += tried;
        row.sent += sent;
        row.hard += hard;
        row.complained += complained;
      }
    },
  };
}
