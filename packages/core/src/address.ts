import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import addressparser from 'nodemailer/lib/addressparser';
import { MailRelayError } from './errors.ts';

/** A mailbox (RFC 5322 section 3.4): an address and a display name. */
export interface Mailbox {
  /** `local@domain`, the domain in lower-case ASCII (A-labels). */
  readonly address: string;
  readonly name: string | undefined;
}

/** What `from`, `to`, `cc` … take: text such as `Ada <ada@example.com>`, an object, or lists of these. */
export type AddressInput = string | { readonly name?: string | undefined; readonly address: string };

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;
/** Half a surrogate pair, which no encoding can write. */
const HALF = /\p{Surrogate}/u;
/** Longest display name, characters: with its address it fits on one line of a header, even where all of it is escaped. */
const MAX_NAME = 300;
const ATEXT = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}.-]+$/u;
const QUOTED = /^"(?:[\u0020\u0021\u0023-\u005b\u005d-\u007e\u0080-\u{10ffff}]|\\[\u0020-\u007e])*"$/u;
/** What domains are written with; anything else would make `domainToASCII` leave something out, or read a URL. */
const DOMAIN = /^(?:[\p{L}\p{M}\p{N}._\u3002\uff0e\uff61-]|\u200c|\u200d)+$/u;
/** What it leaves out, though it counts as a letter or a mark; but not the joiners of some scripts. */
const LEFT_OUT = /(?!\u200c|\u200d)\p{Default_Ignorable_Code_Point}/u;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/**
 * Checks one address (RFC 5321 section 4.1.2, RFC 6531) and answers it with its domain in lower-case ASCII.
 *
 * @param field - named in the error, such as `to`.
 * @throws MailRelayError `ADDRESS_INVALID`: control characters (header injection), a local part over 64 octets, an
 * address over 254 octets, or a domain that is none.
 */
export function parseAddress(text: string, field = 'address'): string {
  const refuse = (reason: string): never => {
    throw new MailRelayError('ADDRESS_INVALID', { field, reason: `${field} ${reason}${shown(text)}` });
  };
  if (typeof text !== 'string') return refuse('is not text');
  if (CONTROL.test(text)) return refuse('contains a control character, such as a line break');
  if (HALF.test(text)) return refuse('contains half a character');
  const trimmed = text.trim();
  if (trimmed.length === 0) return refuse('is empty');
  const at = trimmed.lastIndexOf('@');
  if (at < 1) return refuse('has no local part before an @');
  const local = trimmed.slice(0, at);
  if (Buffer.byteLength(local) > 64) return refuse('has a local part over 64 octets (RFC 5321 section 4.5.3.1.1)');
  if (!QUOTED.test(local)) {
    if (!ATEXT.test(local)) return refuse('has a local part with characters that need quotes');
    if (local.startsWith('.') || local.endsWith('.') || local.includes('..'))
      return refuse('has a misplaced dot before the @');
  }
  const domain = parseDomain(trimmed.slice(at + 1));
  if (domain === undefined) return refuse('has no valid domain after the @');
  const address = `${local}@${domain}`;
  if (Buffer.byteLength(address) > 254) return refuse('is longer than 254 octets (RFC 5321 section 4.5.3.1.3)');
  return address;
}

/** The value that is wrong, for the message. */
function shown(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') return '';
  return `: ${JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)}`;
}

/** A domain in lower-case ASCII, an address literal such as `[192.0.2.1]` as it is, or `undefined`. */
export function parseDomain(text: string): string | undefined {
  const literal = /^\[(IPv6:)?([0-9a-fA-F:.]+)\]$/.exec(text);
  if (literal !== null) return (literal[1] === undefined ? isIPv4 : isIPv6)(literal[2] as string) ? text : undefined;
  if (!DOMAIN.test(text) || LEFT_OUT.test(text)) return undefined;
  const plain = /^[\w.-]+$/.test(text) ? text.toLowerCase() : domainToASCII(text);
  if (plain.length === 0 || plain.length > 253) return undefined;
  const labels = plain.split('.');
  // No top-level domain is a number; an IP address stands in brackets (RFC 5321 section 4.1.3).
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) as string)) return undefined;
  return labels.every((label) => label.length <= 63 && LABEL.test(label)) ? plain : undefined;
}

/**
 * Reads what the host wrote in an address field into mailboxes. Groups are flattened.
 *
 * @throws MailRelayError `ADDRESS_INVALID`, naming the field.
 */
export function parseMailboxes(input: AddressInput | readonly AddressInput[] | undefined, field: string): Mailbox[] {
  if (input === undefined || input === null) return [];
  const list = Array.isArray(input) ? (input as readonly AddressInput[]) : [input as AddressInput];
  return list.flatMap((item) => (typeof item === 'string' ? parseText(item, field) : [mailbox(item, field)]));
}

const BARE = /^[^\s<>()",;:\\[\]]+$/;

function parseText(text: string, field: string): Mailbox[] {
  if (BARE.test(text)) return [{ address: parseAddress(text, field), name: undefined }];
  if (CONTROL.test(text)) {
    throw new MailRelayError('ADDRESS_INVALID', {
      field,
      reason: `${field} contains a control character, such as a line break${shown(text)}`,
    });
  }
  if (text.trim() === '') throw new MailRelayError('ADDRESS_INVALID', { field, reason: `${field} is empty` });
  return addressparser(text, { flatten: true }).map(({ address = '', name = '' }) => {
    if (address === '')
      throw new MailRelayError('ADDRESS_INVALID', {
        field,
        reason: `${field} has no address in it${shown(name || text)}`,
      });
    return mailbox({ address, name }, field);
  });
}

function mailbox(item: { readonly name?: string | undefined; readonly address: string }, field: string): Mailbox {
  if (typeof item !== 'object' || item === null) {
    throw new MailRelayError('ADDRESS_INVALID', {
      field,
      reason: `${field} is neither text nor an object with an address`,
    });
  }
  const name = nameOf(item.name, field);
  return { address: parseAddress(item.address, field), name: name === '' ? undefined : name };
}

function nameOf(name: unknown, field: string): string {
  const refuse = (reason: string): never => {
    throw new MailRelayError('ADDRESS_INVALID', { field, reason: `${field} has a name ${reason}` });
  };
  if (name === undefined || name === null) return '';
  if (typeof name !== 'string') return refuse('that is not text');
  if (CONTROL.test(name.trim())) return refuse('with a control character, such as a line break');
  if (name.length > MAX_NAME) return refuse(`of more than ${MAX_NAME} characters`);
  return name.trim();
}

/** An address as suppressions are matched by: lower-case, domain in ASCII. */
export function normalizeAddress(address: string): string {
  return parseAddress(address).toLowerCase();
}

/** The domain of a checked address. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
