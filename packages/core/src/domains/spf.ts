import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { Lookup } from './lookup.ts';
import { expand, hasMacros, macroProblem } from './spf-macros.ts';

/** What is read out of the SPF record of a domain, and of all that it includes (RFC 7208). */
export interface Spf {
  readonly records: readonly string[];
  /** What makes the record an error for every receiver (permerror), in words. */
  readonly error: SpfError | undefined;
  /** Terms that ask DNS; at most 10 are allowed (section 4.6.4). */
  readonly lookups: number;
  /** Qualifier of `all`, where evaluation ends with one: `-`, `~`, `?` or `+`. */
  readonly all: string | undefined;
  /** The record that says so, which another one may have been redirected to; undefined where that depends on the mail. */
  readonly end: SpfRecord | undefined;
  /** Names that were asked for and have nothing; at most 2 are allowed (section 4.6.4). */
  readonly voids: readonly string[];
  /** Terms of the first record that find nothing, or include such terms. */
  readonly empty: ReadonlySet<string>;
  /** Domains that are included, at any depth. */
  readonly includes: readonly string[];
  /** What the record says of an address: its qualifier; undefined where something decides that nobody knows beforehand. */
  covers(address: string): string | undefined;
}

/** What makes a record one that receivers ignore. */
interface SpfError {
  readonly code: string;
  readonly says: string;
  /** The term of the first record that leads to it; undefined where it is the record itself. */
  readonly term: string | undefined;
}

/** A record, and where it stands. */
interface SpfRecord {
  readonly domain: string;
  readonly record: string;
}

/** Most terms that ask DNS (RFC 7208 section 4.6.4). */
export const MAX_LOOKUPS = 10;
/** Most look-ups that find nothing (section 4.6.4). */
export const MAX_VOIDS = 2;
/** Most hosts of one mx term (section 4.6.4). */
const MAX_HOSTS = 10;
/** Where reading ends: nothing is gained beyond. */
const STOP_AFTER = 40;

/** A term that has been read: which addresses it takes, and with which qualifier. */
interface Term {
  readonly qualifier: string;
  matches(address: string): boolean | undefined;
}

/** One record, read. */
interface Policy {
  readonly terms: readonly Term[];
  readonly all: string | undefined;
  /** Where evaluation ends. */
  readonly end: SpfRecord | undefined;
}

/** Lengths of the networks around addresses, bits. */
interface Prefix {
  readonly four: number;
  readonly six: number;
}

/** What a term asks for. */
interface Question {
  readonly target: string;
  readonly domainName: string;
  readonly bits: Prefix;
  readonly trail: readonly string[];
}

const NAMES = /^(?:all|include|a|mx|ptr|ip4|ip6|exists)$/;

/**
 * Reads the policy of a domain.
 *
 * @param addresses - those that the policy is asked about: macros are followed for them
 * @throws LookupFailure
 */
