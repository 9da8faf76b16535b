import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What comes back: what was seen, what fits no delivery, soft bounces that count; ends and liftings of suppressions. */
export const feedback: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db;
    await schema
      .createTable('seen')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('at', 'integer', (column) => column.notNull())
      .execute();
    await schema.createIndex('seen_at').on('seen').column('at').execute();
    await schema
      .createTable('unmatched')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('json', 'text', (column) => column.notNull())
      .execute();
    await schema
      .createTable('soft_bounce')
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('delivery_id', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('soft_bounce_key', ['address', 'at', 'delivery_id'])
      .modifyEnd(sql`without rowid`)
      .execute();
    await schema.createIndex('soft_bounce_at').on('soft_bounce').column('at').execute();
    for (const [name, type] of [
      ['until', 'integer'],
      ['lifted_at', 'integer'],
      ['note', 'text'],
    ] as const)
      await schema.alterTable('suppression').addColumn(name, type).execute();
  },
};
