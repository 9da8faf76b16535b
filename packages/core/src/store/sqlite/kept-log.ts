import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { MailRelayError, messageOf } from '../../errors.ts';
import type { Disk } from './disk.ts';

/** The write-ahead log of a database, and what the disk has of it. */
export interface KeptLog {
  /** After the database was opened. */
  open(): void;
  /** Where there is no log, as in memory and on odd file systems, SQLite has to wait for the disk itself. */
  isThere(): boolean;
  /** Calls back when all that was committed before survives a loss of power, or with why that is not known. One at a time. */
  sync(done: (error?: unknown) => void): void;
  /** The same at once, and for the last time; answers the error, where there is one. */
  close(): unknown;
}

/** So long another process may have the file to itself, ms. */
export const BUSY_MS = 5000;

export function createKeptLog(
  path: string,
  database: {
    handle(): DatabaseSync;
    /** Commits what is open. */
    commit(): void;
    openDisk(log: string): Disk;
  },
): KeptLog {
  let disk: Disk | undefined;
  /** The disk refused to keep something of the log, so that it may have a hole. */
  let isHoled = false;
  let refusal: unknown;

  /**
   * Moves all of the log into the database, from where SQLite waits for the disk itself. Answers why that is not so, or nothing.
   * A log with a hole must not grow: after a loss of power, what is behind the hole would be gone.
   */
  function mend(): unknown {
    try {
      database.commit();
      // Readers that hold it up may take their time: the next write tries again.
      database.handle().exec('PRAGMA busy_timeout = 0');
      const row = database.handle().prepare('PRAGMA wal_checkpoint(RESTART)').get();
      isHoled = row?.busy !== 0 || row.log !== row.checkpointed;
    } catch {
      // What the disk said first says more.
    } finally {
      database.handle().exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    }
    if (!isHoled) return undefined;
    const reason = `the disk did not keep ${path}-wal: ${messageOf(refusal)}; whether what was written last survives is not known`;
    return new MailRelayError('STORE_UNAVAILABLE', { file: path, reason }, { cause: refusal });
  }

  function mendAfter(error: unknown): unknown {
    isHoled = true;
    refusal = error;
    return mend();
  }

  return {
    open() {
      const log = `${path}-wal`;
      if (path !== ':memory:' && existsSync(log)) disk = database.openDisk(log);
    },
    isThere: () => disk !== undefined,
    sync(done) {
      if (disk === undefined) return done();
      if (isHoled) return done(mend());
      disk.sync((error) => done(error === undefined ? undefined : mendAfter(error)));
    },
    close() {
      try {
        disk?.syncNow();
        return isHoled ? mend() : undefined;
      } catch (error) {
        return mendAfter(error);
      } finally {
        disk?.close();
        disk = undefined;
      }
    },
  };
}
