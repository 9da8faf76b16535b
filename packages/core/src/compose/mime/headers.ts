import type { Mailbox } from '../../address.ts';

/** Bytes of one encoded word before base64: 60 characters of 75. */
const WORD_BYTES = 45;

/** Whether a text can stand in a header as it is. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(text);
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
