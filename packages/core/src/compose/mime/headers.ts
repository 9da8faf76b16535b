import type { Mailbox } from '../../address.ts';
import type { HeaderField } from '../../message.ts';

/** Bytes of one encoded word before base64: 60 characters of 75. */
const WORD_BYTES = 45;
/** Longest value that needs no folding: with its name it stays below 998 octets (RFC 5322 section 2.1.1). */
const MAX_VALUE = 900;
/** Where longer values are folded. */
const LINE = 76;

/** Whether a text can stand in a header as it is. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(text);
}

/** Header fields, each with its line end; encoded and folded where they need it. */
export function fields(list: readonly HeaderField[]): string {
  return list.map(([name, value]) => `${name}: ${isShort(value) ? value : fold(name, encodeText(value))}\r\n`).join('');
}

function isShort(value: string): boolean {
  return value.length <= MAX_VALUE && isAscii(value);
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

/** RFC 2047: encoded words of at most 75 characters, never splitting a character; a short text that needs none stays. */
export function encodeWords(text: string): string {
  return isShort(text) && !text.includes('=?') ? text : encodedWords(text).join('\r\n ');
}

function encodedWords(text: string): string[] {
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
  return words.map((one) => `=?UTF-8?B?${Buffer.from(one).toString('base64')}?=`);
}

/** Encodes the words that need it, so that addresses and identifiers beside them stay; parentheses around them are comments. */
function encodeText(value: string): string {
  let out = '';
  let run = '';
  const flush = (): void => {
    const [, open = '', text = '', close = ''] = /^(\(*)(.*?)(\)*)$/s.exec(run) ?? [];
    if (run !== '') out += open + encodedWords(text).join(' ') + close;
    run = '';
  };
  for (const [, space = '', word = ''] of value.matchAll(/([ \t]*)([^ \t]*)/g)) {
    const encoded = !isAscii(word);
    if (encoded && run !== '') run += space + word;
    else {
      flush();
      out += space;
      if (encoded) run = word;
      else out += word;
    }
  }
  flush();
  return out;
}

function fold(name: string, value: string): string {
  let out = '';
  let line = name.length + 2;
  for (const [word] of value.matchAll(/[ \t]*[^ \t]+/g)) {
    if (out !== '' && line + word.length > LINE) {
      out += '\r\n';
      line = 0;
    }
    out += word;
    line += word.length;
  }
  return out;
}
