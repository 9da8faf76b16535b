import { encodeId } from '../../message.ts';
import type { FailedEvent, SubscriptionStore, SubscriptionView } from '../subscription-port.ts';
import type { Database } from './database.ts';
import { codeOf, typeOf, typesOf } from './event-codes.ts';
import { createEventReader, type EventKey } from './event-reader.ts';
import { createFeedReader } from './feed-reader.ts';
import type { Ledger } from './ledger.ts';
import type { Notices } from './notices.ts';
import { createReplays } from './replays.ts';
import { createRetries } from './retries.ts';
import { kindOf, type SubscriptionRow, type SubscriptionRows } from './subscription-rows.ts';
import { createTurns } from './turns.ts';
import { createWebhookLog } from './webhook-log.ts';

/** Counting goes so far: more says nothing more. */
const COUNTED = 10_000;
const IDS_PER_MS = 1024;

interface Parts {
  readonly rows: SubscriptionRows;
  readonly ledger: Ledger;
  readonly notices: Pick<Notices, 'read'>;
}

/** Tells subscriptions of events, in SQLite. */
export function createSubscriptionStore(db: Database, { rows, ledger, notices }: Parts): SubscriptionStore {
  const feed = createFeedReader(db);
  const retries = createRetries(db);
  const log = createWebhookLog(db);
  const read = createEventReader(db, ledger, notices);
  const waitingOf = (row: SubscriptionRow): { id: number }[] =>
    db.select((query) =>
      query
        .selectFrom('feed')
        .select('id')
        .where('id', '>', row.cursor)
        .where((where) => where.or(typesOf(row.types).map((type) => where('type', '=', codeOf(type)))))
        .orderBy('id')
        .limit(COUNTED),
    );
  const countRetries = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('retry')
      .select((row) => [row.fn.count<number>('due_at').as('retrying'), row.fn.countAll<number>().as('total')])
      .where('subscription_id', '=', id),
  );
  const failed = db.prepare((query, p: { id: number; before: number; limit: number }) =>
    query
      .selectFrom('retry')
      .selectAll()
      .where('subscription_id', '=', p.id)
      .where('due_at', 'is', null)
      .where('event_id', '<', p.before)
      .orderBy('event_id', 'desc')
      .limit(p.limit),
  );

  function view(row: SubscriptionRow): SubscriptionView {
    const waiting = waitingOf(row);
    const { retrying = 0, total = 0 } = countRetries.get({ id: row.id }) ?? {};
    return {
      name: row.name,
      kind: kindOf(row),
      types: typesOf(row.types),
      state: row.paused_at === null ? 'active' : 'paused',
      reason: row.paused_at === null ? undefined : (row.pause_reason ?? undefined),
      createdAt: new Date(row.created_at),
      seenAt: new Date(row.seen_at),
      waiting: waiting.length,
      waitingSince: waiting[0] && new Date(Math.floor(waiting[0].id / IDS_PER_MS)),
      retrying,
      failed: total - retrying,
      succeededAt: dateOf(row.succeeded_at),
      failingSince: dateOf(row.failing_since),
      error: row.error ?? undefined,
    };
  }

  /** One damaged row does not hide the others. */
  function readable(key: EventKey) {
    try {
      return read(key);
    } catch {
      return undefined;
    }
  }

  return {
    declare: (spec, now) => db.write(() => rows.declare(spec, now)),
    ...createTurns(db, { rows, feed, retries, log, read }),
    list: async () => rows.all().map(view),
    pause: (name, reason, now) => db.write(() => rows.pause(rows.get(name).id, reason, now)),
    resume: (name) => db.write(() => rows.resume(rows.get(name).id)),
    async remove(name) {
      await db.write(() => rows.remove(rows.get(name)));
      while (await db.write(feed.clear));
    },
    async failures(name, { limit, after }) {
      const { id } = rows.get(name);
      const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number.parseInt(after, 36);
      const found = failed.all({ id, before: Number.isSafeInteger(before) ? before : 0, limit });
      const items = found.map(
        (row): FailedEvent => ({
          eventId: encodeId('evt', row.event_id),
          deliveryId: row.delivery_id === 0 ? undefined : encodeId('dlv', row.delivery_id),
          type: typeOf(row.type),
          event: readable({ id: row.event_id, delivery_id: row.delivery_id, type: row.type }),
          attempts: row.attempts,
          error: row.error ?? undefined,
          failedAt: new Date(row.at),
        }),
      );
      return { items, next: found.length === limit ? found.at(-1)?.event_id.toString(36) : undefined };
    },
    replay: createReplays(db, { rows, feed, retries }),
    attempts: async (name, query) => log.page(rows.get(name).id, query),
  };
}

function dateOf(time: number | null): Date | undefined {
  return time === null ? undefined : new Date(time);
}
