/** Keys that sign mails: DKIM with RSA (RFC 6376, RFC 8301) and Ed25519 (RFC 8463). */
import { createPrivateKey, createPublicKey, KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MailRelayError } from './errors.ts';

/** Kind of a key. */
export type DkimAlgorithm = 'rsa' | 'ed25519';

/** A key that is known to sign. A `KeyObject` can cross into a thread. */
export interface SigningKey {
  /** `d=`, in lower-case ASCII. */
  readonly domain: string;
  /** `s=` */
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  readonly privateKey: KeyObject;
}

/** Shorter ones sign nothing that receivers believe (RFC 8301 section 3.2), bits. */
const LEAST_RSA_BITS = 1024;
/** Receivers need not read longer ones (RFC 8301 section 3.2), bits. */
const MOST_RSA_BITS = 4096;
/** What every signer should have (RFC 8301 section 3.2), bits. */
export const GOOD_RSA_BITS = 2048;

/**
 * Reads a private key: PEM text, the path of a file with it, or a `KeyObject`.
 *
 * @param place - named in the error, such as `dkim.keys[0].privateKey`. What was given is never shown: it may be the key.
 * @throws MailRelayError `DKIM_KEY_INVALID` where it cannot be read, cannot sign, or is too short to be believed.
 */
export function readPrivateKey(given: unknown, place: string): KeyObject {
  const key = given instanceof KeyObject ? given : parsed(given, place);
  if (key.type !== 'private') refuseKey(place, `is a ${key.type} key: signing needs the private one`);
  const algorithm = algorithmOf(key);
  if (algorithm === undefined)
    refuseKey(place, `is of type ${key.asymmetricKeyType}: only rsa and ed25519 can be used`);
  const bits = bitsOf(key);
  if (bits < LEAST_RSA_BITS) refuseKey(place, `has ${bits} bits: receivers ignore less than ${LEAST_RSA_BITS}`);
  if (algorithm === 'rsa' && bits > MOST_RSA_BITS)
    refuseKey(place, `has ${bits} bits: receivers need not read more than ${MOST_RSA_BITS}`);
  if (!canSign(key)) refuseKey(place, 'does not sign: what it signed cannot be verified');
  return key;
}

/** `undefined` for kinds that DKIM does not know. */
export function algorithmOf({ asymmetricKeyType }: KeyObject): DkimAlgorithm | undefined {
  return asymmetricKeyType === 'rsa' || asymmetricKeyType === 'ed25519' ? asymmetricKeyType : undefined;
}

/** Length of an RSA key; no limit for others, whose length is fixed. */
export function bitsOf({ asymmetricKeyDetails }: KeyObject): number {
  return asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY;
}

/** The public half as `p=` of a DNS record has it: SubjectPublicKeyInfo for RSA, the bare 32 bytes for Ed25519 (RFC 8463 section 4.2). */
export function publicKeyData(key: KeyObject): string {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  if (algorithmOf(publicKey) === 'ed25519')
    return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64');
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

function parsed(given: unknown, place: string): KeyObject {
  if (typeof given !== 'string' || given.trim() === '')
    return refuseKey(place, 'must be PEM text, the path of a PEM file, or a KeyObject');
  // Environment variables often hold the text with its line ends written out.
  const text = given.replaceAll('\\n', '\n').trim();
  const pem = text.startsWith('-----BEGIN') ? text : contentOf(given, place);
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === 'ERR_MISSING_PASSPHRASE' || pem.includes('ENCRYPTED'))
      return refuseKey(place, 'is encrypted: give it without a passphrase');
    return refuseKey(place, `is not a private key in PEM form${typeof code === 'string' ? ` (${code})` : ''}`);
  }
}

function contentOf(path: string, place: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    const why = typeof code === 'string' ? code : 'it is no path';
    return refuseKey(place, `is neither PEM text nor a file that can be read (${why})`);
  }
}

/** One signature, made and verified: whatever is wrong with a key shows before any mail depends on it. */
function canSign(key: KeyObject): boolean {
  const digest = algorithmOf(key) === 'rsa' ? 'sha256' : null;
  const probe = Buffer.from('does it sign?');
  try {
    return verify(digest, probe, createPublicKey(key), sign(digest, probe, key));
  } catch {
    return false;
  }
}

function refuseKey(place: string, says: string): never {
  throw new MailRelayError('DKIM_KEY_INVALID', { option: place, reason: `\`${place}\` ${says}` });
}
