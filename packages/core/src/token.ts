/**
 * Signed links. Every token is self-contained, so that it works after the database was purged, and signed with
 * HMAC-SHA256 (truncated to 128 bits), so that nobody else can make one. The first secret signs, all verify.
 *
 * A click link has two halves: the link half (scope, index, target) is the same for all recipients and is made once per
 * template version; the delivery half is made once per mail. Both are signed, and bound to each other by the scope.
 */
import { timingSafeEqual } from 'node:crypto';
import { createMac, type Mac } from './mac.ts';
import { createMark, type Mark } from './mark.ts';

/** What an unsubscribe link carries. */
export interface UnsubscribeClaim {
  readonly deliveryId: number;
  readonly address: string;
  /** `broadcast`, `transactional` or `topic:<name>`. */
  readonly scope: string;
  readonly locale: string | undefined;
}

/** What a click link carries. */
export interface ClickClaim {
  readonly deliveryId: number;
  readonly index: number;
  readonly url: string;
}

/** Makes and verifies the tokens of tracking and unsubscribe links. Reading answers `undefined` for anything forged. */
export interface Tokens {
  /** Token of the pixel (`o`) or of view-in-browser (`v`). */
  delivery(kind: 'o' | 'v', deliveryId: number): string;
  readDelivery(kind: 'o' | 'v', token: string): number | undefined;
  /** The half of a click link that every recipient shares. `scope` names what the link belongs to. */
  link(scope: string, index: number, url: string): string;
  /** The half of a click link that belongs to one delivery. */
  clicker(scope: string, deliveryId: number): string;
  readClick(link: string, clicker: string): ClickClaim | undefined;
  unsubscribe(claim: UnsubscribeClaim): string;
  readUnsubscribe(token: string): UnsubscribeClaim | undefined;
  /** Token of a bounce address: letters and digits of which the case does not matter, at most 24. */
  bounce(deliveryId: number): string;
  readBounce(token: string): number | undefined;
  /** For Message-IDs. */
  readonly mark: Mark;
}

/** Longest token that is read, characters. Browsers and servers take addresses with one of this length. */
export const MAX_TOKEN = 8192;
const TOKEN = new RegExp(`^[A-Za-z0-9_-]{22,${MAX_TOKEN}}$`);
const MAC_BYTES = 16;
const SCOPE_BYTES = 6;
const VERIFIED = 1000;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** Characters of the MAC of a bounce token, 5 bits each. */
const BOUNCE_MAC = 13;
const BOUNCE = /^[0-9a-z]{1,11}[a-z2-7]{13}$/i;

/** The half of a click link that recipients share. */
interface LinkHalf {
  readonly scope: Buffer;
  readonly index: number;
  readonly url: string;
}

/**
 * @param secrets - at least one; the first signs, all verify (rotation: put the new one first).
 */
