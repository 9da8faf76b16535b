import { sql } from 'kysely';
import type { Database } from './database.ts';
import { AFTER_RETURN } from './delivery-row.ts';
import { FLAGS, stateCode } from './ledger.ts';
import { UNSENT } from './migrations/initial.ts';
import type { RateLog } from './rates.ts';

/** The processes that deliver, and what they have in their hands. Inside of `write`. */
export interface Owners {
  register(
    owner: { readonly pid: number; readonly host: string; readonly routes: readonly string[] },
    now: number,
  ): number;
  /** Owners, with the routes that each is configured with. */
  list(): { readonly id: number; readonly routes: readonly string[] }[];
  /** Answers whether the owner still is registered. */
  beat(owner: number, now: number): boolean;
  /** Owners that were silent since a time. */
  silentSince(time: number): number[];
  /** Puts what an owner had back into the queue, what was not answered in doubt, and forgets it; answers how many deliveries. */
  recover(owner: number, now: number, unanswered: readonly number[]): number;
}

/** Owners in SQLite. */
export function createOwners(db: Database, rates: RateLog): Owners {
  const insert = db.prepare((query, p: { pid: number; host: string; routes: string; now: number }) =>
    query.insertInto('owner').values({ pid: p.pid, host: p.host, beat_at: p.now, routes: p.routes }),
  );
  const all = db.prepare((query) => query.selectFrom('owner').select(['id', 'routes']));
  const renew = db.prepare((query, p: { owner: number; now: number }) =>
    query.updateTable('owner').set({ beat_at: p.now }).where('id', '=', p.owner),
  );
  const silent = db.prepare((query, { time }: { time: number }) =>
    query.selectFrom('owner').select('id').where('beat_at', '<', time),
  );
  const giveBack = db.prepare((query, p: { owner: number; now: number }) =>
    query
      .updateTable('delivery')
      .set({ state: AFTER_RETURN, owner: null, due_at: p.now, updated_at: p.now })
      .where('state', '=', stateCode('sending'))
      .where(UNSENT)
      .where('owner', '=', p.owner),
  );
  const doubt = db.prepare((query, p: { owner: number; ids: string }) =>
    query
      .updateTable('delivery')
      .set((row) => ({ flags: row('flags', '|', FLAGS.inDoubt) }))
      .where('id', 'in', sql<number>`(select value from json_each(${p.ids}))`)
      .where('owner', '=', p.owner)
      .where('state', '=', stateCode('sending')),
  );
  const remove = db.prepare((query, { owner }: { owner: number }) => query.deleteFrom('owner').where('id', '=', owner));

  return {
    register: ({ pid, host, routes }, now) => insert.insert({ pid, host, routes: JSON.stringify(routes), now }),
    list: () => all.all({}).map(({ id, routes }) => ({ id, routes: JSON.parse(routes) as string[] })),
    beat: (owner, now) => renew.run({ owner, now }) > 0,
    silentSince: (time) => silent.all({ time }).map(({ id }) => id),
    recover(owner, now, unanswered) {
      rates.abandon(owner, now);
      if (unanswered.length > 0) doubt.run({ owner, ids: JSON.stringify(unanswered) });
      const recovered = giveBack.run({ owner, now });
      remove.run({ owner });
      return recovered;
    },
  };
}
