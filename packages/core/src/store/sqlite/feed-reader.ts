import type { Database } from './database.ts';
import { idAt } from './database.ts';
import type { EventKey } from './event-reader.ts';

/** Events stay in the feed for so long after everybody has handled them, so that they can be replayed, ms. */
const KEPT_MS = 7 * 86_400_000;
/** Rows that go with each turn at least: more than come, so that nothing piles up. */
const SWEPT = 200;

/** Reads the feed. */
export interface FeedReader {
  /** Events after an id, in the order of their commits. */
  after(id: number, limit: number): EventKey[];
  find(id: number): EventKey | undefined;
  /** Removes what is old and handled by all. Inside of `write`. */
  sweep(now: number, handled: number): void;
  /** Removes up to some thousands of what nobody subscribes to any more; answers whether there may be more. Inside of `write`. */
  clear(): boolean;
}

const CLEARED = 5000;

/** Reads the feed of SQLite. */
export function createFeedReader(db: Database): FeedReader {
  const next = db.prepare((query, p: { after: number; limit: number }) =>
    query.selectFrom('feed').selectAll().where('id', '>', p.after).orderBy('id').limit(p.limit),
  );
  const one = db.prepare((query, { id }: { id: number }) => query.selectFrom('feed').selectAll().where('id', '=', id));
  const slowest = db.prepare((query) =>
    query.selectFrom('subscription').select((row) => row.fn.min<number | null>('cursor').as('cursor')),
  );
  const drop = db.prepare((query, p: { before: number; limit: number }) =>
    query
      .deleteFrom('feed')
      .where('id', 'in', (old) =>
        old.selectFrom('feed').select('id').where('id', '<', p.before).orderBy('id').limit(p.limit),
      ),
  );
  return {
    after: (after, limit) => next.all({ after, limit }),
    find: (id) => one.get({ id }),
    sweep(now, handled) {
      const cursor = slowest.get({})?.cursor ?? 0;
      drop.run({ before: Math.min(cursor + 1, idAt(now - KEPT_MS)), limit: 2 * handled + SWEPT });
    },
    clear() {
      if ((slowest.get({})?.cursor ?? null) !== null) return false;
      return drop.run({ before: Number.MAX_SAFE_INTEGER, limit: CLEARED }) === CLEARED;
    },
  };
}
