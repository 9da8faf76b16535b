import { domainOf } from '../address.ts';
import type { Content } from '../message.ts';
import type { Tokens } from '../token.ts';

/** Names mails. */
export type MessageIdOf = (mail: {
  readonly content: Pick<Content, 'messageId' | 'individually' | 'from'>;
  readonly messageId: number;
  readonly deliveryId: number;
}) => string;

/**
 * The Message-ID (RFC 5322 section 3.6.4) of a mail. It follows from its numbers, so that each attempt has the same; all
 * recipients of one message share it, and each mail of `sendMany()` has its own. Each number has a signature of its own: who
 * got one mail must not be able to name the next one, and send a bounce of it.
 */
export function createMessageIds(tokens: Pick<Tokens, 'mark'>): MessageIdOf {
  return ({ content, messageId, deliveryId }) => {
    if (content.messageId !== undefined) return content.messageId;
    const number = content.individually ? deliveryId : messageId;
    const mark = tokens.mark(content.individually ? 'delivery' : 'message', number);
    return `<${number.toString(36)}.${mark}@${domainOf(content.from.address)}>`;
  };
}
