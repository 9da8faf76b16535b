import type { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MailRelayError } from '../../errors.ts';
import { MIGRATIONS } from './migrations/index.ts';

/**
 * Brings the schema up to date. Processes that start at once wait for each other: everything happens in one transaction,
 * which also undoes a migration that fails half-way.
 *
 * @throws MailRelayError `STORE_NEWER` where a later version of the relay has been here
 */
export async function migrate(db: DatabaseSync, path: string): Promise<void> {
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: facade(db) }) });
  const migrator = new Migrator({ db: kysely, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  if (known(db, path) === Object.keys(MIGRATIONS).length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    known(db, path);
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** How many of our migrations the file has. */
function known(db: DatabaseSync, path: string): number {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'kysely_migration'").get();
  if (table === undefined) return 0;
  const names = db
    .prepare('SELECT name FROM kysely_migration ORDER BY name')
    .all()
    .map(({ name }) => String(name));
  const newer = names.find((name) => MIGRATIONS[name] === undefined);
  if (newer !== undefined) {
    throw new MailRelayError('STORE_NEWER', {
      file: path,
      reason: `${path} has schema ${newer}, this version knows ${Object.keys(MIGRATIONS).at(-1)}`,
    });
  }
  return names.length;
}

/** The few calls that Kysely's SQLite dialect makes. */
function facade(db: DatabaseSync) {
  return {
    close: () => undefined,
    prepare(text: string) {
      const statement = db.prepare(text);
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...(values as never[])),
        run: (values: readonly unknown[]) => statement.run(...(values as never[])),
        iterate: (values: readonly unknown[]) => statement.iterate(...(values as never[])),
      };
    },
  };
}
