/** Signs mails (RFC 6376). */
import { createHash, type KeyObject, sign } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { SigningKey } from '../../dkim-key.ts';
import { activeKeys, type ResolvedDkim, signingDomain } from '../../dkim-options.ts';
import { MailRelayError } from '../../errors.ts';
import { bodyHash, relaxedField } from './canonical.ts';
import { type Coverage, createCoverage, fieldsOf } from './covered.ts';
import { createRsaSigning } from './rsa.ts';
import { signedField, unsignedField } from './signature-field.ts';

/** Signs composed mails. */
export interface Signer {
  /**
   * The mail with a signature of each key on top; as it is where no key signs for the domain of its sender.
   *
   * @param rewritten - names of header fields, in lower case, that are not covered, as the next hop writes them anew
   */
  sign(raw: Buffer, from: string, rewritten?: readonly string[]): Promise<Buffer>;
  /** Whether a key signs for the domain of a sender. */
  signs(from: string): boolean;
  /** The most bytes that signing adds. @param fields - header fields that the host has given */
  mostBytes(from: string, fields: number): number;
  /** @throws MailRelayError `DKIM_KEY_MISSING` where a signature is required and no key signs for the domain. */
  check(from: string): void;
  /** Lets go of what it signs with. */
  close(): Promise<void>;
}

/** A signature with the longest key and names, and all the fields that the relay writes. */
const SIGNATURE_BYTES = 2500;
/** One more name in `h=`; the longest is List-Unsubscribe-Post. */
const NAME_BYTES = 26;

/** @param clock - says when a signature is made */
export function createSigner(options: ResolvedDkim, clock: Pick<Clock, 'now'>): Signer {
  const rsa = createRsaSigning();
  const coverages = new Map<string, ReturnType<typeof createCoverage>>();

  /** One for each set of fields that are left out; routes have few of them. */
  function coverageWithout(rewritten: readonly string[]): ReturnType<typeof createCoverage> {
    const key = rewritten.join();
    const known = coverages.get(key) ?? createCoverage([...options.unsignedHeaders, ...rewritten]);
    coverages.set(key, known);
    return known;
  }

  const keysOf = new Map(
    [...new Set(options.keys.map(({ domain }) => domain))].map((domain) => [domain, activeKeys(options.keys, domain)]),
  );

  function keysFor(from: string): readonly SigningKey[] {
    if (keysOf.size === 0) return [];
    const domain = signingDomain(options, from);
    return (domain === undefined ? undefined : keysOf.get(domain)) ?? [];
  }

  async function signatureOf(key: SigningKey, { names, fields }: Coverage, hash: string): Promise<string> {
    const signedAt = Math.floor(clock.now() / 1000);
    const { expireAfterMs } = options;
    const expiresAt = expireAfterMs === undefined ? undefined : signedAt + Math.ceil(expireAfterMs / 1000);
    const unsigned = unsignedField({ key, signedAt, expiresAt, names, bodyHash: hash });
    const data = [...fields, relaxedField(unsigned)].join('\r\n');
    const { privateKey } = key;
    return signedField(
      unsigned,
      key.algorithm === 'rsa' ? await rsa.sign(data, privateKey) : signEd25519(data, privateKey),
    );
  }

  function check(from: string): void {
    if (!options.required || keysFor(from).length > 0) return;
    throw new MailRelayError('DKIM_KEY_MISSING', { domain: from, reason: `${from} has no key in \`dkim.keys\`` });
  }

  return {
    check,
    signs: (from) => keysFor(from).length > 0,
    mostBytes: (from, fields) => keysFor(from).length * (SIGNATURE_BYTES + fields * NAME_BYTES),
    async sign(raw, from, rewritten = []) {
      check(from);
      const keys = keysFor(from);
      if (keys.length === 0) return raw;
      const end = raw.indexOf('\r\n\r\n');
      const head = raw.toString('latin1', 0, end < 0 ? raw.length : end);
      const hash = bodyHash(raw.subarray(end < 0 ? raw.length : end + 4));
      const { names, fields } = coverageWithout(rewritten)(fieldsOf(head));
      const relaxed = { names, fields: fields.map(relaxedField) };
      const signatures = await Promise.all(keys.map((key) => signatureOf(key, relaxed, hash)));
      return Buffer.concat([Buffer.from(signatures.join(''), 'latin1'), raw]);
    },
    close: rsa.close,
  };
}

/** Signs the hash of the data (RFC 8463 section 3); that is quicker than the way to another thread. */
function signEd25519(data: string, key: KeyObject): string {
  return sign(null, createHash('sha256').update(data, 'latin1').digest(), key).toString('base64');
}
