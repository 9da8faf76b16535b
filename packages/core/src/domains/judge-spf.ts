import { textRecord } from './create-key.ts';
import type { Lookup } from './lookup.ts';
import type { DomainFinding } from './port.ts';
import { MAX_LOOKUPS, MAX_VOIDS, readSpf, type Spf } from './spf.ts';
import { allowsAny, merged, withAll, withoutTerms, withTerms } from './spf-record.ts';

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
  const finding = (
    status: DomainFinding['status'],
    code: string,
    says: string,
    publish?: string,
    name = domain,
  ): DomainFinding => ({
    topic: 'spf',
    name: domain,
    status,
    code,
    found,
    says,
    ...(publish === undefined ? {} : { publish: textRecord(name, publish) }),
  });
  const [record] = found;
  if (record === undefined) {
    const { says, publish } = firstSpf(domain, senders);
    return finding('problem', 'spf-missing', `nothing says who may send for the domain${says}`, publish?.value);
  }
  const missing = [
    ...senders.includes.filter((one) => !spf.includes.includes(one)).map((one) => `include:${one}`),
    ...senders.addresses.filter((one) => !['+', undefined].includes(spf.covers(one))).map(termOf),
  ];
  const mended = (change: Change): DomainFinding => finding('problem', change.code, change.says, change.publish);
  if (spf.error !== undefined) return mended(withoutError(found, spf.error, senders, missing));
  if (spf.lookups > MAX_LOOKUPS)
    return finding(
      'problem',
      'spf-lookups',
      `it asks DNS ${spf.lookups} times, allowed are ${MAX_LOOKUPS}: receivers ignore it. Leave out who no longer sends, and name addresses (ip4:, ip6:) in place of a: and mx:, which only you know`,
    );
  if (spf.voids.length > MAX_VOIDS) return mended(withoutVoids(record, spf, missing));
  if (spf.all === '+')
    return finding(
      'problem',
      'spf-open',
      '+all lets everybody send for the domain',
      spf.end && withAll(spf.end.record, '~all'),
      spf.end?.domain,
    );
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
      `it says nothing about other senders: end it with ~all or -all${spf.end === undefined ? ', in each record that its redirect can lead to' : ''}`,
      spf.end && withAll(spf.end.record, '~all'),
      spf.end?.domain,
    );
  return finding(
    'ok',
    'spf-ok',
    `it allows the senders that are known, with ${spf.lookups} look-ups of ${MAX_LOOKUPS}`,
  );
}

/** The first record of a domain, and where no sender is known how to hear of one: `v=spf1 ~all` makes receivers doubt all mail. */
export function firstSpf(
  domain: string,
  { addresses, includes, providers }: Senders,
): Pick<DomainFinding, 'says' | 'publish'> {
  const all = new Set([...includes, ...providers.map(({ include }) => include)]);
  const terms = [...[...all].map((one) => `include:${one}`), ...addresses.map(termOf)];
  if (terms.length === 0) return { says: '. To hear what to publish, give `addresses` or `includes`' };
  return { says: '', publish: textRecord(domain, withAll(withTerms('v=spf1', terms), '~all')) };
}

/** A problem that makes receivers ignore the record. */
interface Change {
  readonly code: string;
  readonly says: string;
  readonly publish?: string;
}

/** One record of several, or the record without the term that breaks it. */
function withoutError(
  records: readonly string[],
  { code, says, term }: NonNullable<Spf['error']>,
  senders: Senders,
  missing: readonly string[],
): Change {
  const [record = ''] = records;
  if (term === undefined) return { code, says: `${says}. Put all terms into one`, publish: merged(records) };
  const other = otherOf(term);
  const needed = [...senders.includes, ...senders.providers.map(({ include }) => include)];
  if (other !== undefined && (/^redirect/i.test(term) || needed.includes(other.toLowerCase())))
    return { code, says: `${says}. Whoever runs ${other} has to mend that, or another has to take its place` };
  if (code === 'spf-hosts' && other === undefined)
    return { code, says: `${says}. In place of ${term} name the addresses that send, which only you know` };
  return withoutThose({ code, says, terms: new Set([term]), record, missing });
}

/** The record without terms that find nothing at all; those of included records are for others to mend. */
function withoutVoids(record: string, { voids, empty }: Spf, missing: readonly string[]): Change {
  const code = 'spf-void';
  const says = `it asks for ${voids.length} names that have nothing (${voids.join(', ')}), allowed are ${MAX_VOIDS}: receivers ignore it`;
  const own = [...empty].filter((term) => otherOf(term) === undefined);
  if (own.length > 0) return withoutThose({ code, says, terms: new Set(own), record, missing });
  const others = [...empty].flatMap((term) => otherOf(term) ?? []);
  const who = others.length > 0 ? `Whoever runs ${others.join(', ')}` : 'Whoever runs these names';
  return { code, says: `${says}. ${who} has to mend that` };
}

/** The domain whose record a term leads to. */
function otherOf(term: string): string | undefined {
  return /^(?:[-+~?]?include:|redirect=)(.*)$/i.exec(term)?.[1];
}

function withoutThose({
  code,
  says,
  terms,
  record,
  missing,
}: {
  readonly code: string;
  readonly says: string;
  readonly terms: ReadonlySet<string>;
  readonly record: string;
  readonly missing: readonly string[];
}): Change {
  const publish = withTerms(withoutTerms(record, terms), missing);
  const without = `${says}. Leave out ${[...terms].join(' ')}`;
  if (allowsAny(publish)) return { code, says: without, publish };
  return { code, says: `${without}; nobody else is known who sends: give \`addresses\` or \`includes\`` };
}

function termOf(address: string): string {
  return `${address.includes(':') ? 'ip6' : 'ip4'}:${address}`;
}
