import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Mail that was answered, and is not in its own tables yet. */
export const journal: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('journal')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('json', 'text', (column) => column.notNull())
      .addColumn('failed_at', 'integer')
      .execute();
  },
};
