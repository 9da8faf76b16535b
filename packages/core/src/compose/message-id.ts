import { domainOf } from '../address.ts';
import type { Content } from '../message.ts';
import type { Tokens } from '../token.ts';

/** Names mails. */
export type MessageIdOf = (mail: {
  readonly content: Pick<Content, 'messageId' | 'individually' | 'from'>;
  readonly messageId: number;
  readonly deliveryId: number;
}) => string;

const CACHED = 1000;

/**
 * The Message-ID (RFC 5322 section 3.6.4) of a mail. It follows from its numbers, so that each attempt has the same; all
 * recipients of one message share it, and each mail of `sendMany()` has its own.
 */
export function createMessageIds(tokens: Pick<Tokens, 'mac'>): MessageIdOf {
  // One signature per message, not per mail: the number of the delivery tells the mails apart.
  const marks = new Map<number, string>();
  const markOf = (messageId: number): string => {
    const mark = marks.get(messageId) ?? tokens.mac(`message-id ${messageId}`).slice(0, 8);
    if (marks.size >= CACHED) marks.clear();
    marks.set(messageId, mark);
    return mark;
  };
  return ({ content, messageId, deliveryId }) => {
    if (content.messageId !== undefined) return content.messageId;
    const number = (content.individually ? deliveryId : messageId).toString(36);
    return `<${number}.${markOf(messageId)}@${domainOf(content.from.address)}>`;
  };
}
