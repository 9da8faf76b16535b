import { MailRelayError } from '../errors.ts';
import type { HeaderField } from '../message.ts';
import type { HeadersInput, ListValue } from './input.ts';

// Headers that the relay writes itself, and the field to use instead.
const OWN: Readonly<Record<string, string>> = {
  from: 'from',
  sender: 'sender',
  to: 'to',
  cc: 'cc',
  bcc: 'bcc',
  'reply-to': 'replyTo',
  subject: 'subject',
  date: 'date',
  'message-id': 'messageId',
  'in-reply-to': 'inReplyTo',
  references: 'references',
  'mime-version': 'text and html',
  'content-type': 'text and html',
  'content-transfer-encoding': 'text and html',
  'content-disposition': 'attachments',
  'list-unsubscribe-post': 'stream: broadcast',
};

/** Lines end between words, and have at most 998 octets (RFC 5322 section 2.1.1). */
export const MAX_WORD = 900;
/** Most header fields of the host, beside those that the relay writes. */
const MAX_HEADERS = 100;
/** Most that they have together, bytes: what the strictest of the usual servers take. */
export const MAX_HEADER_BYTES = 32_768;

/**
 * Reads `headers` (RFC 5322 section 2.2).
 *
 * @throws MailRelayError `HEADER_INVALID` for a name that is none, one that the relay writes itself, or a value with a
 * line break (header injection) or a control character.
 */
export function readHeaders(input: HeadersInput | undefined): HeaderField[] {
  if (input === undefined) return [];
  const pairs: [string, unknown][] = Array.isArray(input)
    ? (input as readonly { key: string; value: string }[]).map(({ key, value }) => [key, value])
    : Object.entries(input).flatMap(([name, value]) =>
        (Array.isArray(value) ? (value as unknown[]) : [value]).map((one): [string, unknown] => [name, one]),
      );
  return pairs.map(([name, value]) => header(name, value));
}

function header(name: string, value: unknown): HeaderField {
  const refuse = (reason: string): never => {
    throw new MailRelayError('HEADER_INVALID', { header: name, reason });
  };
  if (!/^[\x21-\x39\x3b-\x7e]{1,76}$/.test(name))
    return refuse('a header name is 1 to 76 visible ASCII characters without a colon');
  const own = Object.hasOwn(OWN, name.toLowerCase()) ? OWN[name.toLowerCase()] : undefined;
  if (own !== undefined) return refuse(`${name} is written by the relay: use the field ${own}`);
  const text = headerText(value, name);
  if ((text.match(/[ \t]*[^ \t]+/g) ?? []).some((word) => word.length > MAX_WORD))
    return refuse(`${name} has more than ${MAX_WORD} characters without a space, where no line can end`);
  return [name, text];
}

/** @throws MailRelayError `HEADER_INVALID` for more than 100 headers, or more than 32,768 bytes of them */
export function bounded(headers: HeaderField[]): HeaderField[] {
  const refuse = (reason: string): never => {
    throw new MailRelayError('HEADER_INVALID', { field: 'headers', reason });
  };
  if (headers.length > MAX_HEADERS) refuse(`there are ${headers.length} headers, allowed are ${MAX_HEADERS}`);
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value), 0);
  if (bytes > MAX_HEADER_BYTES) refuse(`the headers have ${bytes} bytes together, allowed are ${MAX_HEADER_BYTES}`);
  return headers;
}

/** A header value without line breaks. */
export function headerText(value: unknown, field: string): string {
  const text = typeof value === 'number' ? String(value) : value;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (typeof text !== 'string' || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) {
    throw new MailRelayError('HEADER_INVALID', {
      header: field,
      reason: `${field} must be text without line breaks and control characters`,
    });
  }
  return text;
}

/** nodemailer's `list` as `List-*` headers (RFC 2369, RFC 2919). */
export function listHeaders(
  list: Readonly<Record<string, ListValue | readonly (ListValue | readonly ListValue[])[]>> | undefined,
): HeaderField[] {
  if (list === undefined) return [];
  return Object.entries(list).flatMap(([key, value]) => {
    const name =
      `List-${key.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())}`.replace(
        /^List-Id$/i,
        'List-ID',
      );
    if (name === 'List-Unsubscribe-Post') return [header(name, '')];
    const rows = Array.isArray(value) ? (value as readonly (ListValue | readonly ListValue[])[]) : [value as ListValue];
    return rows.map((row) => {
      const items = Array.isArray(row) ? (row as readonly ListValue[]) : [row as ListValue];
      return header(name, items.map((item) => listValue(name, item)).join(', '));
    });
  });
}

function listValue(name: string, item: ListValue): string {
  const { url, comment } = typeof item === 'string' ? { url: item, comment: undefined } : item;
  const target = headerText(url, name).trim();
  // What ends a comment, or begins an address, is escaped or left out, so that the comment stays one.
  if (name === 'List-ID') return `${comment === undefined ? '' : `${comment.replace(/[<>]/g, '')} `}<${target}>`;
  const address = /^(?:https?|mailto|ftp):/i.test(target)
    ? target
    : target.includes('@')
      ? `mailto:${target}`
      : `http://${target}`;
  return `<${address.replace(/[<>\s]+/g, '')}>${comment === undefined ? '' : ` (${comment.replace(/[()\\]/g, '\\$&')})`}`;
}
