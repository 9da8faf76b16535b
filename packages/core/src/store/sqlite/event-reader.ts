import { EVENT_TYPES, type MessageEvent } from '../../events.ts';
import type { Database } from './database.ts';
import type { Ledger } from './ledger.ts';

const ACCEPTED = EVENT_TYPES.indexOf('accepted');

/** Which event, as the feed knows it. */
export interface EventKey {
  readonly id: number;
  readonly delivery_id: number;
  readonly type: number;
}

/** Reads single events; undefined where the delivery is gone. Throws `STORE_CORRUPT`. */
export function createEventReader(db: Database, ledger: Ledger): (key: EventKey) => MessageEvent | undefined {
  const findEvent = db.prepare((query, p: { id: number; delivery: number }) =>
    query.selectFrom('event').selectAll().where('delivery_id', '=', p.delivery).where('id', '=', p.id),
  );
  const findDelivery = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select(['message_id', 'recipient', 'accepted_at']).where('id', '=', id),
  );
  return ({ id, delivery_id, type }) => {
    const delivery = findDelivery.get({ id: delivery_id });
    const facts = delivery && ledger.message(delivery.message_id);
    if (delivery === undefined || facts === undefined) return undefined;
    // Every delivery was accepted, so that event is not stored.
    const row =
      type === ACCEPTED
        ? { id, delivery_id, type, at: delivery.accepted_at, detail: null }
        : findEvent.get({ id, delivery: delivery_id });
    return row && ledger.read(row, delivery.recipient, facts);
  };
}
