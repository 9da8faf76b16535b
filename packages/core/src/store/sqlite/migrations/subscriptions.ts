import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Events for subscriptions: which types are wanted, the feed that they read, what is tried again, what webhooks answered. */
export const subscriptions: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db;
    const withoutRowid = sql`without rowid`;
    // Read with the last id anyway: where nobody subscribes, an event costs nothing more.
    await schema
      .alterTable('sequence')
      .addColumn('wanted', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await schema
      .createTable('subscription')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('name', 'text', (column) => column.notNull().unique())
      .addColumn('kind', 'integer', (column) => column.notNull())
      .addColumn('types', 'integer', (column) => column.notNull())
      .addColumn('cursor', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('seen_at', 'integer', (column) => column.notNull())
      .addColumn('paused_at', 'integer')
      .addColumn('pause_reason', 'text')
      .addColumn('holder', 'text')
      .addColumn('lease_until', 'integer')
      .addColumn('crashes', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('succeeded_at', 'integer')
      .addColumn('failing_since', 'integer')
      .addColumn('error', 'text')
      .execute();
    await schema
      .createTable('feed')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('delivery_id', 'integer', (column) => column.notNull())
      .addColumn('type', 'integer', (column) => column.notNull())
      .execute();
    await schema
      .createTable('retry')
      .addColumn('subscription_id', 'integer', (column) => column.notNull())
      .addColumn('event_id', 'integer', (column) => column.notNull())
      .addColumn('delivery_id', 'integer', (column) => column.notNull())
      .addColumn('type', 'integer', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('due_at', 'integer')
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('error', 'text')
      .addPrimaryKeyConstraint('retry_key', ['subscription_id', 'event_id'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createIndex('retry_due')
      .on('retry')
      .columns(['subscription_id', 'due_at'])
      .where('due_at' as never, 'is not', null)
      .execute();
    await schema
      .createIndex('retry_delivery')
      .on('retry')
      .columns(['subscription_id', 'delivery_id'])
      .where('due_at' as never, 'is not', null)
      .execute();
    await schema
      .createTable('webhook_attempt')
      .addColumn('subscription_id', 'integer', (column) => column.notNull())
      .addColumn('id', 'integer', (column) => column.notNull())
      .addColumn('event_id', 'integer', (column) => column.notNull())
      .addColumn('type', 'integer', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('status', 'integer')
      .addColumn('ms', 'integer', (column) => column.notNull())
      .addColumn('error', 'text')
      .addPrimaryKeyConstraint('webhook_attempt_key', ['subscription_id', 'id'])
      .modifyEnd(withoutRowid)
      .execute();
  },
};