export function createTokens(secrets: readonly string[]): Tokens {
  const macs = secrets.map((secret) => createMac(Buffer.from(secret, 'utf8')));
  const signer = macs[0] as Mac;
  const macOf = (mac: Mac, kind: string, body: Buffer): Buffer =>
    mac(Buffer.concat([Buffer.from(kind), body])).subarray(0, MAC_BYTES);
  const seal = (kind: string, body: Buffer, bound: Buffer = body): string =>
    Buffer.concat([body, macOf(signer, kind, bound)]).toString('base64url');
  const unseal = (kind: string, token: string, bind: (body: Buffer) => Buffer = (body) => body): Buffer | undefined => {
    if (!TOKEN.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    // Base64url has several spellings of the same bytes; only the one we write counts.
    if (bytes.length <= MAC_BYTES || bytes.toString('base64url') !== token) return undefined;
    const body = bytes.subarray(0, bytes.length - MAC_BYTES);
    const mac = bytes.subarray(bytes.length - MAC_BYTES);
    const bound = bind(body);
    return macs.some((one) => timingSafeEqual(macOf(one, kind, bound), mac)) ? body : undefined;
  };
  const scopes = new Map<string, Buffer>();
  const scopeBytes = (scope: string): Buffer => {
    const known = scopes.get(scope);
    if (known !== undefined) return known;
    const bytes = apart(macOf(signerOfScope, 'scope', Buffer.from(scope)).subarray(0, SCOPE_BYTES));
    if (scopes.size >= VERIFIED) scopes.clear();
    scopes.set(scope, bytes);
    return bytes;
  };
  // Scopes only tell links apart; they are public, so a fixed key keeps them stable over rotations.
  const signerOfScope = createMac(Buffer.from('mailrelay'));

  // All recipients of a template share its link halves, so that most clicks come with one that was verified before.
  const verified = new Map<string, LinkHalf>();
  const readLink = (link: string): LinkHalf | undefined => {
    const known = verified.get(link);
    if (known !== undefined) return known;
    const body = unseal('l', link);
    const index = body && readNumber(body, SCOPE_BYTES);
    if (!body || !index) return undefined;
    const half = {
      scope: apart(body.subarray(0, SCOPE_BYTES)),
      index: index.value,
      url: readUrl(body.subarray(index.end)),
    };
    if (verified.size >= VERIFIED) verified.clear();
    verified.set(link, half);
    return half;
  };

  return {
    delivery: (kind, deliveryId) => seal(kind, writeNumber(deliveryId)),
    readDelivery(kind, token) {
      const body = unseal(kind, token);
      return body && readNumber(body)?.value;
    },
    link(scope, index, url) {
      return seal('l', Buffer.concat([scopeBytes(scope), writeNumber(index), writeUrl(url)]));
    },
    clicker(scope, deliveryId) {
      const body = writeNumber(deliveryId);
      return seal('c', body, Buffer.concat([body, scopeBytes(scope)]));
    },
    readClick(link, clicker) {
      const half = readLink(link);
      if (half === undefined) return undefined;
      const delivery = unseal('c', clicker, (body) => Buffer.concat([body, half.scope]));
      const deliveryId = delivery && readNumber(delivery)?.value;
      return deliveryId === undefined ? undefined : { deliveryId, index: half.index, url: half.url };
    },
    unsubscribe({ deliveryId, address, scope, locale }) {
      const text = Buffer.from(`${shortScope(scope)}\0${locale ?? ''}\0${address}`);
      return seal('u', Buffer.concat([writeNumber(deliveryId), text]));
    },
    readUnsubscribe(token) {
      const body = unseal('u', token);
      const id = body && readNumber(body);
      if (!body || !id) return undefined;
      const [scope = '', locale = '', address = ''] = body.subarray(id.end).toString('utf8').split('\0');
      return { deliveryId: id.value, address, scope: longScope(scope), locale: locale === '' ? undefined : locale };
    },
    bounce: (deliveryId) => writeBounce(deliveryId, signer),
    readBounce(token) {
      const deliveryId = BOUNCE.test(token) ? Number.parseInt(token.slice(0, -BOUNCE_MAC), 36) : Number.NaN;
      if (!Number.isSafeInteger(deliveryId)) return undefined;
      const given = Buffer.from(token.toLowerCase());
      const isOurs = macs.some((mac) => {
        const own = Buffer.from(writeBounce(deliveryId, mac));
        return own.length === given.length && timingSafeEqual(own, given);
      });
      return isOurs ? deliveryId : undefined;
    },
    mark: createMark(signer),
  };
}

/** The number in base 36, then 65 bits of a MAC: local parts are often put into lower case, and are short. */
function writeBounce(deliveryId: number, mac: Mac): string {
  const number = deliveryId.toString(36);
  const letters = [...mac(Buffer.from(`b${number}`)).subarray(0, BOUNCE_MAC)].map((byte) => BASE32[byte & 31]);
  return number + letters.join('');
}

function shortScope(scope: string): string {
  return scope === 'broadcast' ? 'b' : scope === 'transactional' ? 't' : scope;
}

function longScope(short: string): string {
  return short === 'b' ? 'broadcast' : short === 't' ? 'transactional' : short;
}

const PREFIXES = ['', 'https://', 'http://', 'https://www.', 'http://www.'] as const;

function writeUrl(url: string): Buffer {
  let best = 0;
  PREFIXES.forEach((prefix, index) => {
    if (url.startsWith(prefix) && prefix.length > (PREFIXES[best] as string).length) best = index;
  });
  return Buffer.concat([Buffer.of(best), Buffer.from(url.slice((PREFIXES[best] as string).length))]);
}

function readUrl(bytes: Buffer): string {
  return `${PREFIXES[bytes[0] ?? 0] ?? ''}${bytes.toString('utf8', 1)}`;
}

/** A copy to keep: a few bytes of the pool that Node cuts small buffers from would keep all of its 8 KB. */
function apart(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

/** Little-endian base 128, as in protocol buffers; safe integers only. */
function writeNumber(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function readNumber(bytes: Buffer, start = 0): { value: number; end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length && at < start + 8; at++) {
    const byte = bytes[at] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
    scale *= 128;
  }
  return undefined;
}
