import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isMailRelayError, MailRelayError } from '../../errors.ts';
import { makeFolder } from '../../folder.ts';
import { createDisk, type Disk } from './disk.ts';
import { createGroupCommit, endBegun, type GroupCommit } from './group-commit.ts';
import { BUSY_MS, createKeptLog } from './kept-log.ts';
import { migrate } from './migrate.ts';
import { createStatements, type Statements } from './statements.ts';

/** One SQLite file: prepared statements, and writes that share commits. */
export interface Database extends Statements {
  open(): Promise<void>;
  /** Runs a change in a transaction that it may share with others; resolves when it is on the disk. See {@link GroupCommit}. */
  write: GroupCommit['write'];
  /** The same for deliveries that are on their way, which nobody could take back: what was committed counts. */
  carryOn<T>(change: () => T): Promise<T>;
  /** Runs a change now, in the transaction that is open or in one of its own. */
  now: GroupCommit['now'];
  /** Whether somebody waits for the disk. */
  syncing(): boolean;
  /** Commits what was written, now. */
  flush(): void;
  /** A part of a change that is undone alone where it throws. Inside of `write`. */
  undoable<T>(task: () => T): T;
  /** What is running: a change of `write` that may share its transaction, one that has its own, a commit, or none. */
  running(): 'shared' | 'alone' | 'commit' | undefined;
  /** Called before every query that is not `early`, nor inside of `asTheyAre`. */
  beforeQuery(listener: () => void): void;
  /** Runs queries that take the tables as they are. */
  asTheyAre<T>(task: () => T): T;
  /** A new id: grows with time (ms since the epoch), and was never used before. Inside of `write` only. */
  nextId(at: number): number;
  /** Types of events that go into the feed, as bits. Inside of `write`, after `nextId`. */
  wanted(): number;
  /** Says which types go into the feed from here on. Inside of `write`. */
  want(types: number): void;
  /** Called inside of each transaction, as its last change: for what many changes of it add up to. */
  beforeCommit(listener: () => void): void;
  /** Called when a transaction is committed, and not yet on the disk. */
  afterCommit(listener: () => void): void;
  /** Called when a transaction was undone: what was read in it may not be. */
  onRollback(listener: () => void): void;
  /** A number that changes when another process committed; cheap. */
  changes(): number;
  /** The same, at most 5 ms late: for what asks for each mail and each click. */
  recentChanges(): number;
  bytes(): number;
  close(): Promise<void>;
}

const CODES: Readonly<Record<number, 'STORE_UNAVAILABLE' | 'STORE_READ_ONLY' | 'STORE_FULL' | 'STORE_CORRUPT'>> = {
  5: 'STORE_UNAVAILABLE',
  6: 'STORE_UNAVAILABLE',
  8: 'STORE_READ_ONLY',
  10: 'STORE_UNAVAILABLE',
  11: 'STORE_CORRUPT',
  13: 'STORE_FULL',
  14: 'STORE_UNAVAILABLE',
  26: 'STORE_CORRUPT',
};

/** Ids hold the ms of their making, with room for 1,024 in each. */
const IDS_PER_MS = 1024;
/** The first id that could be made at a time. */
export function idAt(time: number): number {
  return Math.max(0, time) * IDS_PER_MS;
}

/** @throws MailRelayError `STORE_UNAVAILABLE` for a path that SQLite understands in another way */
function inodeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return found.ino;
  throw new MailRelayError('STORE_UNAVAILABLE', { file: path, reason: `${path} is not the path of a file` });
}

/** How late a change of another process may be seen where that is asked all the time, ms. */
const LOOK_MS = 5;
/** A checkpoint waits for the disk twice; at this many pages it is rare, and the log stays below 20 MB. */
const CHECKPOINT_PAGES = 4000;

