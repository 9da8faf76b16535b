import type { Selectable } from 'kysely';
import { RECIPIENT_KINDS } from '../../message.ts';
import type { StoredDelivery } from '../port.ts';
import { FLAGS, parseJson } from './ledger.ts';
import type { Tables } from './tables.ts';

/** A row of a delivery. */
export type DeliveryRow = Selectable<Tables['delivery']>;

/** Whether nobody knows if a server has taken it. */
export function doubtOf({ flags }: Pick<DeliveryRow, 'flags'>): { readonly inDoubt?: true } {
  return (flags & FLAGS.inDoubt) === 0 ? {} : { inDoubt: true };
}

/** A delivery out of its row. @throws MailRelayError `STORE_CORRUPT` */
export function readDelivery(row: DeliveryRow): StoredDelivery {
  const own = row.data === null ? {} : parseJson<Partial<StoredDelivery>>(row.data, `delivery ${row.id}`);
  return {
    id: row.id,
    messageId: row.message_id,
    address: row.recipient,
    name: own.name,
    kind: RECIPIENT_KINDS[row.kind] ?? 'to',
    data: own.data,
    rendered: own.rendered,
    locale: own.locale,
    tracking: own.tracking,
    acceptedAt: row.accepted_at,
    sentAt: row.sent_at ?? undefined,
  };
}
