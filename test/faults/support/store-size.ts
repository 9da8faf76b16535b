import { DatabaseSync } from 'node:sqlite';

/** Rows of all tables of a database, as the file says, to which nothing is done. */
export function rowsOf(store: string): Record<string, number> {
  const db = new DatabaseSync(store, { readOnly: true, timeout: 5000 });
  const count = (sql: string): number => Number(db.prepare(sql).get()?.n);
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    return Object.fromEntries(tables.map(({ name }) => [String(name), count(`SELECT count(*) AS n FROM "${name}"`)]));
  } finally {
    db.close();
  }
}
