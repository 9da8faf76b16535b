import { existsSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { MailRelayError, messageOf } from '../../errors.ts';
import type { Disk } from './disk.ts';

/** The write-ahead log of a database, and what the disk has of it. */
export interface KeptLog {
  /** Before the database is opened: whether somebody has left a log. */
  look(): void;
  /** After the database was opened. */
  open(): void;
  /** Where there is no log, as in memory and on odd file systems, SQLite has to wait for the disk itself. */
  isThere(): boolean;
  /**
   * Before something is written: a log with a hole must not grow, as what is behind the hole would be gone after a loss of power.
   *
   * @throws MailRelayError `STORE_UNAVAILABLE` where the disk refused to keep something of it, and still does
   */
  check(): void;
  /** Calls back when all that was committed before survives a loss of power, or with why that is not known. One at a time. */
  sync(done: (error?: unknown) => void): void;
  /** The same at once, and for the last time; answers the error, where there is one. */
  close(): unknown;
}

/** So long another process may have the file to itself, ms. */
export const BUSY_MS = 5000;

/** The system tells an error once to each that has opened the file, and SQLite has opened it, too. */
const TRIES = 2;

export function createKeptLog(
  path: string,
  database: {
    handle(): DatabaseSync;
    /** Commits what is open, in all databases of this thread. */
    commit(): void;
    openDisk(log: string): Disk;
  },
): KeptLog {
  const log = `${path}-wal`;
  let wasLeft = false;
  let disk: Disk | undefined;
  /** The disk refused to keep something of the log, so that it may have a hole. */
  let isHoled = false;
  let refusal: unknown;

  /** Moves all of the log into the database, from where SQLite waits for the disk itself, and says whether that was done. */
  function isMoved(): boolean {
    const handle = database.handle();
    try {
      // Readers that hold it up may take their time: the next write tries again.
      handle.exec('PRAGMA busy_timeout = 0');
      const row = handle.prepare('PRAGMA wal_checkpoint(RESTART)').get();
      return row?.busy === 0 && row.log === row.checkpointed;
    } catch {
      // What the disk said first says more.
      return false;
    } finally {
      handle.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    }
  }

  /** Answers why the log has a hole, or nothing where it has none any more. */
  function mend(): unknown {
    for (let tries = 0; isHoled && tries < TRIES; tries++) isHoled = !isMoved();
    if (!isHoled) return undefined;
    const reason = `the disk did not keep ${log}: ${messageOf(refusal)}; whether what was written last survives is not known`;
    return new MailRelayError('STORE_UNAVAILABLE', { file: path, reason }, { cause: refusal });
  }

  function mendAfter(error: unknown): unknown {
    isHoled = true;
    refusal = error;
    database.commit();
    return mend();
  }

  return {
    look() {
      wasLeft = (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0;
    },
    open() {
      if (path === ':memory:' || !existsSync(log)) return;
      try {
        disk = database.openDisk(log);
      } catch (error) {
        const reason = `${log}: ${messageOf(error)}`;
        throw new MailRelayError('STORE_UNAVAILABLE', { file: path, reason }, { cause: error });
      }
      // Who was here before may have left a hole, and nobody would tell us. Where others are still here, it is theirs to mend.
      if (wasLeft) isMoved();
    },
    isThere: () => disk !== undefined,
    check() {
      const error = mend();
      if (error !== undefined) throw error;
    },
    sync(done) {
      if (disk === undefined) return done();
      if (isHoled) return done(mend());
      disk.sync((error) => done(error === undefined ? undefined : mendAfter(error)));
    },
    close() {
      if (disk === undefined) return undefined;
      try {
        disk.syncNow();
        return mend();
      } catch (error) {
        return mendAfter(error);
      } finally {
        disk.close();
        disk = undefined;
      }
    },
  };
}
