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
/** So many numbers share a signature: those of a second. A number tells mails apart, the signature keeps others from guessing. */
const BLOCK = 1_048_576;

/**
 * The Message-ID (RFC 5322 section 3.6.4) of a mail. It follows from its numbers, so that each attempt has the same; all
 * recipients of one message share it, and each mail of `sendMany()` has its own.
 */
export function createMessageIds(tokens: Pick<Tokens, 'mac'>): MessageIdOf {
  const marks = new Map<number, string>();
  const markOf = (messageId: number): string => {
    const block = Math.floor(messageId / BLOCK);
    const known = marks.get(block);
    if (known !== undefined) return known;
    const mark = tokens.mac(`message-id ${block}`).slice(0, 8);
    if (marks.size >= CACHED) marks.clear();
    marks.set(block, mark);
    return mark;
  };
  return ({ content, messageId, deliveryId }) => {
    if (content.messageId !== undefined) return content.messageId;
    const number = (content.individually ? deliveryId : messageId).toString(36);
    return `<${number}.${markOf(messageId)}@${domainOf(content.from.address)}>`;
  };
}
