import { EVENT_TYPES } from '../../events.ts';
import { type Database, idAt } from './database.ts';

/** What is recent, ms. */
const RECENT_MS = 10_000;
/** More clicks than this in so short a time say nothing more, and must not cost more. */
const MOST_CLICKS = 100;
/** With more deliveries in memory the database is asked. */
const MOST_DELIVERIES = 50_000;
const CLICKED = EVENT_TYPES.indexOf('clicked');

/** Clicks of the last 10 seconds. */
export interface RecentClicks {
  /** One that is recorded. Inside of `write`. */
  add(deliveryId: number, at: number): void;
  /** Recorded clicks of a delivery, at most 100. */
  count(deliveryId: number, now: number): number;
}

/**
 * Who clicks a mail again and again would have its events read each time, of which every one may be in another page of the
 * file. So what this process records is kept for as long as it matters; where others record, too, or it has not run for so
 * long, the file is asked.
 */
export function createRecentClicks(db: Database): RecentClicks {
  const stored = db.prepare((query, p: { id: number; since: number; first: number }) =>
    query
      .selectFrom('event')
      .select('at')
      .where('delivery_id', '=', p.id)
      // Ids grow with time, so that only what is recent is looked at.
      .where('id', '>', p.first)
      .where('type', '=', CLICKED)
      .where('at', '>', p.since)
      .limit(MOST_CLICKS),
  );
  let young = new Map<number, number[]>();
  let old = new Map<number, number[]>();
  let turnedAt = performance.now();
  /** The time of the turn, ms since the epoch. */
  let youngSince = Date.now();
  let changes = 0;
  /** From when on no click is missing, ms since the epoch. */
  let completeSince = Number.POSITIVE_INFINITY;

  function forget(): void {
    young = new Map();
    old = new Map();
    completeSince = Date.now();
  }

  db.onRollback(forget);

  function turn(): void {
    const now = performance.now();
    if (now - turnedAt < RECENT_MS) return;
    old = young;
    young = new Map();
    turnedAt = now;
    completeSince = Math.max(completeSince, youngSince);
    youngSince = Date.now();
  }

  /** Another process may have recorded some. */
  function look(): void {
    const seen = db.recentChanges();
    if (seen !== changes) forget();
    changes = seen;
  }

  return {
    add(deliveryId, at) {
      look();
      turn();
      if (young.size >= MOST_DELIVERIES) forget();
      const times = young.get(deliveryId) ?? [];
      if (times.length === 0) young.set(deliveryId, times);
      if (times.length >= MOST_CLICKS) times.shift();
      times.push(at);
    },
    count(deliveryId, now) {
      const since = Math.max(0, now - RECENT_MS);
      look();
      if (completeSince > since)
        return db.asTheyAre(() => stored.all({ id: deliveryId, since, first: idAt(since) }).length);
      const isRecent = (at: number): boolean => at > since;
      const times = [...(old.get(deliveryId) ?? []), ...(young.get(deliveryId) ?? [])];
      return Math.min(MOST_CLICKS, times.filter(isRecent).length);
    },
  };
}
