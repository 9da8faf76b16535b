import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { WAY_METRICS } from '../../report-port.ts';

/** Counts by the way that mail took, how long deferred mail waited, and what alerts are made of. */
export const reports: Migration = {
  async up(db: Kysely<unknown>) {
    const withoutRowid = sql`without rowid`;
    const { schema } = db;
    await schema
      .createTable('way')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('route', 'text', (column) => column.notNull())
      .addColumn('provider', 'text', (column) => column.notNull())
      .addColumn('site', 'text', (column) => column.notNull())
      .addColumn('stream', 'integer', (column) => column.notNull())
      .addColumn('domain', 'text', (column) => column.notNull())
      .addColumn('last_day', 'integer', (column) => column.notNull())
      .addUniqueConstraint('way_key', ['domain', 'route', 'provider', 'site', 'stream'])
      .execute();
    // One row for all figures: what is 0 costs a byte, and a commit changes few rows.
    let counts = schema
      .createTable('way_count')
      .addColumn('day', 'integer', (column) => column.notNull())
      .addColumn('way_id', 'integer', (column) => column.notNull());
    for (const metric of WAY_METRICS)
      counts = counts.addColumn(metric, 'integer', (column) => column.notNull().defaultTo(0));
    await counts.addPrimaryKeyConstraint('way_count_key', ['day', 'way_id']).modifyEnd(withoutRowid).execute();
    await schema
      .createTable('wait')
      .addColumn('day', 'integer', (column) => column.notNull())
      .addColumn('way_id', 'integer', (column) => column.notNull())
      .addColumn('step', 'integer', (column) => column.notNull())
      .addColumn('sent', 'integer', (column) => column.notNull())
      .addColumn('lost', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('wait_key', ['day', 'way_id', 'step'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('pulse')
      .addColumn('slot', 'integer', (column) => column.notNull())
      .addColumn('scope', 'integer', (column) => column.notNull())
      .addColumn('tried', 'integer', (column) => column.notNull())
      .addColumn('sent', 'integer', (column) => column.notNull())
      .addColumn('hard', 'integer', (column) => column.notNull())
      .addColumn('complained', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('pulse_key', ['slot', 'scope'])
      .modifyEnd(withoutRowid)
      .execute();
    await schema
      .createTable('alert')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('scope', 'integer', (column) => column.notNull())
      .addColumn('kind', 'integer', (column) => column.notNull())
      .addColumn('threshold', 'real', (column) => column.notNull())
      .addColumn('since', 'integer', (column) => column.notNull())
      .addColumn('n', 'integer', (column) => column.notNull())
      .addColumn('total', 'integer', (column) => column.notNull())
      .addColumn('window_ms', 'integer', (column) => column.notNull())
      .addUniqueConstraint('alert_key', ['scope', 'kind', 'threshold'])
      .execute();
  },
};
