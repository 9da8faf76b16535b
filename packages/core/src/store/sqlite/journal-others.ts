import { hostname } from 'node:os';
import type { Database } from './database.ts';

/** How often to look, ms. */
const LOOK_MS = 100;

/** Other processes on the file, by what is registered there. */
export interface JournalOthers {
  /** Whether there are any beside this one: they must find at once what was answered here. Looks now and then. */
  areThere(): boolean;
  /** Whether all that are registered have run on this machine, and do not any more. Before this one is registered. */
  areGone(): boolean;
}

/** Looks for other processes. */
export function createJournalOthers(db: Database): JournalOthers {
  const owners = db.prepare((query) => query.selectFrom('owner').select(['pid', 'host']), { early: true });
  let lookedAt = Number.NEGATIVE_INFINITY;
  let there = false;

  return {
    areThere() {
      const now = performance.now();
      if (now - lookedAt < LOOK_MS) return there;
      lookedAt = now;
      there = owners.all({}).length > 1;
      return there;
    },
    areGone() {
      const here = hostname();
      return owners.all({}).every(({ pid, host }) => host === here && !isRunning(pid));
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Where we may not ask, there is somebody.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
