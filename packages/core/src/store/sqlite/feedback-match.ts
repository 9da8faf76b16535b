import { parseDomain } from '../../address.ts';
import { EVENT_TYPES, type FoundBy } from '../../events.ts';
import type { FeedbackEvent } from '../../feedback/port.ts';
import { decodeId } from '../../message.ts';
import { MAIL_SOURCES } from '../../suppression-policy.ts';
import type { Database } from './database.ts';
import type { MessageIdOf } from './intake.ts';
import type { Ledger } from './ledger.ts';

/** A delivery that feedback is about. */
export interface Match {
  readonly id: number;
  readonly foundBy: FoundBy;
  /** It was named by something that only who got the message can know: a signed token, or a Message-ID of ours. */
  readonly isSecret: boolean;
}

/** Deliveries to one address that are looked through, the latest ones. */
const LOOKED_AT = 50;
/** Servers keep trying for five days; a week is enough for what they say afterwards. */
const ANSWERED_WITHIN_MS = 7 * 86_400_000;
/** How far clocks may be apart, ms. */
const CLOCK_SLACK_MS = 3_600_000;
const SENT = EVENT_TYPES.indexOf('sent');
/** Message-IDs as relays make them: a number and its mark. */
const OF_A_RELAY = /^[0-9a-z]{1,11}\.[\w-]{8}@/;
/** These give mails a Message-ID of their own. */
const RENAMES =
  /@(?:.+\.)?(?:amazonses\.com|sendgrid\.net|mailgun\.\w+|sendinblue\.com|brevo\.com|mailin\.fr|tipimail\.com)$/i;

/** Finds the delivery that feedback is about, by what is surest first. */
export function createMatch(
  db: Database,
  ledger: Ledger,
  messageIdOf: MessageIdOf,
): (event: FeedbackEvent) => Match | undefined {
  const find = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select(['id', 'message_id']).where('id', '=', id),
  );
  const ofMessage = db.prepare((query, { messageId }: { messageId: number }) =>
    query.selectFrom('delivery').select(['id', 'message_id']).where('message_id', '=', messageId).limit(2),
  );
  const toRecipient = db.prepare((query, p: { recipient: string; messageId: number }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'message_id'])
      .where('recipient', '=', p.recipient)
      .where('message_id', '=', p.messageId),
  );
  const recent = db.prepare((query, { recipient }: { recipient: string }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'message_id', 'sent_at'])
      .where('recipient', '=', recipient)
      .orderBy('message_id', 'desc')
      .limit(LOOKED_AT),
  );
  const sentEvents = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('event').select('detail').where('delivery_id', '=', id).where('type', '=', SENT).limit(5),
  );

  function named(row: { readonly id: number; readonly message_id: number }): string | undefined {
    try {
      const content = ledger.message(row.message_id)?.content;
      return content && messageIdOf({ content, messageId: row.message_id, deliveryId: row.id });
    } catch {
      return undefined;
    }
  }

  /** Whether the mail has a Message-ID that no other recipient of the message has. */
  function isItsOwn({ message_id: messageId }: { readonly message_id: number }): boolean {
    try {
      return ledger.message(messageId)?.content.individually === true;
    } catch {
      return false;
    }
  }

  /** Our Message-IDs begin with the number of the delivery, or of the message that several recipients share. */
  function byMessageId(messageId: string, recipients: readonly string[]): Match | undefined {
    const number = Number.parseInt(OF_A_RELAY.test(messageId) ? messageId : '', 36);
    if (!Number.isSafeInteger(number)) return undefined;
    const own = find.get({ id: number });
    if (own !== undefined && isItsOwn(own) && named(own) === `<${messageId}>`)
      return { id: own.id, foundBy: 'message-id', isSecret: true };
    const all = ofMessage.all({ messageId: number });
    if (all[0] === undefined || named(all[0]) !== `<${messageId}>`) return undefined;
    // Who forwards mail bounces it from another address; of one recipient it is clear whose mail it was.
    if (all.length === 1) return { id: all[0].id, foundBy: 'message-id', isSecret: true };
    const id = recipients.flatMap((recipient) => toRecipient.get({ recipient, messageId: number })?.id ?? [])[0];
    // Who got the same message knows it, too: only tokens tell them apart.
    return id === undefined ? undefined : { id, foundBy: 'message-id', isSecret: true };
  }

  function providerIds(id: number): string[] {
    return sentEvents.all({ id }).flatMap(({ detail }) => {
      const providerId = detail === null ? undefined : (JSON.parse(detail) as { i?: unknown }).i;
      return typeof providerId === 'string' ? [bare(providerId)] : [];
    });
  }

  return ({ deliveryId, unsignedId, messageId, providerId, recipient: address, originalRecipient, at, source }) => {
    const number = deliveryId === undefined ? undefined : decodeId('dlv', deliveryId);
    if (number !== undefined && find.get({ id: number }) !== undefined)
      return { id: number, foundBy: 'id', isSecret: true };
    const recipients = [originalRecipient, address].flatMap((one) => asSent(one?.trim()) || []);
    const name = messageId === undefined ? undefined : bare(messageId);
    const ours = name && byMessageId(name, recipients);
    if (ours) return ours;
    const rows = [...new Set(recipients)].flatMap((recipient) => recent.all({ recipient }));
    const chosen = name && rows.find((row) => named(row) === `<${name}>`);
    // An id that the host wrote may be one that can be guessed.
    if (chosen) return { id: chosen.id, foundBy: 'message-id', isSecret: false };
    const names = [providerId && bare(providerId), name, name?.split('@')[0]].filter((one) => one);
    const known =
      names.length === 0 ? undefined : rows.find(({ id }) => providerIds(id).some((one) => names.includes(one)));
    if (known !== undefined) return { id: known.id, foundBy: 'provider-id', isSecret: false };
    const claimed = unsignedId === undefined ? undefined : decodeId('dlv', unsignedId);
    if (claimed !== undefined && rows.some(({ id }) => id === claimed))
      return { id: claimed, foundBy: 'unsigned-id', isSecret: false };
    // A mail that says which one it is about, and means none of ours, is about somebody else's.
    if (name && MAIL_SOURCES.includes(source) && !RENAMES.test(name)) return undefined;
    // A provider tells of all mail of an account: this is of another relay, such as that of a trial environment.
    if (number !== undefined || (name !== undefined && OF_A_RELAY.test(name))) return undefined;
    const latest = rows
      .filter(
        ({ sent_at: sentAt }) => sentAt !== null && sentAt <= at + CLOCK_SLACK_MS && sentAt >= at - ANSWERED_WITHIN_MS,
      )
      .sort((a, b) => (b.sent_at ?? 0) - (a.sent_at ?? 0))
      // One that the provider knows by another id is another mail.
      .find(({ id }) => names.length === 0 || providerIds(id).length === 0);
    return latest && { id: latest.id, foundBy: 'recipient', isSecret: false };
  };
}

/** An address as mails are sent to it: the domain in ASCII, which others tell as it is read. */
function asSent(address: string | undefined): string | undefined {
  const at = address?.lastIndexOf('@') ?? -1;
  const domain = at < 1 ? undefined : parseDomain(address?.slice(at + 1) ?? '');
  return domain === undefined ? address : `${address?.slice(0, at)}@${domain}`;
}

function bare(id: string): string {
  return id.trim().replace(/^<|>$/g, '');
}
