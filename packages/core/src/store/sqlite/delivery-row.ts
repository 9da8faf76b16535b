import { type RawBuilder, type Selectable, sql } from 'kysely';
import { RECIPIENT_KINDS, transition } from '../../message.ts';
import type { StoredDelivery } from '../port.ts';
import { FLAGS, parseJson, stateCode } from './ledger.ts';
import type { Tables } from './tables.ts';

/** A row of a delivery. */
export type DeliveryRow = Selectable<Tables['delivery']>;

/** The state of what goes back untried: a mail in doubt was tried before, and waits for another attempt. */
export const AFTER_RETURN: RawBuilder<number> = sql<number>`case
  when flags & ${FLAGS.inDoubt} then ${stateCode(transition('sending', 'defer') ?? 'deferred')}
  else ${stateCode(transition('sending', 'release-lease') ?? 'queued')} end`;

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
