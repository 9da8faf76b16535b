import { createHash } from 'node:crypto';
import type { FeedbackEvent } from '../../feedback/port.ts';
import type { Page, UnmatchedFeedback } from '../port.ts';
import { type Database, idAt } from './database.ts';

/** So long it is known what came, and what fits no delivery is kept, ms. */
const KEPT_MS = 30 * 86_400_000;
/** Most that is kept of what fits no delivery. */
const MOST_UNMATCHED = 100_000;
/** Rows that go with each batch at least: more than come, so that nothing piles up. */
const SWEPT = 200;
const IDS_PER_MS = 1024;

/** What came, and what fits no delivery, both for a while. All but `unmatched` inside of `write`. */
export interface FeedbackMemory {
  /** Notes an id; answers whether it is new. */
  isNew(source: string, id: string, now: number): boolean;
  keep(event: FeedbackEvent, now: number): void;
  /** Forgets what is old. */
  sweep(now: number, came: number): void;
  unmatched(query: { readonly limit: number; readonly after?: string | undefined }): Page<UnmatchedFeedback>;
}

/** The memory in SQLite. */
export function createFeedbackMemory(db: Database): FeedbackMemory {
  const note = db.prepare((query, p: { id: number; at: number }) =>
    query
      .insertInto('seen')
      .values({ id: p.id, at: p.at })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const forget = db.prepare((query, p: { before: number; limit: number }) =>
    query
      .deleteFrom('seen')
      .where('id', 'in', (old) => old.selectFrom('seen').select('id').where('at', '<', p.before).limit(p.limit)),
  );
  const insert = db.prepare((query, p: { id: number; json: string }) =>
    query.insertInto('unmatched').values({ id: p.id, json: p.json }),
  );
  const dropOld = db.prepare((query, p: { before: number; limit: number }) =>
    query
      .deleteFrom('unmatched')
      .where('id', 'in', (old) =>
        old.selectFrom('unmatched').select('id').where('id', '<', p.before).orderBy('id').limit(p.limit),
      ),
  );
  const overflow = db.prepare((query) =>
    query.selectFrom('unmatched').select('id').orderBy('id', 'desc').limit(1).offset(MOST_UNMATCHED),
  );
  const page = db.prepare((query, p: { before: number; limit: number }) =>
    query.selectFrom('unmatched').selectAll().where('id', '<', p.before).orderBy('id', 'desc').limit(p.limit),
  );
  /** Counting is dear: only now and then. */
  let sinceCounted = 0;

  return {
    isNew: (source, id, now) => note.run({ id: hashOf(`${source} ${id}`), at: now }) > 0,
    keep(event, now) {
      sinceCounted += 1;
      insert.run({ id: db.nextId(now), json: JSON.stringify(event) });
    },
    sweep(now, came) {
      const limit = came + SWEPT;
      forget.run({ before: now - KEPT_MS, limit });
      dropOld.run({ before: idAt(now - KEPT_MS), limit });
      if (sinceCounted < 1000) return;
      sinceCounted = 0;
      const last = overflow.get({});
      if (last !== undefined) dropOld.run({ before: last.id + 1, limit: MOST_UNMATCHED });
    },
    unmatched({ limit, after }) {
      const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number.parseInt(after, 36);
      const rows = page.all({ before: Number.isSafeInteger(before) ? before : 0, limit });
      const end = rows.length === limit ? rows.at(-1) : undefined;
      return {
        items: rows.map(({ id, json }) => ({
          receivedAt: new Date(Math.floor(id / IDS_PER_MS)),
          event: JSON.parse(json) as FeedbackEvent,
        })),
        next: end?.id.toString(36),
      };
    },
  };
}

/** 53 bits: two of ten million ids are the same once in a hundred times, and one of them is then left out. */
function hashOf(text: string): number {
  return Number(createHash('sha256').update(text).digest().readBigUInt64BE() >> 11n);
}
