import { createPublicKey, type KeyObject } from 'node:crypto';
import { algorithmOf, bitsOf, GOOD_RSA_BITS, publicKeyData, type SigningKey } from '../dkim-key.ts';
import { recordName } from '../dkim-options.ts';
import { dkimRecord } from './create-key.ts';
import { type Lookup, tagsOf } from './lookup.ts';
import type { DomainFinding } from './port.ts';

/** The record of one of our keys. */
export async function checkKey(lookup: Lookup, key: SigningKey): Promise<DomainFinding> {
  const name = recordName(key);
  const found = await lookup.text(name);
  return { ...judged(found, key), topic: 'dkim', name, found };
}

/** A record of somebody else's, such as a provider that signs for the domain. */
export async function checkForeignKey(lookup: Lookup, domain: string, selector: string): Promise<DomainFinding> {
  const name = recordName({ domain, selector });
  const found = await lookup.text(name);
  return { ...judged(found, undefined), topic: 'dkim', name, found };
}

type Judgement = Pick<DomainFinding, 'status' | 'code' | 'says' | 'publish'>;

function judged(found: readonly string[], key: SigningKey | undefined): Judgement {
  const wrong = (status: 'problem' | 'advice', code: string, says: string): Judgement =>
    key === undefined
      ? { status, code, says: `${says}; the provider that signs with the key names the record` }
      : { status, code, says, publish: dkimRecord(key) };
  const problem = (code: string, says: string): Judgement => wrong('problem', code, says);
  const [record, ...more] = found;
  if (record === undefined) return problem('dkim-missing', 'the key is not published: no signature can be verified');
  if (more.length > 0) return problem('dkim-several', 'there are several records, and receivers take any of them');
  const tags = tagsOf(record);
  const version = tags?.get('v');
  if (tags === undefined || (version !== undefined && version !== 'DKIM1') || !tags.has('p'))
    return problem('dkim-invalid', 'the record is no DKIM key (RFC 6376 section 3.6.1)');
  if (tags.get('p') === '') return problem('dkim-revoked', 'the key is revoked: its p= is empty');
  const unfit = limits(tags);
  if (unfit !== undefined) return problem('dkim-limited', unfit);
  const published = readPublished(tags);
  if (published === undefined) return problem('dkim-invalid', 'the published key cannot be read');
  if (key !== undefined && publicKeyData(published) !== publicKeyData(key.privateKey))
    return problem('dkim-mismatch', 'the published key is not the one that signs: every signature fails');
  const bits = bitsOf(published);
  if (bits < 1024) return problem('dkim-short', `the key has ${bits} bits: receivers ignore it (RFC 8301)`);
  if (flags(tags, 't').includes('y'))
    return wrong(
      'advice',
      'dkim-testing',
      't=y says that the domain is only testing DKIM: remove it once signatures verify',
    );
  if (bits < GOOD_RSA_BITS) {
    const says = `the key has ${bits} bits, ${GOOD_RSA_BITS} are better`;
    if (key === undefined) return wrong('advice', 'dkim-short', says);
    // Its record is the right one; what helps is another key.
    const instead = `: make one of ${GOOD_RSA_BITS} with createKey(), which names its record`;
    return { status: 'advice', code: 'dkim-short', says: `${says}${instead}` };
  }
  const says = key === undefined ? 'a key is published' : 'the published key is the one that signs';
  return { status: 'ok', code: 'dkim-ok', says };
}

/** What the record says the key is not for. */
function limits(tags: ReadonlyMap<string, string>): string | undefined {
  if (tags.has('h') && !flags(tags, 'h').includes('sha256')) return 'h= does not allow sha256';
  const services = flags(tags, 's');
  if (tags.has('s') && !services.includes('*') && !services.includes('email')) return 's= does not allow mail';
  return undefined;
}

function flags(tags: ReadonlyMap<string, string>, name: string): string[] {
  return (tags.get(name) ?? '').split(':').map((one) => one.trim());
}

/** Some publish the bare RSA key (PKCS #1), which RFC 6376 names, most the one with its kind around it (SPKI). */
function readPublished(tags: ReadonlyMap<string, string>): KeyObject | undefined {
  const data = Buffer.from((tags.get('p') ?? '').replace(/\s+/g, ''), 'base64');
  const kind = tags.get('k') ?? 'rsa';
  try {
    if (kind === 'ed25519')
      return data.length === 32
        ? createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: data.toString('base64url') } })
        : undefined;
    if (kind !== 'rsa') return undefined;
    const key = readRsa(data);
    return algorithmOf(key) === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}

function readRsa(key: Buffer): KeyObject {
  try {
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return createPublicKey({ key, format: 'der', type: 'pkcs1' });
  }
}
