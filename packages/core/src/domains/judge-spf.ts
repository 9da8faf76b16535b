import { textRecord } from './create-key.ts';
import type { Lookup } from './lookup.ts';
import type { DomainFinding } from './port.ts';
import { MAX_LOOKUPS, MAX_VOIDS, readSpf } from './spf.ts';

/** Where mail leaves from, as far as that is known. */
export interface Senders {
  /** Addresses that mail leaves from. */
  readonly addresses: readonly string[];
  /** Domains whose SPF record has to be included. */
  readonly includes: readonly string[];
  /** What providers name for mail that has this domain as its envelope sender; most write a domain of their own there. */
  readonly providers: readonly { readonly title: string; readonly include: string }[];
}

/** The SPF record of a domain (RFC 7208). */
export async function checkSpf(lookup: Lookup, domain: string, senders: Senders): Promise<DomainFinding> {
  const spf = await readSpf(lookup, domain, senders.addresses);
  const found = spf.records;
  const finding = (status: DomainFinding['status'], code: string, says: string, publish?: string): DomainFinding => ({
    topic: 'spf',
    name: domain,
    status,
    code,
    found,
    says,
    ...(publish === undefined ? {} : { publish: textRecord(domain, publish) }),
  });
  const [record] = found;
  if (record === undefined) {
    const says = 'nothing says who may send for the domain';
    const publish = policyOf(senders);
    if (publish !== undefined) return finding('problem', 'spf-missing', says, publish);
    return finding('problem', 'spf-missing', `${says}. To hear what to publish, give \`addresses\` or \`includes\``);
  }
  if (spf.error !== undefined) return finding('problem', spf.error.code, spf.error.says);
  if (spf.lookups > MAX_LOOKUPS)
    return finding(
      'problem',
      'spf-lookups',
      `it asks DNS ${spf.lookups} times, allowed are ${MAX_LOOKUPS}: receivers ignore it`,
    );
  if (spf.voids.length > MAX_VOIDS)
    return finding(
      'problem',
      'spf-void',
      `it asks for ${spf.voids.length} names that have nothing (${spf.voids.join(', ')}), allowed are ${MAX_VOIDS}: receivers ignore it`,
    );
  if (spf.all === '+')
    return finding('problem', 'spf-open', '+all lets everybody send for the domain', withAll(record, '~all'));
  const missing = [
    ...senders.includes.filter((one) => !spf.includes.includes(one)).map((one) => `include:${one}`),
    ...senders.addresses.filter((one) => !['+', undefined].includes(spf.covers(one))).map(termOf),
  ];
  if (missing.length > 0)
    return finding('problem', 'spf-sender', `it does not allow ${missing.join(' ')}`, withTerms(record, missing));
  const absent = senders.providers.filter(({ include }) => !spf.includes.includes(include));
  if (absent.length > 0)
    return finding(
      'advice',
      'spf-provider',
      `it does not name ${absent.map(({ title, include }) => `${include} (${title})`).join(', ')}: needed where the provider sends with this domain as the envelope sender, and not with one of its own`,
      withTerms(
        record,
        absent.map(({ include }) => `include:${include}`),
      ),
    );
  if (spf.all === undefined || spf.all === '?')
    return finding(
      'advice',
      'spf-all',
      'it says nothing about other senders: end it with ~all or -all',
      withAll(record, '~all'),
    );
  return finding(
    'ok',
    'spf-ok',
    `it allows the senders that are known, with ${spf.lookups} look-ups of ${MAX_LOOKUPS}`,
  );
}

function termOf(address: string): string {
  return `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`;
}

/** The record to publish. Where no sender is known there is none: `v=spf1 ~all` makes receivers doubt all mail. */
function policyOf({ addresses, includes, providers }: Senders): string | undefined {
  const all = new Set([...includes, ...providers.map(({ include }) => include)]);
  const terms = [...[...all].map((one) => `include:${one}`), ...addresses.map(termOf)];
  return terms.length === 0 ? undefined : ['v=spf1', ...terms, '~all'].join(' ');
}

/** Before what ends the evaluation. */
function withTerms(record: string, terms: readonly string[]): string {
  const [version = 'v=spf1', ...rest] = record.split(/ +/);
  return [version, ...terms, ...rest].join(' ').trim();
}

function withAll(record: string, all: string): string {
  const rest = record.split(/ +/).filter((term) => term !== '' && !/^[-+~?]?all$/i.test(term));
  return /redirect=/i.test(record) ? rest.join(' ') : [...rest, all].join(' ');
}