/** A database that is not open yet. */
export function createDatabase(path: string, openDisk: (log: string) => Disk = createDisk): Database {
  let db: DatabaseSync | undefined;
  /** Inode of the open file. */
  let file: number | undefined;
  let closed = false;
  let lastId = 0;
  let wanted = 0;
  const ending: (() => void)[] = [];
  const undone: (() => void)[] = [];
  const committed: (() => void)[] = [];
  let committing = false;
  let isLax = false;
  let settle = (): void => {};
  let takesAsTheyAre = false;
  let dataVersion: StatementSync | undefined;
  let lastChanges = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;

  function guard<T>(task: () => T): T {
    try {
      return task();
    } catch (error) {
      throw named(error);
    }
  }

  function named(error: unknown): unknown {
    if (isMailRelayError(error)) return error;
    const code = CODES[((error as { errcode?: number }).errcode ?? 0) & 255];
    if (code === undefined) return error;
    return new MailRelayError(code, { file: path, reason: `${path}: ${(error as Error).message}` }, { cause: error });
  }

  function handle(): DatabaseSync {
    if (closed) throw new MailRelayError('RELAY_STOPPED');
    if (db === undefined) throw new MailRelayError('STORE_UNAVAILABLE', { file: path, reason: `${path} is not open` });
    return db;
  }

  const statements = createStatements(handle, guard, () => {
    if (!takesAsTheyAre) settle();
  });
  const readSequence = statements.prepare((query) => query.selectFrom('sequence').select(['last_id', 'wanted']), {
    early: true,
  });
  const writeSequence = statements.prepare(
    (query, { lastId: last_id }: { lastId: number }) => query.updateTable('sequence').set({ last_id }),
    { early: true },
  );
  const writeWanted = statements.prepare((query, { types }: { types: number }) =>
    query.updateTable('sequence').set({ wanted: types }),
  );

  /** What is written to a file that has no name any more is lost. */
  function checkThere(): void {
    if (file === undefined || statSync(path, { throwIfNoEntry: false })?.ino === file) return;
    throw new MailRelayError('STORE_UNAVAILABLE', {
      file: path,
      reason: `${path} was removed or replaced while it was in use; put it back and start again`,
    });
  }

  function commit(): void {
    committing = true;
    try {
      for (const listener of ending) listener();
      if (lastId > 0) writeSequence.run({ lastId });
      handle().exec('COMMIT');
    } finally {
      committing = false;
    }
    for (const listener of committed) listener();
  }

  function undoable<T>(task: () => T): T {
    // What was added up before is not undone.
    for (const listener of ending) listener();
    handle().exec('SAVEPOINT part');
    try {
      const result = task();
      for (const listener of ending) listener();
      handle().exec('RELEASE part');
      return result;
    } catch (error) {
      if (db?.isTransaction) db.exec('ROLLBACK TO part; RELEASE part');
      for (const listener of undone) listener();
      throw error;
    }
  }

  const { write, now, running, syncing, flush, finish } = createGroupCommit({
    beforeAlone: () => settle(),
    begin: (lax) =>
      guard(() => {
        checkThere();
        log.check();
        const sqliteWaits = !lax || !log.isThere();
        if (sqliteWaits === isLax) handle().exec(`PRAGMA synchronous = ${sqliteWaits ? 'FULL' : 'NORMAL'}`);
        isLax = !sqliteWaits;
        handle().exec('BEGIN IMMEDIATE');
        // Other processes may have taken ids since.
        lastId = 0;
      }),
    commit: () => guard(commit),
    rollback() {
      if (db?.isTransaction) db.exec('ROLLBACK');
      for (const listener of undone) listener();
    },
    sync: (done) => log.sync(done),
  });

  const log = createKeptLog(path, { handle, commit: endBegun, openDisk });

  function changes(): number {
    return guard(() => {
      const open = handle();
      dataVersion ??= open.prepare('PRAGMA data_version');
      return Number(dataVersion.get()?.data_version);
    });
  }

  async function connect(): Promise<DatabaseSync> {
    // Here and not above, so that a Node without it can say what is wrong.
    const sqlite = await import('node:sqlite');
    try {
      if (path !== ':memory:') makeFolder(dirname(path));
      return new sqlite.DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
    } catch (error) {
      const reason = `${path}: ${(error as Error).message}`;
      throw new MailRelayError('STORE_UNAVAILABLE', { file: path, reason }, { cause: error });
    }
  }

  return {
    ...statements,
    async open() {
      log.look();
      const opened = await connect();
      try {
        opened.exec(
          `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
        );
        await migrate(opened, path);
        opened.exec('CREATE TEMP TABLE run (run, delivery_id, PRIMARY KEY (run, delivery_id)) WITHOUT ROWID');
        file = path === ':memory:' || process.platform === 'win32' ? undefined : inodeOf(path);
        db = opened;
        log.open();
      } catch (error) {
        db = undefined;
        opened.close();
        throw named(error);
      }
    },
    write,
    carryOn: (change) => write(change, { orCommitted: true }),
    now,
    syncing,
    flush,
    undoable: (task) => guard(() => undoable(task)),
    running: () => (committing ? 'commit' : running()),
    beforeQuery(listener) {
      settle = listener;
    },
    asTheyAre(task) {
      const outer = takesAsTheyAre;
      takesAsTheyAre = true;
      try {
        return task();
      } finally {
        takesAsTheyAre = outer;
      }
    },
    nextId(at) {
      if (lastId === 0) {
        const row = readSequence.get({});
        lastId = row?.last_id ?? 0;
        wanted = row?.wanted ?? 0;
      }
      lastId = Math.max(lastId + 1, idAt(at));
      return lastId;
    },
    wanted: () => wanted,
    want(types) {
      writeWanted.run({ types });
      wanted = types;
    },
    beforeCommit: (listener) => void ending.push(listener),
    afterCommit: (listener) => void committed.push(listener),
    onRollback: (listener) => void undone.push(listener),
    changes,
    recentChanges() {
      const now = performance.now();
      if (now - lookedAt < LOOK_MS) return lastChanges;
      lastChanges = changes();
      lookedAt = now;
      return lastChanges;
    },
    bytes() {
      const row = guard(() =>
        handle().prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()').get(),
      );
      return Number(row?.bytes);
    },
    async close() {
      flush();
      finish(log.close());
      closed = true;
      db?.close();
      db = undefined;
    },
  };
}
