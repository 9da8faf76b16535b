import { type AddressInput, type Mailbox, parseMailboxes } from '../address.ts';
import { MailRelayError } from '../errors.ts';
import type { Content, RecipientKind, SubmittedRecipient } from '../message.ts';
import type { SendMessage } from './input.ts';

/** Recipients of one message, each address once: To wins over Cc, Cc over Bcc. */
export function recipientsOf(
  message: SendMessage,
  content: Content,
  maxRecipients: number,
): Omit<SubmittedRecipient, 'data' | 'rendered'>[] {
  const bcc = parseMailboxes(message.bcc as AddressInput[] | undefined, 'bcc');
  const groups: readonly (readonly [RecipientKind, readonly Mailbox[]])[] = [
    ['to', content.to],
    ['cc', content.cc],
    ['bcc', bcc],
  ];
  const seen = new Map<string, Omit<SubmittedRecipient, 'data' | 'rendered'>>();
  for (const [kind, mailboxes] of groups) {
    for (const { address, name } of mailboxes) {
      const key = address.toLowerCase();
      if (!seen.has(key))
        seen.set(key, { address, name, kind, locale: undefined, tracking: undefined, metadata: undefined });
    }
  }
  if (seen.size === 0)
    throw new MailRelayError('RECIPIENT_MISSING', { reason: 'give at least one address in to, cc or bcc' });
  if (seen.size > maxRecipients) {
    throw new MailRelayError('MESSAGE_INVALID', {
      reason: `it has ${seen.size} recipients, allowed are ${maxRecipients} (\`limits.maxRecipients\`); use sendMany()`,
    });
  }
  return [...seen.values()];
}
