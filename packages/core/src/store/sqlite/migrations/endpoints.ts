import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Endpoints of webhooks that were added while the relay ran. */
export const endpoints: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('endpoint')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('sealed', 'text', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .modifyEnd(sql`without rowid`)
      .execute();
  },
};
