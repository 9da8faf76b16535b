import { createAdditions } from './additions.ts';
import type { Database } from './database.ts';
import { createRecent } from './recent.ts';

/** One click, as it counts for its link. `first`: of this delivery. */
export interface LinkClick {
  readonly human: boolean;
  readonly first: boolean;
  readonly firstHuman: boolean;
}

/** Links of campaigns, each by the address that stands in the template. Inside of `write`. */
export interface Links {
  /** Number of a link; makes one where there is none. */
  idOf(campaign: number, form: string): number;
  count(id: number, click: LinkClick): void;
}

const CACHED = 2000;

interface Counts {
  total: number;
  distinct: number;
  totalHuman: number;
  distinctHuman: number;
}

/** Counts of links in SQLite, written once per transaction. */
export function createLinks(db: Database): Links {
  const find = db.prepare((query, p: { campaign: number; form: string }) =>
    query.selectFrom('link').select('id').where('campaign_id', '=', p.campaign).where('form', '=', p.form),
  );
  const insert = db.prepare((query, p: { campaign: number; form: string }) =>
    query.insertInto('link').values({ campaign_id: p.campaign, form: p.form }),
  );
  const add = db.prepare((query, p: Counts & { id: number }) =>
    query
      .updateTable('link')
      .set((row) => ({
        total: row('total', '+', p.total),
        distinct_n: row('distinct_n', '+', p.distinct),
        total_human: row('total_human', '+', p.totalHuman),
        distinct_human: row('distinct_human', '+', p.distinctHuman),
      }))
      .where('id', '=', p.id),
  );
  const ids = createRecent<string, number>(CACHED);
  db.onRollback(() => ids.clear());
  const sums = createAdditions<number, Counts & { readonly id: number }>(db, {
    keysOf: (id) => [id],
    empty: (id) => ({ id, total: 0, distinct: 0, totalHuman: 0, distinctHuman: 0 }),
    write(all) {
      for (const one of all) add.run(one);
    },
  });

  return {
    idOf(campaign, form) {
      const key = `${campaign} ${form}`;
      const known = ids.get(key);
      if (known !== undefined) return known;
      const id = find.get({ campaign, form })?.id ?? insert.insert({ campaign, form });
      ids.set(key, id);
      return id;
    },
    count(id, { human, first, firstHuman }) {
      for (const sum of sums.of(id, 0)) {
        sum.total += 1;
        sum.distinct += Number(first);
        sum.totalHuman += Number(human);
        sum.distinctHuman += Number(firstHuman);
      }
    },
  };
}
