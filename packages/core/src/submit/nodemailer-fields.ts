/** nodemailer's message fields, in all the forms that nodemailer takes, as `send()` takes them. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type AddressInput, parseMailboxes } from '../address.ts';
import { MailRelayError } from '../errors.ts';
import { isObject } from '../rules.ts';
import type { SendMessage } from './input.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Switches of nodemailer that say nothing about the message. */
const SWITCHES: ReadonlySet<string> = new Set(['signal', 'disableFileAccess', 'disableUrlAccess', 'maxRecipients']);

/**
 * Reads what was given to `sendMail()`. Files and addresses stay what they are: the relay's option `attachments` decides.
 *
 * @throws MailRelayError `OPTION_UNSUPPORTED`, `MESSAGE_INVALID`, `ATTACHMENT_INVALID`, `ATTACHMENT_NOT_ALLOWED`
 */
export async function toSendMessage(data: object): Promise<SendMessage> {
  const given = withoutEmpty(data);
  // A template plugin of the step `compile` leaves what it worked with beside the HTML that it made.
  const { template, context, ...rendered } = given;
  const fields: Fields = context !== undefined && given.html !== undefined ? rendered : given;
  const entries = await Promise.all(
    Object.entries(fields).map(async ([key, value]): Promise<[string, unknown][]> => {
      if (SWITCHES.has(key)) return [];
      if (key === 'text' || key === 'html') return [[key, await bodyOf(value, key)]];
      if (key === 'attachments' || key === 'alternatives') {
        const parts = await Promise.all([value].flat().map((part) => readPart(partOf(part, given), key)));
        return parts.length === 0 ? [] : [[key, parts]];
      }
      if (key === 'icalEvent') return [[key, await readPart(value, key)]];
      if (key === 'priority') return [[key, typeof value === 'string' ? value.toLowerCase() : value]];
      if (key === 'envelope') return envelopeOf(value, fields);
      if (key === 'requireTLSExtensionEnabled') return [['requireTls', value]];
      if (key === 'headers') return headersOf(value);
      return [[key, value]];
    }),
  );
  return Object.fromEntries(entries.flat()) as SendMessage;
}

/** What is text, and may be empty. */
const TEXTS: ReadonlySet<string> = new Set(['subject', 'text', 'content']);

/** What nodemailer passes over: fields without a value. Forms that nobody filled in leave empty ones. */
function withoutEmpty(data: object): Fields {
  return Object.fromEntries(
    Object.entries(data).filter(
      ([key, value]) => value !== undefined && value !== null && value !== false && (value !== '' || TEXTS.has(key)),
    ),
  );
}

/** nodemailer writes no header without a value. */
function headersOf(value: unknown): [string, unknown][] {
  if (!isObject(value) || Array.isArray(value)) return [['headers', value]];
  const headers = Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined && one !== null && one !== ''),
  );
  return Object.keys(headers).length === 0 ? [] : [['headers', headers]];
}

/** A body as text or bytes: of a stream, or in an object with its encoding, too. */
async function bodyOf(value: unknown, field: string): Promise<unknown> {
  if (value instanceof Readable) return buffer(value);
  if (!isObject(value) || value instanceof Uint8Array) return value;
  const { content, encoding } = value as { readonly content?: unknown; readonly encoding?: BufferEncoding };
  if (content === undefined)
    throw new MailRelayError('MESSAGE_INVALID', {
      field,
      reason: `${field} is read from no file and no address: read it yourself and give its text`,
    });
  if (content instanceof Readable) return buffer(content);
  return typeof content === 'string' && encoding !== undefined ? Buffer.from(content, encoding) : content;
}

/** An attachment or alternative. nodemailer takes an address in `path`, and data URIs in both. */
function partOf(part: unknown, { disableFileAccess, disableUrlAccess }: Fields): unknown {
  if (!isObject(part)) return part;
  const { path, href, ...rest } = withoutEmpty(part);
  const source = path ?? href;
  if (typeof source !== 'string') return { ...rest, ...(path ? { path } : {}), ...(href ? { href } : {}) };
  const uri = /^data:([^,]*?)(;base64)?,(.*)$/is.exec(source);
  if (uri !== null) return { ...inlined(uri), ...rest };
  const isAddress = /^https?:/i.test(source);
  if (isAddress ? disableUrlAccess : disableFileAccess)
    throw new MailRelayError('ATTACHMENT_NOT_ALLOWED', {
      reason: `${isAddress ? 'addresses' : 'files'} are switched off for this transporter`,
    });
  return { ...rest, ...(isAddress ? { href: source } : { path: source }) };
}

/** Encodings that Node knows and `send()` does not; streams where `send()` takes none. */
async function readPart(part: unknown, field: string): Promise<unknown> {
  if (!isObject(part) || part instanceof Uint8Array) return part;
  const { content, encoding, ...rest } = part as Fields;
  if (field !== 'attachments' && content instanceof Readable) return { ...rest, content: await buffer(content) };
  const known = typeof encoding === 'string' && Buffer.isEncoding(encoding) && !TAKEN.has(encoding);
  if (typeof content !== 'string' || !known) return part;
  return { ...rest, content: Buffer.from(content, encoding as BufferEncoding) };
}

const TAKEN: ReadonlySet<string> = new Set(['utf8', 'utf-8', 'base64', 'hex']);

function inlined([, type = '', base64, content = '']: RegExpExecArray): object {
  const bytes = base64 === undefined ? Buffer.from(decodeURIComponent(content)) : Buffer.from(content, 'base64');
  return { content: bytes, ...(type === '' ? {} : { contentType: type }) };
}

/** The return path; recipients of the envelope are those of the message, or the relay could not tell them apart. */
function envelopeOf(value: unknown, { to, cc, bcc }: Fields): [string, unknown][] {
  if (!isObject(value)) return [['envelope', value]];
  const { from, to: recipients, ...rest } = withoutEmpty(value);
  if (recipients !== undefined) {
    const named = addressesOf([to, cc, bcc].flat());
    const asked = addressesOf([recipients].flat());
    if (named.length !== asked.length || named.some((address) => !asked.includes(address)))
      throw new MailRelayError('OPTION_UNSUPPORTED', {
        field: 'envelope.to',
        reason: '`envelope.to` differs from to, cc and bcc: each recipient has an envelope of its own',
      });
  }
  return from === undefined && Object.keys(rest).length === 0 ? [] : [['envelope', { from, ...rest }]];
}

function addressesOf(inputs: readonly unknown[]): string[] {
  const given = inputs.filter((input) => input !== undefined) as AddressInput[];
  return [...new Set(parseMailboxes(given, 'envelope.to').map(({ address }) => address.toLowerCase()))];
}
