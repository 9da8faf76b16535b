import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { scratchFolder } from '../../support/relay.ts';

/** A store that is open. */
export interface Opened {
  readonly path: string;
  readonly store: Store;
  /** Errors and warnings that were logged. */
  readonly logged: readonly string[];
  /** Rows of a table, as another connection finds them. */
  count(table: 'journal' | 'message' | 'delivery' | 'event' | 'phrase'): number;
  raw(sql: string, ...values: (string | number)[]): void;
}

/** A store on a file, and another connection to it. */
export async function open(path = `${scratchFolder()}/relay.db`): Promise<Opened> {
  const logged: string[] = [];
  const store = createSqliteStore({
    path,
    messageIdOf: ({ deliveryId }) => `<${deliveryId}@example.com>`,
    log: (_, __, message) => void logged.push(message),
  });
  await store.open();
  const connection = new DatabaseSync(path, { timeout: 5000 });
  onTestFinished(async () => {
    connection.close();
    await store.close();
  });
  return {
    path,
    store,
    logged,
    count: (table) => Number(connection.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n),
    raw: (sql, ...values) => void connection.prepare(sql).run(...values),
  };
}
