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
  const rows = new Map<string, Row>();
  /** What was added to last: most changes of a transaction are alike. */
  let last: { readonly facts: MessageFacts; readonly slot: number; readonly of: readonly Row[] } | undefined;
  function forget(): void {
    rows.clear();
    last = undefined;
  }
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
    forget();
  });
  db.onRollback(forget);

  function rowsOf(facts: MessageFacts, slot: number): readonly Row[] {
    if (last?.facts === facts && last.slot === slot) return last.of;
    const of = scopesOf(facts).map((scope) => {
      const key = `${scope} ${slot}`;
      const row = rows.get(key) ?? { scope, slot, tried: 0, sent: 0, hard: 0, complained: 0 };
      rows.set(key, row);
      return row;
    });
    last = { facts, slot, of };
    return of;
  }

  return {
    add(facts, at, { tried = 0, sent = 0, hard = 0, complained = 0 }) {
      for (const row of rowsOf(facts, Math.floor(at / SLOT_MS))) {
        row.tried += tried;
        row.sent += sent;
        row.hard += hard;
        row.complained += complained;
      }
    },
  };
}