export async function readSpf(lookup: Lookup, domain: string, addresses: readonly string[] = []): Promise<Spf> {
  let lookups = 0;
  const voids = new Set<string>();
  const empty = new Set<string>();
  let error: Spf['error'];
  /** The term of the first record that is being followed. */
  let term: string | undefined;
  const includes: string[] = [];
  const fail = (code: string, says: string): void => {
    error ??= { code, says, term };
  };
  const foundNothing = (): void => {
    if (term !== undefined) empty.add(term);
  };
  const recordsOf = async (name: string): Promise<string[]> =>
    (await lookup.text(name)).filter((record) => /^v=spf1(?: |$)/i.test(record));

  async function follow(name: string, trail: readonly string[]): Promise<Policy> {
    const records = await recordsOf(name);
    if (records.length > 1) fail('spf-several', `${name} has ${records.length} SPF records: only one is allowed`);
    if (records.length === 0 && trail.length > 0) fail('spf-broken', `${name} is included, and has no SPF record`);
    return read(records[0] ?? '', name, [...trail, name]);
  }

  async function child(name: string, trail: readonly string[]): Promise<Policy | undefined> {
    if (lookups > STOP_AFTER) return undefined;
    if (trail.includes(name)) {
      fail('spf-loop', `${name} includes itself`);
      return undefined;
    }
    return follow(name, trail);
  }

  async function read(record: string, domainName: string, trail: readonly string[]): Promise<Policy> {
    const terms: Term[] = [];
    const end = { domain: domainName, record };
    let redirect: { readonly text: string; readonly to: string } | undefined;
    const isFirst = trail.length === 1;
    for (const text of record.split(/ +/).slice(1).filter(Boolean)) {
      const modifier = /^([a-z][\w.-]*)=(.*)$/i.exec(text);
      if (modifier !== null) {
        if (modifier[1]?.toLowerCase() === 'redirect') redirect = { text, to: modifier[2]?.toLowerCase() ?? '' };
        continue;
      }
      if (isFirst) term = text;
      const [, qualifier = '+', name = '', rest = ''] = /^([-+~?])?([a-z0-9]+)(.*)$/i.exec(text) ?? [];
      const [form, value = '', four, six] = /^(?::(.+?))?(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(rest) ?? [];
      const kind = form === undefined ? '' : name.toLowerCase();
      if (!NAMES.test(kind)) {
        fail('spf-syntax', `the term ${text} is no mechanism (RFC 7208 section 5)`);
        continue;
      }
      if (kind === 'all') return { terms, all: qualifier, end };
      const target = (value === '' ? domainName : value).toLowerCase();
      const bits = { four: Number(four ?? 32), six: Number((kind === 'ip6' ? four : six) ?? 128) };
      terms.push({ qualifier, matches: await mechanism(kind, { target, domainName, bits, trail }) });
    }
    if (redirect === undefined) return { terms, all: undefined, end };
    lookups += 1;
    if (isFirst) term = redirect.text;
    const name = nameOf(redirect.to, domainName, undefined);
    // Who is sent to depends on the mail.
    if (name === undefined)
      return { terms: [...terms, { qualifier: '?', matches: () => undefined }], all: undefined, end: undefined };
    const other = await child(name, trail);
    return { terms: [...terms, ...(other?.terms ?? [])], all: other?.all, end: other?.end };
  }

  /** The name that a term asks for; undefined where that depends on what is not known. */
  function nameOf(target: string, domainName: string, address: string | undefined): string | undefined {
    if (!hasMacros(target)) return target;
    const problem = macroProblem(target);
    if (problem !== undefined) fail('spf-syntax', problem);
    return expand(target, { domain: domainName, sender: domain, address });
  }

  /** One term for all addresses, or where its name has their macros, for each by itself. */
  async function asked(kind: string, { target, domainName, bits, trail }: Question): Promise<Term['matches']> {
    const name = nameOf(target, domainName, undefined);
    if (name !== undefined) return evaluate(kind, name, bits, trail);
    const known = new Map<string, boolean | undefined>();
    for (const address of addresses) {
      const own = nameOf(target, domainName, address);
      known.set(address, own === undefined ? undefined : (await evaluate(kind, own, bits, trail, true))(address));
    }
    return (address) => known.get(address);
  }

  async function mechanism(kind: string, question: Question): Promise<Term['matches']> {
    const { target, bits } = question;
    if (kind === 'ip4' || kind === 'ip6') {
      const fits = isIP(target) === Number(kind[2]) && bits.four <= 32 && bits.six <= 128;
      if (!fits) fail('spf-syntax', `${kind}:${target} is no network`);
      return within(fits ? [target] : [], bits);
    }
    lookups += 1;
    return kind === 'ptr' ? () => undefined : asked(kind, question);
  }

  /** @param ofOne - the name is that of one address, which may well have nothing there */
  async function evaluate(
    kind: string,
    name: string,
    bits: Prefix,
    trail: readonly string[],
    ofOne = false,
  ): Promise<Term['matches']> {
    if (kind === 'include') {
      includes.push(name);
      const policy = await child(name, trail);
      return policy === undefined ? () => undefined : (address) => verdict(policy, address) === '+';
    }
    if (kind === 'exists') {
      const addresses = await addressesOf(name, ofOne);
      if (addresses.length === 0 && !ofOne) foundNothing();
      return () => addresses.some(isIPv4);
    }
    const hosts = kind === 'mx' ? (await lookup.mx(name)).map(({ exchange }) => exchange).filter(Boolean) : [name];
    if (hosts.length === 0) voids.add(name);
    if (hosts.length > MAX_HOSTS)
      fail('spf-hosts', `${name} has ${hosts.length} MX hosts, and mx may ask for ${MAX_HOSTS}`);
    const found = (await Promise.all(hosts.slice(0, MAX_HOSTS).map((host) => addressesOf(host, ofOne)))).flat();
    if (found.length === 0 && !ofOne) foundNothing();
    return within(found, bits);
  }

  async function addressesOf(name: string, ofOne: boolean): Promise<string[]> {
    const found = await lookup.addresses(name);
    if (found.length === 0 && !ofOne) voids.add(name);
    return found;
  }

  const records = await recordsOf(domain);
  const policy = await follow(domain, []);
  return {
    records,
    error,
    lookups,
    voids: [...voids],
    empty,
    all: policy.all,
    end: policy.end,
    includes,
    covers: (address) => verdict(policy, address),
  };
}

/** The qualifier of the first term that takes an address; neutral where none does (RFC 7208 section 4.7). */
function verdict({ terms, all }: Policy, address: string): string | undefined {
  for (const { qualifier, matches } of terms) {
    const match = matches(address);
    if (match === undefined) return undefined;
    if (match) return qualifier;
  }
  return all ?? '?';
}

function within(addresses: readonly string[], { four, six }: Prefix): (address: string) => boolean {
  const list = new BlockList();
  for (const address of addresses)
    if (isIPv6(address)) list.addSubnet(address, Math.min(six, 128), 'ipv6');
    else list.addSubnet(address, Math.min(four, 32), 'ipv4');
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
