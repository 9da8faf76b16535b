import { sql } from 'kysely';
import { decodeId } from '../../message.ts';
import type { EventResult } from '../subscription-port.ts';
import type { Database } from './database.ts';
import { codeOf } from './event-codes.ts';
import type { EventKey } from './event-reader.ts';

/** Times further ahead than this were written by a clock that was set back since, ms: no wait is longer. */
const LONGEST_WAIT_MS = 2 * 86_400_000;

/** An event that is handled out of turn. */
export interface DueEvent extends EventKey {
  readonly attempts: number;
}

/** Events that are handled out of turn, or were given up. Inside of `write`, but for what only reads. */
export interface Retries {
  due(subscription: number, now: number, limit: number): DueEvent[];
  /** Takes an event into a hand: a process that ends in the middle has had its attempt. */
  take(subscription: number, event: DueEvent, now: number, holdMs: number): void;
  /** When the next one is due that waits for no other. */
  nextDueAt(subscription: number): number | undefined;
  /** Whether an event of a delivery waits for another attempt. */
  holdsUp(subscription: number, deliveryId: number): boolean;
  put(
    subscription: number,
    event: EventKey,
    row: { attempts: number; dueAt: number | null; at: number; error: string | null },
  ): void;
  settle(subscription: number, result: EventResult, now: number): void;
}

/** Events of one delivery are handled in their order. */
const FIRST_OF_DELIVERY = sql<boolean>`not exists (
  select 1 from retry as earlier
  where earlier.subscription_id = retry.subscription_id and earlier.delivery_id = retry.delivery_id
    and earlier.event_id < retry.event_id and earlier.due_at is not null
)`;

/** Retries in SQLite. */
export function createRetries(db: Database): Retries {
  const findDue = db.prepare((query, p: { subscription: number; now: number; ahead: number; limit: number }) =>
    query
      .selectFrom('retry')
      .select(['event_id as id', 'delivery_id', 'type', 'attempts'])
      .where('subscription_id', '=', p.subscription)
      .where('due_at', 'is not', null)
      .where((row) => row.or([row('due_at', '<=', p.now), row('due_at', '>', p.ahead)]))
      .where(FIRST_OF_DELIVERY)
      .orderBy('event_id')
      .limit(p.limit),
  );
  const hold = db.prepare((query, p: { subscription: number; id: number; until: number; now: number }) =>
    query
      .updateTable('retry')
      .set((row) => ({ attempts: row('attempts', '+', 1), due_at: p.until, at: p.now }))
      .where('subscription_id', '=', p.subscription)
      .where('event_id', '=', p.id),
  );
  const firstDue = db.prepare((query, { subscription }: { subscription: number }) =>
    query
      .selectFrom('retry')
      .select('due_at')
      .where('subscription_id', '=', subscription)
      .where('due_at', 'is not', null)
      .where(FIRST_OF_DELIVERY)
      .orderBy('due_at')
      .limit(1),
  );
  const findWaiting = db.prepare((query, p: { subscription: number; delivery: number }) =>
    query
      .selectFrom('retry')
      .select('event_id')
      .where('subscription_id', '=', p.subscription)
      .where('delivery_id', '=', p.delivery)
      .where('due_at', 'is not', null)
      .limit(1),
  );
  const upsert = db.prepare(
    (
      query,
      p: {
        subscription: number;
        id: number;
        delivery: number;
        type: number;
        attempts: number;
        dueAt: number | null;
        at: number;
        error: string | null;
      },
    ) =>
      query
        .insertInto('retry')
        .values({
          subscription_id: p.subscription,
          event_id: p.id,
          delivery_id: p.delivery,
          type: p.type,
          attempts: p.attempts,
          due_at: p.dueAt,
          at: p.at,
          error: p.error,
        })
        .onConflict((conflict) =>
          conflict.columns(['subscription_id', 'event_id']).doUpdateSet((row) => ({
            attempts: row.ref('excluded.attempts'),
            due_at: row.ref('excluded.due_at'),
            at: row.ref('excluded.at'),
            error: row.ref('excluded.error'),
          })),
        ),
  );
  const drop = db.prepare((query, p: { subscription: number; id: number }) =>
    query.deleteFrom('retry').where('subscription_id', '=', p.subscription).where('event_id', '=', p.id),
  );

  const put: Retries['put'] = (subscription, { id, delivery_id: delivery, type }, row) =>
    void upsert.run({ subscription, id, delivery, type, ...row });

  return {
    due: (subscription, now, limit) => findDue.all({ subscription, now, ahead: now + LONGEST_WAIT_MS, limit }),
    take: (subscription, { id }, now, holdMs) => void hold.run({ subscription, id, until: now + holdMs, now }),
    nextDueAt: (subscription) => firstDue.get({ subscription })?.due_at ?? undefined,
    holdsUp: (subscription, delivery) => findWaiting.get({ subscription, delivery }) !== undefined,
    put,
    settle(subscription, { id: text, deliveryId, type, again, attempt, outcome }, now) {
      const id = decodeId('evt', text) ?? 0;
      const event = { id, delivery_id: decodeId('dlv', deliveryId ?? '') ?? 0, type: codeOf(type) };
      if (outcome.type === 'done') {
        if (again) drop.run({ subscription, id });
      } else if (outcome.type === 'behind') {
        put(subscription, event, { attempts: again ? attempt - 1 : 0, dueAt: now, at: now, error: null });
      } else {
        const { error } = outcome;
        const dueAt = outcome.type === 'retry' ? outcome.dueAt : null;
        put(subscription, event, { attempts: attempt, dueAt, at: now, error });
      }
    },
  };
}
