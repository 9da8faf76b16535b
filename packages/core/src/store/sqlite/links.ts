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
  const counts = new Map<number, Counts>();
  db.beforeCommit(() => {
    for (const [id, sums] of counts) add.run({ id, ...sums });
    counts.clear();
  });
  db.onRollback(() => {
    ids.clear();
    counts.clear();
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
      const sums = counts.get(id) ?? { total: 0, distinct: 0, totalHuman: 0, distinctHuman: 0 };
      sums.total += 1;
      sums.distinct += Number(first);
      sums.totalHuman += Number(human);
      sums.distinctHuman += Number(firstHuman);
      counts.set(id, sums);
    },
  };
}
