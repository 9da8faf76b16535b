import { BLOB_KINDS, type BlobStore, type Store } from '../port.ts';
import { createActivityStore } from './activity.ts';
import { createDatabase, type Database } from './database.ts';
import { createIntake, type MessageIdOf } from './intake.ts';
import { createLedger } from './ledger.ts';
import { createLog } from './log.ts';
import { createQueueStore } from './queue.ts';
import { createReportStore } from './reports.ts';
import { createSuppressionStore } from './suppressions.ts';

/** The store in one SQLite file. */
export function createSqliteStore({
  path,
  messageIdOf,
}: {
  readonly path: string;
  readonly messageIdOf: MessageIdOf;
}): Store {
  const db = createDatabase(path);
  const ledger = createLedger(db);
  const suppressions = createSuppressionStore(db, ledger);
  return {
    intake: createIntake(db, ledger, messageIdOf),
    queue: createQueueStore(db, ledger, suppressions),
    log: createLog(db, ledger, messageIdOf),
    suppressions,
    activity: createActivityStore(db, ledger),
    reports: createReportStore(db),
    blobs: createBlobs(db),
    open: async () => db.open(),
    close: () => db.close(),
    async size() {
      const row = db.get('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()');
      return { bytes: Number(row?.bytes) };
    },
  };
}

function createBlobs(db: Database): BlobStore {
  const code = (kind: (typeof BLOB_KINDS)[number]): number => BLOB_KINDS.indexOf(kind);
  return {
    get: async (kind, key) =>
      db.get('SELECT bytes FROM blob WHERE kind = ? AND key = ?', code(kind), key)?.bytes as Uint8Array | undefined,
    has: async (kind, key) => db.get('SELECT 1 FROM blob WHERE kind = ? AND key = ?', code(kind), key) !== undefined,
    put: (kind, key, bytes) =>
      db.write(
        () =>
          void db.run(
            'INSERT OR IGNORE INTO blob (kind, key, at, bytes) VALUES (?, ?, ?, ?)',
            code(kind),
            key,
            Date.now(),
            bytes,
          ),
      ),
    async list(kind, limit) {
      const rows = db.all(
        'SELECT key, at, length(bytes) AS bytes FROM blob WHERE kind = ? ORDER BY at DESC, rowid DESC LIMIT ?',
        code(kind),
        limit,
      );
      return rows.map((row) => ({ key: row.key as string, at: Number(row.at), bytes: Number(row.bytes) }));
    },
    trim: (kind, keep) =>
      db.write(
        () =>
          void db.run(
            'DELETE FROM blob WHERE kind = ?1 AND rowid NOT IN (SELECT rowid FROM blob WHERE kind = ?1 ORDER BY at DESC, rowid DESC LIMIT ?2)',
            code(kind),
            keep,
          ),
      ),
  };
}
