import { EVENT_TYPES, type SubscribedEvent } from '../../events.ts';
import type { Database } from './database.ts';
import { NOTICE_CODES } from './event-codes.ts';
import type { Ledger } from './ledger.ts';
import type { Notices } from './notices.ts';

const ACCEPTED = EVENT_TYPES.indexOf('accepted');

/** Which event, as the feed knows it. */
export interface EventKey {
  readonly id: number;
  readonly delivery_id: number;
  readonly type: number;
}

/** Reads single events; undefined where the delivery is gone. Throws `STORE_CORRUPT`. */
export function createEventReader(
  db: Database,
  ledger: Ledger,
  notices: Pick<Notices, 'read'>,
): (key: EventKey) => SubscribedEvent | undefined {
  const findEvent = db.prepare((query, p: { id: number; delivery: number }) =>
    query.selectFrom('event').selectAll().where('delivery_id', '=', p.delivery).where('id', '=', p.id),
  );
  const findDelivery = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select(['message_id', 'recipient', 'accepted_at']).where('id', '=', id),
  );
  return ({ id, delivery_id, type }) => {
    if (NOTICE_CODES[type] !== undefined) return notices.read(id);
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
