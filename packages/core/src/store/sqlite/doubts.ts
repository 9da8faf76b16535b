import type { MessageEvent } from '../../events.ts';
import type { Database } from './database.ts';
import { FLAGS, type Ledger, type MessageFacts, stateCode, stateOf } from './ledger.ts';
import type { SiteLanes } from './site-lanes.ts';
import { createTallies } from './tallies.ts';

/** A delivery, as far as a verdict about it asks. */
export interface Judged {
  readonly id: number;
  readonly lane_id: number;
  readonly recipient: string;
  readonly sent_at: number | null;
  readonly state: number;
  readonly flags: number;
  readonly attempts: number;
  readonly firsts: string | null;
}

/** Mail that a server may have, and of which something comes back: it has it. Inside of `write`. */
export interface Doubts {
  /** The delivery as one that was sent, with its event; undefined where it is in no doubt, or is being sent. */
  settle<Row extends Judged>(
    row: Row,
    facts: MessageFacts,
    at: number,
  ): { readonly row: Row; readonly event: MessageEvent } | undefined;
  /** Called at the end of what has settled some. */
  reschedule(now: number): void;
}

/** Told as the reply, which never came. */
export const TAKEN = 'the server did not answer the message, and has it: something came back about it';

/** Doubts in SQLite. */
export function createDoubts(db: Database, ledger: Ledger, sites: Pick<SiteLanes, 'touched' | 'reschedule'>): Doubts {
  const tallies = createTallies(db, ledger);
  const send = db.prepare((query, p: { id: number; at: number; state: number; flags: number }) =>
    query
      .updateTable('delivery')
      .set((row) => ({
        state: p.state,
        flags: p.flags,
        due_at: null,
        sent_at: p.at,
        updated_at: row.fn<number>('max', ['updated_at', row.val(p.at)]),
        reason: null,
      }))
      .where('id', '=', p.id),
  );
  return {
    settle(row, facts, at) {
      const waits = ['queued', 'deferred', 'held'].includes(stateOf(row.state));
      if (!waits || (row.flags & FLAGS.inDoubt) === 0) return undefined;
      const flags = row.flags & ~FLAGS.inDoubt;
      const sent = { ...row, state: stateCode('sent'), flags, sent_at: at };
      send.run({ id: row.id, at, state: sent.state, flags });
      sites.touched(row.lane_id);
      const result = { type: 'sent', reply: TAKEN } as const;
      tallies.settled(sent, facts, result, { firstDeferral: false, before: 0, now: at });
      return { row: sent, event: ledger.event(row, facts, 'sent', at, { reply: TAKEN, attempt: row.attempts }) };
    },
    reschedule: sites.reschedule,
  };
}
