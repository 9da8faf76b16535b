import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';

/** Waits for the disk, without standing in the way of what this thread has to do meanwhile. */
export interface Disk {
  /** Calls back when all that was written to the log before is on the disk, or with what the disk says. One at a time. */
  sync(done: (error?: unknown) => void): void;
  /** The same at once, for what ends. @throws what the disk says */
  syncNow(): void;
  close(): void;
}

/**
 * Node's thread pool waits for the disk, and belongs to the host: where hashes of passwords have taken all of it, this
 * thread waits itself after so long, ms.
 */
const PATIENCE_MS = 20;
/** And goes on to do so for a while, ms. */
const ITSELF_MS = 1000;

/** @param log - path of the write-ahead log, which is there; SQLite takes no locks on it, so that we may close it */
export function createDisk(log: string): Disk {
  // Linux tells an error once to each that has opened the file: what the pool is told must not be what this thread misses.
  const ofPool = openSync(log, 'r+');
  const own = openSync(log, 'r+');
  /** What the pool was told when nobody waited for it any more. */
  let late: unknown;
  let waiting: ((error?: unknown) => void) | undefined;
  let itselfUntil = Number.NEGATIVE_INFINITY;
  let turn = 0;
  let closed = false;
  /** Syncs of the pool that have not come back: the number of the file may not be another's meanwhile. */
  let underway = 0;
  const patience = setTimeout(() => {
    const asked = turn;
    // A loop that stood still for so long runs timers first, and sees only then that the pool is done.
    setImmediate(() => {
      if (waiting === undefined || asked !== turn) return;
      itselfUntil = performance.now() + ITSELF_MS;
      end(attempt());
    });
  }, PATIENCE_MS);
  patience.unref();

  function syncNow(): void {
    fdatasyncSync(own);
    if (late === undefined) return;
    const error = late;
    late = undefined;
    throw error;
  }

  function attempt(): unknown {
    try {
      syncNow();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  function end(error: unknown): void {
    const done = waiting;
    waiting = undefined;
    turn += 1;
    done?.(error);
  }

  function release(): void {
    if (!closed || underway > 0) return;
    closeSync(ofPool);
    closeSync(own);
  }

  return {
    sync(done) {
      waiting = done;
      if (late !== undefined || performance.now() < itselfUntil) return end(attempt());
      const asked = turn;
      underway += 1;
      patience.refresh();
      fdatasync(ofPool, (error) => {
        underway -= 1;
        release();
        if (asked === turn) end(error ?? undefined);
        else late ??= error ?? undefined;
      });
    },
    syncNow,
    close() {
      if (closed) return;
      closed = true;
      turn += 1;
      waiting = undefined;
      clearTimeout(patience);
      release();
    },
  };
}
