import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isMailRelayError, MailRelayError } from '../../errors.ts';
import { MIGRATIONS } from './schema.ts';

/** What SQLite takes and gives. */
export type Value = string | number | null | Uint8Array;
/** A row. */
export type Row = Readonly<Record<string, Value>>;

/** One SQLite file: prepared statements, and writes that share commits. */
export interface Database {
  open(): void;
  all(sql: string, ...values: readonly Value[]): Row[];
  get(sql: string, ...values: readonly Value[]): Row | undefined;
  /** Answers the number of rows that changed. */
  run(sql: string, ...values: readonly Value[]): number;
  /** Runs a change in a transaction that it may share with others; resolves after the commit. */
  write<T>(change: () => T): Promise<T>;
  /** A new id: grows with time, and was never used before. Inside of `write` only. */
  nextId(): number;
  /** Called when a transaction was undone: what was read in it may not be. */
  onRollback(listener: () => void): void;
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

/** A database that is not open yet. */
export function createDatabase(path: string): Database {
  let db: DatabaseSync | undefined;
  let lastId = 0;
  let pending: { change: () => unknown; resolve: (value: never) => void; reject: (error: unknown) => void }[] = [];
  const undone: (() => void)[] = [];
  const statements = new Map<string, StatementSync>();

  function mapped<T>(task: () => T): T {
    try {
      return task();
    } catch (error) {
      if (isMailRelayError(error)) throw error;
      const code = CODES[((error as { errcode?: number }).errcode ?? 0) & 255];
      if (code === undefined) throw error;
      throw new MailRelayError(code, { file: path, reason: `${path}: ${(error as Error).message}` }, { cause: error });
    }
  }

  function handle(): DatabaseSync {
    if (db === undefined) throw new MailRelayError('STORE_UNAVAILABLE', { file: path, reason: `${path} is not open` });
    return db;
  }

  function statement(sql: string): StatementSync {
    let found = statements.get(sql);
    if (found === undefined) {
      found = handle().prepare(sql);
      statements.set(sql, found);
    }
    return found;
  }

  function transact(tasks: () => void): void {
    mapped(() => {
      handle().exec('BEGIN IMMEDIATE');
      try {
        // Other processes may have written since.
        lastId = 0;
        tasks();
        handle().exec('COMMIT');
      } catch (error) {
        if (handle().isTransaction) handle().exec('ROLLBACK');
        for (const listener of undone) listener();
        throw error;
      }
    });
  }

  function flush(): void {
    const batch = pending;
    pending = [];
    if (batch.length === 0) return;
    try {
      const results: unknown[] = [];
      transact(() => {
        for (const { change } of batch) results.push(change());
      });
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as never);
    } catch {
      // One of them cannot be done: each gets a transaction of its own, so that only that one fails.
      for (const { change, resolve, reject } of batch) {
        try {
          let result: unknown;
          transact(() => {
            result = change();
          });
          resolve(result as never);
        } catch (error) {
          reject(error);
        }
      }
    }
  }

  return {
    open() {
      mapped(() => {
        try {
          if (path !== ':memory:') mkdirSync(dirname(resolve(path)), { recursive: true, mode: 0o700 });
          db = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
        } catch (error) {
          throw new MailRelayError(
            'STORE_UNAVAILABLE',
            { file: path, reason: `${path}: ${(error as Error).message}` },
            { cause: error },
          );
        }
        db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;');
        transact(migrate);
      });
    },
    all: (sql, ...values) => mapped(() => statement(sql).all(...values) as Row[]),
    get: (sql, ...values) => mapped(() => statement(sql).get(...values) as Row | undefined),
    run: (sql, ...values) => mapped(() => Number(statement(sql).run(...values).changes)),
    write: <T>(change: () => T) =>
      new Promise<T>((resolve, reject) => {
        if (pending.push({ change, resolve: resolve as (value: never) => void, reject }) === 1) setImmediate(flush);
      }),
    nextId() {
      if (lastId === 0) {
        const row = statement(
          'SELECT max((SELECT coalesce(max(id), 0) FROM message), (SELECT coalesce(max(id), 0) FROM delivery), (SELECT coalesce(max(id), 0) FROM event)) AS id',
        ).get() as Row;
        lastId = Number(row.id);
      }
      lastId = Math.max(lastId + 1, Date.now() * IDS_PER_MS);
      return lastId;
    },
    onRollback: (listener) => void undone.push(listener),
    async close() {
      flush();
      statements.clear();
      db?.close();
      db = undefined;
    },
  };

  function migrate(): void {
    const version = Number((handle().prepare('PRAGMA user_version').get() as Row).user_version);
    if (version > MIGRATIONS.length)
      throw new MailRelayError('STORE_NEWER', {
        file: path,
        reason: `${path} has schema ${version}, this version knows ${MIGRATIONS.length}`,
      });
    for (const migration of MIGRATIONS.slice(version)) handle().exec(migration);
    if (version < MIGRATIONS.length) handle().exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  }
}
