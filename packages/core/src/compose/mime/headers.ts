import type { Mailbox } from '../../address.ts';
import type { Content, HeaderField } from '../../message.ts';

/** Bytes of one encoded word before base64: 60 characters of 75. */
const WORD_BYTES = 45;

/** Whether a text can stand in a header as it is. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(text);
}

/** What mail programs read of an importance (RFC 2156 section 5.3.6, and the two that came before it). */
const PRIORITIES: Readonly<Record<'high' | 'normal' | 'low', readonly HeaderField[]>> = {
  high: [
    ['X-Priority', '1 (Highest)'],
    ['X-MSMail-Priority', 'High'],
    ['Importance', 'High'],
  ],
  normal: [],
  low: [
    ['X-Priority', '5 (Lowest)'],
    ['X-MSMail-Priority', 'Low'],
    ['Importance', 'Low'],
  ],
};

/** Headers that are the same in all mails of a content. */
export function sharedHeaders({ headers, priority = 'normal' }: Pick<Content, 'headers' | 'priority'>): HeaderField[] {
  return [...headers, ...PRIORITIES[priority]];
}

/** A list of mailboxes (RFC 5322 section 3.4), one on each line. */
export function mailboxes(list: readonly Mailbox[]): string {
  return list
    .map(({ name, address }) => (name === undefined || name === '' ? address : `${phrase(name)} <${address}>`))
    .join(',\r\n ');
}

function phrase(name: string): string {
  if (!isAscii(name) || name.includes('=?')) return encodeWords(name);
  return /^[\w !#$%&'*+/=?^`{|}~-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 2047: encoded words of at most 75 characters, never splitting a character; text that needs none stays. */
export function encodeWords(text: string): string {
  if (isAscii(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  words.push(word);
  return words.map((one) => `=?UTF-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}
