import { domainOf } from '../address.ts';
import type { Content } from '../message.ts';
import type { Tokens } from '../token.ts';

/**
 * The Message-ID (RFC 5322 section 3.6.4) of a mail. It follows from its numbers, so that each attempt has the same; all
 * recipients of one message share it, and each mail of `sendMany()` has its own.
 */
export function messageIdOf(mail: {
  readonly content: Pick<Content, 'messageId' | 'individually' | 'from'>;
  readonly messageId: number;
  readonly deliveryId: number;
  readonly tokens: Pick<Tokens, 'mac'>;
}): string {
  const { content, tokens } = mail;
  if (content.messageId !== undefined) return content.messageId;
  const number = (content.individually ? mail.deliveryId : mail.messageId).toString(36);
  return `<${number}.${tokens.mac(`message-id ${number}`).slice(0, 8)}@${domainOf(content.from.address)}>`;
}
