import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Lanes by site, what is known of their sites, and which site is behind a domain. */
export const sites: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db;
    // A constraint of a table cannot be dropped, so that the table is made anew; numbers of lanes stay.
    await schema
      .createTable('lane_by_site')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('route', 'text', (column) => column.notNull())
      .addColumn('site', 'text', (column) => column.notNull().defaultTo(''))
      .addColumn('stream', 'integer', (column) => column.notNull())
      .addColumn('paused', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('known_at', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('ready_at', 'integer')
      .addColumn('held', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('answers', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('rule', 'text')
      .addUniqueConstraint('lane_key', ['route', 'site', 'stream'])
      .execute();
    await sql`insert into lane_by_site (id, route, stream, paused, known_at) select id, route, stream, paused, known_at from lane`.execute(
      db,
    );
    await schema.dropTable('lane').execute();
    await schema.alterTable('lane_by_site').renameTo('lane').execute();
    await schema
      .createIndex('lane_ready')
      .on('lane')
      .columns(['route', 'stream', 'answers', 'ready_at'])
      .where('ready_at' as never, 'is not', null)
      .execute();
    await schema
      .createTable('domain_site')
      .addColumn('domain', 'text', (column) => column.primaryKey().notNull())
      .addColumn('site', 'text', (column) => column.notNull())
      .addColumn('until', 'integer', (column) => column.notNull())
      .modifyEnd(sql`without rowid`)
      .execute();
  },
};
