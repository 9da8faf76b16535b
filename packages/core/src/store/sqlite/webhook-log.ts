import { decodeId, encodeId } from '../../message.ts';
import type { Page } from '../port.ts';
import type { EventResult, PageQuery, WebhookAttempt } from '../subscription-port.ts';
import { type Database, idAt } from './database.ts';
import { codeOf, typeOf } from './event-codes.ts';

/** What an endpoint answered is kept for so long, ms, and so many for each. */
const KEPT_MS = 30 * 86_400_000;
const MOST = 100_000;
const SWEPT = 20;

/** What endpoints answered. */
export interface WebhookLog {
  /** Inside of `write`. */
  note(subscription: number, result: EventResult, now: number): void;
  page(subscription: number, query: PageQuery): Page<WebhookAttempt>;
}

/** The log in SQLite. */
export function createWebhookLog(db: Database): WebhookLog {
  const insert = db.prepare(
    (
      query,
      p: {
        subscription: number;
        id: number;
        event: number;
        type: number;
        attempt: number;
        at: number;
        status: number | null;
        ms: number;
        error: string | null;
      },
    ) =>
      query.insertInto('webhook_attempt').values({
        subscription_id: p.subscription,
        id: p.id,
        event_id: p.event,
        type: p.type,
        attempt: p.attempt,
        at: p.at,
        status: p.status,
        ms: p.ms,
        error: p.error,
      }),
  );
  const drop = db.prepare((query, p: { subscription: number; before: number; limit: number }) =>
    query
      .deleteFrom('webhook_attempt')
      .where('subscription_id', '=', p.subscription)
      .where('id', 'in', (old) =>
        old
          .selectFrom('webhook_attempt')
          .select('id')
          .where('subscription_id', '=', p.subscription)
          .where('id', '<', p.before)
          .orderBy('id')
          .limit(p.limit),
      ),
  );
  const overflow = db.prepare((query, { subscription }: { subscription: number }) =>
    query
      .selectFrom('webhook_attempt')
      .select('id')
      .where('subscription_id', '=', subscription)
      .orderBy('id', 'desc')
      .limit(1)
      .offset(MOST),
  );
  const find = db.prepare((query, p: { subscription: number; before: number; limit: number }) =>
    query
      .selectFrom('webhook_attempt')
      .selectAll()
      .where('subscription_id', '=', p.subscription)
      .where('id', '<', p.before)
      .orderBy('id', 'desc')
      .limit(p.limit),
  );
  /** Counting is dear: only now and then. */
  let sinceCounted = 0;

  return {
    note(subscription, { id: event, type, attempt, outcome, request }, now) {
      insert.run({
        subscription,
        id: db.nextId(now),
        event: decodeId('evt', event) ?? 0,
        type: codeOf(type),
        attempt,
        at: now,
        status: request?.status ?? null,
        ms: Math.round(request?.ms ?? 0),
        error: 'error' in outcome ? outcome.error : null,
      });
      sinceCounted += 1;
      const last = sinceCounted >= 1000 ? overflow.get({ subscription }) : undefined;
      if (sinceCounted >= 1000) sinceCounted = 0;
      if (last !== undefined) drop.run({ subscription, before: last.id + 1, limit: MOST });
      else drop.run({ subscription, before: idAt(now - KEPT_MS), limit: SWEPT });
    },
    page(subscription, { limit, after }) {
      const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number.parseInt(after, 36);
      const rows = find.all({ subscription, before: Number.isSafeInteger(before) ? before : 0, limit });
      return {
        items: rows.map((row) => ({
          id: row.id.toString(36),
          at: new Date(row.at),
          eventId: encodeId('evt', row.event_id),
          type: typeOf(row.type),
          attempt: row.attempt,
          status: row.status ?? undefined,
          ms: row.ms,
          error: row.error ?? undefined,
        })),
        next: rows.length === limit ? rows.at(-1)?.id.toString(36) : undefined,
      };
    },
  };
}
