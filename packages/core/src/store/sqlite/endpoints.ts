import { MailRelayError } from '../../errors.ts';
import type { EndpointStore } from '../endpoint-port.ts';
import type { SubscriptionStore } from '../subscription-port.ts';
import type { Database } from './database.ts';
import type { SubscriptionRows } from './subscription-rows.ts';

/** Each asks for events by itself, so there cannot be any number. */
const MOST = 100;

/** Endpoints in SQLite. */
export function createEndpointStore(
  db: Database,
  rows: SubscriptionRows,
  removeSubscription: SubscriptionStore['remove'],
): EndpointStore {
  const every = db.prepare((query) => query.selectFrom('endpoint').selectAll().orderBy('name'));
  const find = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('endpoint').select('sealed').where('name', '=', name),
  );
  const insert = db.prepare((query, p: { name: string; sealed: string; at: number }) =>
    query.insertInto('endpoint').values({ name: p.name, sealed: p.sealed, created_at: p.at }),
  );
  const update = db.prepare((query, p: { name: string; sealed: string }) =>
    query.updateTable('endpoint').set({ sealed: p.sealed }).where('name', '=', p.name),
  );

  function get(name: string): string {
    const row = find.get({ name });
    if (row !== undefined) return row.sealed;
    const reason = `no endpoint named ${name} was added`;
    throw new MailRelayError('SUBSCRIPTION_NOT_FOUND', { subscription: name, reason });
  }

  function refuse(option: string, reason: string): never {
    throw new MailRelayError('OPTIONS_INVALID', { option, reason });
  }

  return {
    all: () => every.all({}).map(({ name, sealed, created_at: createdAt }) => ({ name, sealed, createdAt })),
    add: ({ name, types, sealed, createdAt }) =>
      db.write(() => {
        if (find.get({ name }) !== undefined) refuse('name', `there is an endpoint ${name} already`);
        if (every.all({}).length >= MOST) refuse('webhooksOut', `there are ${MOST} endpoints already: remove one`);
        rows.declare({ name, kind: 'webhook', types }, createdAt);
        insert.run({ name, sealed, at: createdAt });
      }),
    change: (name, change) => db.write(() => void update.run({ name, sealed: change(get(name)) })),
    async remove(name) {
      get(name);
      await removeSubscription(name);
    },
  };
}
