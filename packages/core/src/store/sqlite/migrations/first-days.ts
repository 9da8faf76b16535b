import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The days on which a delivery counts for what counts once. */
export const firstDays: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('delivery').addColumn('firsts', 'text').execute();
  },
};
