import type { Database } from './database.ts';
import { stateCode } from './ledger.ts';
import type { RateLog } from './rates.ts';

/**
 * The clock of the machine may be set back. Times that were written before lie ahead of it then, and nothing may wait until
 * it shows them again. Inside of `write`.
 */
export interface Clock {
  /** Takes note of the time, and sets right what lies ahead where it is earlier than the last one. */
  tick(now: number): void;
  /** Sets right what lies ahead, as an earlier process may have left it. */
  rewind(now: number): void;
}

/** Processes read their clocks a little before they write; less than this is not worth a correction, ms. */
export const SKEW_MS = 1000;

/** Looks after the times in SQLite. @param onRewound - called after waiting mail was moved */
export function createClock(db: Database, rates: RateLog, onRewound: (now: number) => void): Clock {
  const lanes = db.prepare((query) => query.selectFrom('lane').select('id'));
  // What was due when it was written is due now; what was to wait for a time waits for it from now. `sendAt` stays as it is.
  const moveWaiting = db.prepare((query, p: { lane: number; now: number; ahead: number }) =>
    query
      .updateTable('delivery')
      .set((row) => ({ due_at: row(row('due_at', '-', row.ref('updated_at')), '+', p.now), updated_at: p.now }))
      .where('lane_id', '=', p.lane)
      .where('due_at', '>', p.now)
      .where('updated_at', '>', p.ahead)
      .where((row) => {
        const sendAt = row.selectFrom('message').select('send_at').whereRef('message.id', '=', 'delivery.message_id');
        return row.or([
          row('state', '=', stateCode('deferred')),
          row('due_at', '<=', row.ref('updated_at')),
          row('due_at', 'is not', sendAt),
        ]);
      }),
  );
  const moveBeats = db.prepare((query, { now }: { now: number }) =>
    query.updateTable('owner').set({ beat_at: now }).where('beat_at', '>', now),
  );
  let last = 0;

  function rewindWaiting(now: number): void {
    const moved = lanes.all({}).map(({ id }) => moveWaiting.run({ lane: id, now, ahead: now + SKEW_MS }));
    if (moved.some((n) => n > 0)) onRewound(now);
  }

  /** Starts may be reported after the clock was set back, so these are looked at with each beat. */
  function rewindOthers(now: number): void {
    moveBeats.run({ now });
    rates.rewind(now, SKEW_MS);
  }

  return {
    tick(now) {
      if (now < last) rewindWaiting(now);
      last = now;
      rewindOthers(now);
    },
    rewind(now) {
      last = now;
      rewindWaiting(now);
      rewindOthers(now);
    },
  };
}
