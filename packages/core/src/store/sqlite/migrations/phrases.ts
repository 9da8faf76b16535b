import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Texts that many events share. Events that were written before have them in full, and stay as they are. */
export const phrases: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('phrase')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('text', 'text', (column) => column.notNull().unique())
      .execute();
  },
};
