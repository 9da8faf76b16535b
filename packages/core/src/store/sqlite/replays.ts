import { sql } from 'kysely';
import { MailRelayError } from '../../errors.ts';
import { decodeId } from '../../message.ts';
import type { SubscriptionStore } from '../subscription-port.ts';
import { type Database, idAt } from './database.ts';
import { hasType } from './event-codes.ts';
import type { FeedReader } from './feed-reader.ts';
import type { Retries } from './retries.ts';
import type { SubscriptionRow, SubscriptionRows } from './subscription-rows.ts';

/** Most events of one change; more would keep others from writing. */
const REPLAYED = 2000;

/** Hands events out again. */
export function createReplays(
  db: Database,
  { rows, feed, retries }: { readonly rows: SubscriptionRows; readonly feed: FeedReader; readonly retries: Retries },
): SubscriptionStore['replay'] {
  const find = db.prepare((query, p: { subscription: number; id: number }) =>
    query
      .selectFrom('retry')
      .select(['event_id as id', 'delivery_id', 'type'])
      .where('subscription_id', '=', p.subscription)
      .where('event_id', '=', p.id),
  );
  const reviveFailures = db.prepare((query, p: { subscription: number; now: number; limit: number }) =>
    query
      .updateTable('retry')
      .set({ attempts: 0, due_at: p.now })
      .where('subscription_id', '=', p.subscription)
      .where('event_id', 'in', (given) =>
        given
          .selectFrom('retry')
          .select('event_id')
          .where('subscription_id', '=', p.subscription)
          .where('due_at', 'is', null)
          .limit(p.limit),
      ),
  );
  const copyRange = db.prepare(
    (query, p: { subscription: number; types: number; from: number; to: number; now: number; limit: number }) =>
      query
        .selectFrom('feed')
        .selectAll()
        .where('id', '>=', p.from)
        .where('id', '<=', p.to)
        .where(sql<boolean>`(${p.types} >> type) & 1`)
        .orderBy('id')
        .limit(p.limit),
  );

  function replayOne(row: SubscriptionRow, text: string, now: number): void {
    const id = decodeId('evt', text) ?? 0;
    const key = find.get({ subscription: row.id, id }) ?? feed.find(id);
    if (key === undefined || !hasType(row.types, key.type))
      throw new MailRelayError('EVENT_NOT_FOUND', {
        event: text,
        reason: `${text} is no event of the last 7 days that the subscription ${row.name} is told of`,
      });
    // What lies ahead comes anyway.
    if (key.id <= row.cursor) retries.put(row.id, key, { attempts: 0, dueAt: now, at: now, error: null });
  }

  function replayRange(row: SubscriptionRow, from: number, to: number, now: number) {
    const subscription = row.id;
    const range = { subscription, types: row.types, from, to: Math.min(to, row.cursor), now, limit: REPLAYED };
    const keys = copyRange.all(range);
    for (const key of keys) retries.put(subscription, key, { attempts: 0, dueAt: now, at: now, error: null });
    const last = keys.at(-1);
    return { replayed: keys.length, next: keys.length === REPLAYED && last !== undefined ? last.id + 1 : undefined };
  }

  return (name, which, { now, after }) =>
    db.write(() => {
      const row = rows.get(name);
      if ('event' in which) {
        replayOne(row, which.event, now);
        return { replayed: 1, next: undefined };
      }
      if ('failures' in which) {
        const replayed = reviveFailures.run({ subscription: row.id, now, limit: REPLAYED });
        return { replayed, next: replayed === REPLAYED ? 0 : undefined };
      }
      // The end of a ms has as many ids as its beginning.
      const to = which.to === undefined ? Number.MAX_SAFE_INTEGER : idAt(which.to.getTime()) - 1;
      return replayRange(row, after ?? idAt(which.from.getTime()), to, now);
    });
}
