import type { Database } from './database.ts';

/** An entry as it is stored. */
export interface JournalRow {
  readonly id: number;
  /** When it was noted, ms since the epoch. */
  readonly at: number;
  readonly json: string;
}

/** Rows that are read at once. */
const PAGE = 500;

/** The table of the journal. All of it works while entries wait, and changes are for inside of `write`. */
export function createJournalRows(db: Database): {
  insert(row: JournalRow): void;
  /** Answers whether it was there. */
  remove(id: number): boolean;
  setAside(id: number, now: number): void;
  /** Noted before a time, or after another one, in their order, those after one; without what was set aside. */
  outside(times: { readonly from: number; readonly to: number }, after: number): JournalRow[];
  /** Nothing is set aside any more. */
  tryAgain(): void;
} {
  const early = { early: true } as const;
  const insert = db.prepare(
    (query, p: { id: number; at: number; json: string }) =>
      query.insertInto('journal').values({ id: p.id, at: p.at, json: p.json }),
    early,
  );
  const remove = db.prepare((query, p: { id: number }) => query.deleteFrom('journal').where('id', '=', p.id), early);
  const setAside = db.prepare(
    (query, p: { id: number; now: number }) =>
      query.updateTable('journal').set({ failed_at: p.now }).where('id', '=', p.id),
    early,
  );
  const left = db.prepare(
    (query, p: { from: number; to: number; after: number }) =>
      query
        .selectFrom('journal')
        .select(['id', 'at', 'json'])
        .where('id', '>', p.after)
        .where((row) => row.or([row('at', '<', p.from), row('at', '>', p.to)]))
        .where('failed_at', 'is', null)
        .orderBy('id')
        .limit(PAGE),
    early,
  );
  const again = db.prepare(
    (query) => query.updateTable('journal').set({ failed_at: null }).where('failed_at', 'is not', null),
    early,
  );

  return {
    insert: (row) => void insert.run(row),
    remove: (id) => remove.run({ id }) > 0,
    setAside: (id, now) => void setAside.run({ id, now }),
    outside: ({ from, to }, after) => left.all({ from, to, after }),
    tryAgain: () => void again.run({}),
  };
}
