import type { Database } from './database.ts';
import { SLOT_MS } from './pulses.ts';

const DAY_MS = 86_400_000;
/** Days that are kept by way: a year, and the month before it to compare with. */
const KEPT_DAYS = 400;
/** Hours that alerts may look back, and one more. */
const KEPT_SLOTS = 30 * 24 + 1;

/** Forgets counts that are too old, once a day. Inside of `write`. */
export function createReportSweep(db: Database): (now: number) => void {
  const counts = db.prepare((query, p: { day: number }) => query.deleteFrom('way_count').where('day', '<', p.day));
  const waits = db.prepare((query, p: { day: number }) => query.deleteFrom('wait').where('day', '<', p.day));
  const ways = db.prepare((query, p: { day: number }) => query.deleteFrom('way').where('last_day', '<', p.day));
  const pulses = db.prepare((query, p: { slot: number }) => query.deleteFrom('pulse').where('slot', '<', p.slot));
  let sweptOn: number | undefined;
  return (now) => {
    const today = Math.floor(now / DAY_MS);
    if (sweptOn === today) return;
    sweptOn = today;
    const day = today - KEPT_DAYS;
    counts.run({ day });
    waits.run({ day });
    ways.run({ day });
    pulses.run({ slot: Math.floor(now / SLOT_MS) - KEPT_SLOTS });
  };
}
