import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { type DkimAlgorithm, publicKeyData } from '../dkim-key.ts';
import { checkSelector, lookupDomain, recordName } from '../dkim-options.ts';
import { check, group, oneOf, text } from '../rules.ts';
import type { CreatedKey, TextRecord } from './port.ts';

/** How a key is made. */
export interface CreateKeyOptions {
  /** @default a new name out of the kind, the day and chance, so that it replaces no key that is in use */
  readonly selector?: string | undefined;
  /** `rsa` makes one of 2048 bits, which all receivers read. @default rsa */
  readonly algorithm?: DkimAlgorithm | undefined;
}

const OPTIONS = group<CreateKeyOptions>({ selector: text, algorithm: oneOf(['rsa', 'ed25519']) });
const RSA_BITS = 2048;
/** RFC 1035 section 3.3: a string of a record, bytes. */
const STRING_BYTES = 255;
const generate = promisify(generateKeyPair);

/**
 * Makes a key pair and the record to publish.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`
 */
export async function createKey(given: string, options: CreateKeyOptions, now: number): Promise<CreatedKey> {
  check(OPTIONS, options, 'createKey()');
  const domain = lookupDomain(given, 'domain');
  const { algorithm = 'rsa' } = options;
  const selector = checkSelector(options.selector ?? newSelector(algorithm, now), 'createKey().selector');
  const key = algorithm === 'rsa' ? await generate('rsa', { modulusLength: RSA_BITS }) : await generate('ed25519');
  const privateKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const record = dkimRecord({ domain, selector, algorithm, privateKey: key.privateKey });
  return { domain, selector, algorithm, privateKey, record };
}

/** The record of a key (RFC 6376 section 3.6.1). */
export function dkimRecord(key: {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  readonly privateKey: KeyObject;
}): TextRecord {
  return textRecord(recordName(key), `v=DKIM1; k=${key.algorithm}; p=${publicKeyData(key.privateKey)}`);
}

/** A record of text, split as DNS needs it. The value has to be ASCII. */
export function textRecord(name: string, value: string): TextRecord {
  const strings = value.match(new RegExp(`.{1,${STRING_BYTES}}`, 'g')) ?? [];
  const quoted = strings.map((one) => `"${one.replace(/["\\]/g, '\\$&')}"`).join(' ');
  return {
    type: 'TXT',
    name,
    value,
    strings,
    zone: `${name}. IN TXT ${strings.length > 1 ? `( ${quoted} )` : quoted}`,
  };
}

function newSelector(algorithm: DkimAlgorithm, now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '');
  return `${algorithm}${day}-${randomBytes(3).toString('hex')}`;
}
