import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Alerts and warnings that are to be told: to the listeners, and to subscriptions. */
export const notices: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db;
    await schema
      .createTable('notice')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('type', 'integer', (column) => column.notNull())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('json', 'text', (column) => column.notNull())
      .addColumn('held_until', 'integer')
      .execute();
    await schema
      .createIndex('notice_untold')
      .on('notice')
      .column('held_until')
      .where('held_until' as never, 'is not', null)
      .execute();
  },
};
