import type { Selectable } from 'kysely';
import { MailRelayError } from '../../errors.ts';
import { SUBSCRIPTION_KINDS, type SubscriptionKind, type SubscriptionSpec } from '../subscription-port.ts';
import type { Database } from './database.ts';
import { bitsOf } from './event-codes.ts';
import type { Tables } from './tables.ts';

/** A subscription in the database. */
export type SubscriptionRow = Selectable<Tables['subscription']>;

/** Subscriptions by name. Changes inside of `write`. */
export interface SubscriptionRows {
  find(name: string): SubscriptionRow | undefined;
  /** @throws MailRelayError `SUBSCRIPTION_NOT_FOUND` */
  get(name: string): SubscriptionRow;
  all(): SubscriptionRow[];
  /** @throws MailRelayError `OPTIONS_INVALID` where the name is taken by the other kind */
  declare(spec: SubscriptionSpec, now: number): void;
  pause(id: number, reason: string | undefined, now: number): void;
  /** What failed before counts no more. */
  resume(id: number): void;
  /** With the endpoint of its name, if it is one that was added. */
  remove(row: Pick<SubscriptionRow, 'id' | 'name'>): void;
}

/** Subscriptions in SQLite. */
export function createSubscriptionRows(db: Database): SubscriptionRows {
  const byName = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('subscription').selectAll().where('name', '=', name),
  );
  const every = db.prepare((query) => query.selectFrom('subscription').selectAll().orderBy('name'));
  const insert = db.prepare((query, p: { name: string; kind: number; types: number; cursor: number; now: number }) =>
    query.insertInto('subscription').values({
      name: p.name,
      kind: p.kind,
      types: p.types,
      cursor: p.cursor,
      created_at: p.now,
      seen_at: p.now,
    }),
  );
  const update = db.prepare((query, p: { id: number; types: number; now: number }) =>
    query.updateTable('subscription').set({ types: p.types, seen_at: p.now }).where('id', '=', p.id),
  );
  const setPaused = db.prepare((query, p: { id: number; at: number; reason: string | null }) =>
    query.updateTable('subscription').set({ paused_at: p.at, pause_reason: p.reason }).where('id', '=', p.id),
  );
  const setActive = db.prepare((query, { id }: { id: number }) =>
    query
      .updateTable('subscription')
      .set({ paused_at: null, pause_reason: null, failing_since: null })
      .where('id', '=', id),
  );
  const removeRow = db.prepare((query, { id }: { id: number }) =>
    query.deleteFrom('subscription').where('id', '=', id),
  );
  const removeRetries = db.prepare((query, { id }: { id: number }) =>
    query.deleteFrom('retry').where('subscription_id', '=', id),
  );
  const removeAttempts = db.prepare((query, { id }: { id: number }) =>
    query.deleteFrom('webhook_attempt').where('subscription_id', '=', id),
  );

  const removeEndpoint = db.prepare((query, { name }: { name: string }) =>
    query.deleteFrom('endpoint').where('name', '=', name),
  );

  /** What goes into the feed is what at least one subscription wants. */
  function wantAll(): void {
    db.want(every.all({}).reduce((bits, { types }) => bits | types, 0));
  }

  return {
    find: (name) => byName.get({ name }),
    get(name) {
      const row = byName.get({ name });
      if (row === undefined)
        throw new MailRelayError('SUBSCRIPTION_NOT_FOUND', {
          subscription: name,
          reason: `there is none named ${name}`,
        });
      return row;
    },
    all: () => every.all({}),
    declare({ name, kind, types }, now) {
      const known = byName.get({ name });
      const bits = bitsOf(types);
      if (known === undefined)
        insert.run({ name, kind: SUBSCRIPTION_KINDS.indexOf(kind), types: bits, cursor: db.nextId(now), now });
      else if (kindOf(known) !== kind)
        throw new MailRelayError('OPTIONS_INVALID', {
          option: 'name',
          reason: `the subscription ${name} is a ${kindOf(known)} already: take another name, or remove it`,
        });
      else update.run({ id: known.id, types: bits, now });
      wantAll();
    },
    pause: (id, reason, at) => void setPaused.run({ id, at, reason: reason ?? null }),
    resume: (id) => void setActive.run({ id }),
    remove({ id, name }) {
      removeEndpoint.run({ name });
      removeRetries.run({ id });
      removeAttempts.run({ id });
      removeRow.run({ id });
      wantAll();
    },
  };
}

/** Kind of a subscription. */
export function kindOf(row: SubscriptionRow): SubscriptionKind {
  return SUBSCRIPTION_KINDS[row.kind] ?? 'handler';
}
