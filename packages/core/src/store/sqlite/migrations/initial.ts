import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Deliveries in the index of states; queries say the same words, or SQLite does not see that they fit. */
export const UNSENT: RawBuilder<boolean> = sql<boolean>`state not in (5, 6)`;

/** The first schema. */
export const initial: Migration = {
  async up(db: Kysely<unknown>) {
    const withoutRowid = sql`without rowid`;
    const { schema } = db;
    await schema
      .createTable('content')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('json', 'text', (column) => column.notNull())
      .execute();
    await schema
      .createTable('campaign')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull().unique())
      .execute();
    await schema
      .createTable('lane')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('route', 'text', (column) => column.notNull())
      .addColumn('stream', 'integer', (column) => column.notNull())
      .addColumn('paused', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('known_at', 'integer', (column) => column.notNull().defaultTo(0))
      .addUniqueConstraint('lane_key', ['route', 'stream'])
      .execute();
    await schema
      .createTable('message')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('content_id', 'integer', (column) => column.notNull())
      .addColumn('campaign_id', 'integer')
      .addColumn('lane_id', 'integer', (column) => column.notNull())
      .addColumn('send_at', 'integer')
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .addColumn('extra', 'text')
      .execute();
    await schema
      .createIndex('message_campaign')
      .on('message')
      .column('campaign_id')
      .where('campaign_id' as never, 'is not', null)
      .execute();
    await schema
      .createTable('delivery')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('message_id', 'integer', (column) => column.notNull())
      .addColumn('lane_id', 'integer', (column) => column.notNull())
      .addColumn('recipient', 'text', (column) => column.notNull().modifyEnd(sql`collate nocase`))
      .addColumn('kind', 'integer', (column) => column.notNull())
      .addColumn('state', 'integer', (column) => column.notNull())
      .addColumn('flags', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('clicked', 'text')
      .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('accepted_at', 'integer', (column) => column.notNull())
      .addColumn('due_at', 'integer')
      .addColumn('updated_at', 'integer', (column) => column.notNull())
      .addColumn('sent_at', 'integer')
      .addColumn('owner', 'integer')
      .addColumn('reason', 'text')
      .addColumn('data', 'text')
      .execute();
    // Addresses are the long part of an index, so only one index holds them: for the log, and to find duplicates.
    await schema
      .createIndex('delivery_recipient')
      .unique()
      .on('delivery')
      .columns(['recipient', 'message_id'])
      .execute();
    await schema.createIndex('delivery_message').on('delivery').column('message_id').execute();
    await schema
      .createIndex('delivery_due')
      .on('delivery')
      .columns(['lane_id', 'due_at'])
      .where('due_at' as never, 'is not', null)
      .execute();
    // Most deliveries were sent, and nobody looks for those by their state: the index holds the others.
    await schema.createIndex('delivery_state').on('delivery').column('state').where(UNSENT).execute();
    // Events lie beside those of their delivery, which is how they are read.
    await schema
      .createTable('event')
      .addColumn('delivery_id', 'integer', (column) => column.notNull())
      .addColumn('id', 'integer', (column) => column.notNull())
      .addColumn('type', 'integer', (column) => column.notNull())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('detail', 'text')
      .addPrimaryKeyConstraint('event_key', ['delivery_id', 'id'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('suppression')
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('scope', 'text', (column) => column.notNull())
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('evidence', 'text')
      .addColumn('since', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('suppression_key', ['address', 'scope'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('idempotency')
      .addColumn('key', 'text', (column) => column.primaryKey().notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('message_id', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'integer', (column) => column.notNull())
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('report')
      .addColumn('scope', 'integer', (column) => column.notNull())
      .addColumn('day', 'integer', (column) => column.notNull())
      .addColumn('metric', 'integer', (column) => column.notNull())
      .addColumn('n', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('report_key', ['scope', 'day', 'metric'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('link')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('campaign_id', 'integer', (column) => column.notNull())
      .addColumn('form', 'text', (column) => column.notNull())
      .addColumn('total', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('distinct_n', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('total_human', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('distinct_human', 'integer', (column) => column.notNull().defaultTo(0))
      .addUniqueConstraint('link_key', ['campaign_id', 'form'])
      .execute();
    await schema
      .createTable('blob')
      .addColumn('kind', 'integer', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('blob_key', ['kind', 'key'])
      .execute();
    await schema.createIndex('blob_at').on('blob').columns(['kind', 'at']).execute();
    // Numbers of owners are never used again: a late result of a dead process must not fit a new one.
    await schema
      .createTable('owner')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('pid', 'integer', (column) => column.notNull())
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('beat_at', 'integer', (column) => column.notNull())
      .addColumn('routes', 'text', (column) => column.notNull())
      .execute();
    await schema
      .createTable('rate_start')
      .addColumn('route', 'text', (column) => column.notNull())
      .addColumn('bucket_end', 'integer', (column) => column.notNull())
      .addColumn('n', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('rate_start_key', ['route', 'bucket_end'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('rate_reserved')
      .addColumn('owner', 'integer', (column) => column.notNull())
      .addColumn('route', 'text', (column) => column.notNull())
      .addColumn('n', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('rate_reserved_key', ['owner', 'route'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('sequence')
      .addColumn('last_id', 'integer', (column) => column.notNull())
      .execute();
    await sql`insert into sequence (last_id) values (0)`.execute(db);
  },
};
