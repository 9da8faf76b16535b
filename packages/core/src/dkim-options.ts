/** Options of DKIM, filled in and checked. */
import type { KeyObject } from 'node:crypto';
import { parseDomain } from './address.ts';
import { lineage } from './alignment.ts';
import { algorithmOf, type DkimAlgorithm, readPrivateKey, type SigningKey } from './dkim-key.ts';
import type { Environment } from './environment.ts';
import { refuse } from './rules.ts';

/** One key. */
export interface DkimKeyOptions {
  /** Domain that signs (`d=`). */
  readonly domain: string;
  /** Name of the key below `_domainkey.` of the domain (`s=`). */
  readonly selector: string;
  /** PEM text, the path of a file with it, or a private `KeyObject`: RSA of 1024 to 4096 bits, 2048 to be believed, or Ed25519. */
  readonly privateKey: string | KeyObject;
}

/** How mails are signed (RFC 6376). */
export interface DkimOptions {
  /**
   * Keys of any number of domains. A domain with an RSA key and an Ed25519 key signs twice (RFC 8463). Of several keys of a
   * domain and kind the first signs; the others are still expected in DNS, for mail that they have signed.
   */
  readonly keys: readonly DkimKeyOptions[];
  /**
   * Whose mail a key signs: that of its domain alone (`strict`), or of domains below it, too, which have none of their own.
   * @default relaxed
   */
  readonly alignment?: 'relaxed' | 'strict' | undefined;
  /**
   * Refuse mail from a domain that no key signs for, instead of sending it without a signature.
   * @default false
   */
  readonly required?: boolean | undefined;
  /**
   * Header fields that no signature covers, on any route, since the next hop rewrites them. `From` always is covered; what
   * Amazon SES rewrites (`Message-ID`, `Date`) is left out with `ses()` by itself.
   * @default none
   */
  readonly unsignedHeaders?: readonly string[] | undefined;
  /**
   * Signatures are void so long after they were made (`x=`), ms, at least 1000; each attempt makes a new one.
   * @default never
   */
  readonly expireAfterMs?: number | undefined;
}

/** With nothing left open; can cross into a thread. */
export interface ResolvedDkim {
  readonly keys: readonly SigningKey[];
  readonly alignment: 'relaxed' | 'strict';
  readonly required: boolean;
  /** In lower case. */
  readonly unsignedHeaders: readonly string[];
  readonly expireAfterMs: number | undefined;
}

const VARIABLES = {
  domain: 'MAIL_RELAY_DKIM_DOMAIN',
  selector: 'MAIL_RELAY_DKIM_SELECTOR',
  privateKey: 'MAIL_RELAY_DKIM_KEY',
} as const;

/** @throws MailRelayError `OPTIONS_INVALID`, `DKIM_KEY_INVALID` */
export function resolveDkim(options: DkimOptions | undefined, env: Environment): ResolvedDkim {
  const given = options ?? { keys: keyOfEnvironment(env) };
  const keys = given.keys.map((key, index) => resolveKey(key, `dkim.keys[${index}]`));
  const names = keys.map(recordName);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) !== index) refuse(`dkim.keys[${index}].selector`, 'is that of another key of the domain');
  const unsignedHeaders = (given.unsignedHeaders ?? []).map((name) => name.toLowerCase());
  if (unsignedHeaders.includes('from'))
    refuse('dkim.unsignedHeaders', 'cannot have From: every signature covers it (RFC 6376 section 5.4)');
  return {
    keys,
    alignment: given.alignment ?? 'relaxed',
    required: given.required ?? false,
    unsignedHeaders,
    expireAfterMs: given.expireAfterMs,
  };
}

/** Where the public half of a key stands in DNS (RFC 6376 section 3.6.2.1). */
export function recordName({ domain, selector }: Pick<SigningKey, 'domain' | 'selector'>): string {
  return `${selector}._domainkey.${domain}`.toLowerCase();
}

/** A domain that can be looked up, in lower-case ASCII. @throws MailRelayError `OPTIONS_INVALID` */
export function lookupDomain(given: unknown, place: string): string {
  const domain = typeof given === 'string' ? parseDomain(given.trim().replace(/\.$/, '')) : undefined;
  if (domain === undefined || domain.startsWith('[')) return refuse(place, 'must be a domain such as example.com');
  return domain;
}

/** A selector (RFC 6376 section 3.1). @throws MailRelayError `OPTIONS_INVALID` */
export function checkSelector(given: unknown, place: string): string {
  const labels = typeof given === 'string' ? given.split('.') : [''];
  if (!labels.every((label) => /^[a-z0-9](?:[\w-]{0,61}[a-z0-9])?$/i.test(label)))
    refuse(place, 'must be a name of letters, digits and hyphens');
  return given as string;
}

/** Of a domain's keys, the one of each kind that signs. */
export function activeKeys(keys: readonly SigningKey[], domain: string): readonly SigningKey[] {
  const own = keys.filter((key) => key.domain === domain);
  // RSA first: what reads only one signature reads that.
  return (['rsa', 'ed25519'] as const).flatMap((algorithm) => own.find((key) => key.algorithm === algorithm) ?? []);
}

/** The domain whose keys sign for another (RFC 6376 section 6.3, RFC 9989 section 4.4): itself, or the nearest above it. */
export function signingDomain(
  { keys, alignment }: Pick<ResolvedDkim, 'keys' | 'alignment'>,
  from: string,
): string | undefined {
  const domains = alignment === 'strict' ? [from] : lineage(from);
  return domains.find((domain) => keys.some((key) => key.domain === domain));
}

function resolveKey(key: DkimKeyOptions, place: string): SigningKey {
  const domain = lookupDomain(key.domain, `${place}.domain`);
  const selector = checkSelector(key.selector, `${place}.selector`);
  const privateKey = readPrivateKey(key.privateKey, `${place}.privateKey`);
  const resolved = { domain, selector, privateKey, algorithm: algorithmOf(privateKey) as DkimAlgorithm };
  if (recordName(resolved).length > 253) refuse(`${place}.selector`, 'makes a name that is too long for DNS');
  return resolved;
}

/** A key out of the environment, where anything of it is there. */
function keyOfEnvironment(env: Environment): readonly DkimKeyOptions[] {
  const given = Object.values(VARIABLES).filter((name) => env[name] !== undefined);
  if (given.length === 0) return [];
  const needed = (name: string): string => env[name] ?? refuse('dkim', `needs ${name}, since ${given[0]} is set`);
  return [
    {
      domain: needed(VARIABLES.domain),
      selector: needed(VARIABLES.selector),
      privateKey: needed(VARIABLES.privateKey),
    },
  ];
}
