import { textRecord } from './create-key.ts';
import { type Dmarc, isAligned, walkDmarc } from './dmarc.ts';
import { type Lookup, tagsOf } from './lookup.ts';
import type { DomainFinding } from './port.ts';

/** Domains that authenticate the mail of a sender. */
export interface Aligned {
  /** `d=` of the signatures. */
  readonly signing: readonly string[];
  /** Domain of the envelope sender. */
  readonly returnPath: string;
}

const POLICIES = ['none', 'quarantine', 'reject'];

/** Tags that speak of domains below the one that has the record. */
const FOR_OTHERS = ['sp', 'np', 'psd'];

/** DMARC of a domain (RFC 9989, and the records of RFC 7489), and whether what is sent is aligned with it. */
export async function checkDmarc(lookup: Lookup, domain: string, by: Aligned): Promise<DomainFinding> {
  const { policy, own, organization } = await walkDmarc(lookup, domain);
  const isOwn = policy === undefined || own.length > 1;
  const found = isOwn ? own : [policy.record];
  const finding = (status: DomainFinding['status'], code: string, says: string, publish?: string): DomainFinding => ({
    topic: 'dmarc',
    name: `_dmarc.${isOwn ? domain : policy.domain}`,
    status,
    code,
    found,
    says,
    ...(publish === undefined ? {} : { publish: textRecord(`_dmarc.${domain}`, publish) }),
  });
  if (own.length > 1)
    return finding(
      'problem',
      'dmarc-several',
      'there are several records: receivers ignore all of them. Leave one, at first the mildest',
      mildest(own),
    );
  if (policy === undefined)
    return finding(
      'problem',
      'dmarc-missing',
      'large receivers ask for a DMARC record of every bulk sender',
      'v=DMARC1; p=none',
    );
  const { tags } = policy;
  const changed = (tag: string, value: string | undefined): string => changedRecord(policy, domain, { [tag]: value });
  const applied = appliedTo(domain, policy);
  if (applied === undefined)
    return finding(
      'problem',
      'dmarc-invalid',
      'it has no policy: p= is none, quarantine or reject',
      changed('p', 'none'),
    );

  const aligned = (other: string, mode: string | undefined): Promise<boolean> =>
    isAligned(lookup, { domain, organization }, other, mode);
  const keys = await Promise.all(by.signing.map((one) => aligned(one, tags.get('adkim'))));
  const path = await aligned(by.returnPath, tags.get('aspf'));
  const sign = `The record can stay: sign with a key of ${domain}`;
  if (!keys.includes(true) && !path)
    return finding(
      'problem',
      'dmarc-unaligned',
      `neither the signatures nor the return path (${by.returnPath}) are of ${domain}: the policy ${applied} is applied to all mail. ${sign}, or take a return path of it`,
    );
  if (!keys.includes(true))
    return finding(
      'advice',
      'dmarc-spf-alone',
      `only the return path is aligned: mail that is forwarded fails. ${sign}, too`,
    );
  if (Number(tags.get('pct') ?? 100) < 100)
    return finding(
      'advice',
      'dmarc-pct',
      'pct= is of RFC 7489; RFC 9989 has t=y for testing, and new receivers ignore it',
      changedRecord(policy, domain, { pct: undefined, ...(applied === 'none' ? {} : { t: 'y' }) }),
    );
  if (tags.get('t')?.toLowerCase() === 'y' && applied !== 'none')
    return finding(
      'advice',
      'dmarc-testing',
      `t=y asks receivers to be milder than ${applied} (RFC 9989): remove it once nothing of yours fails`,
      changed('t', undefined),
    );
  if (applied === 'none')
    return finding(
      'advice',
      'dmarc-none',
      'p=none only watches: quarantine or reject keeps others from using the domain, once nothing of yours fails',
      changed('p', 'quarantine'),
    );
  const weak = path ? '' : '; the return path is not aligned, so that all depends on the signatures';
  return finding('ok', 'dmarc-ok', `the policy is ${applied}, and what is sent is aligned with it${weak}`);
}

/** The policy for a domain, in lower case; undefined where the record has none that is one. */
function appliedTo(domain: string, { domain: holder, tags }: Dmarc): string | undefined {
  // A record that only asks for reports watches (RFC 9989 section 4.7).
  const standard = tags.get('p') ?? (tags.has('rua') ? 'none' : undefined);
  const applied = (holder === domain ? standard : (tags.get('sp') ?? standard))?.toLowerCase();
  return applied !== undefined && POLICIES.includes(applied) ? applied : undefined;
}

/**
 * The record with other tags, `p` behind `v` (RFC 7489 section 6.4). Of one above it the domain gets a copy of its own, so that
 * nothing changes for others.
 */
function changedRecord(policy: Dmarc, domain: string, change: Readonly<Record<string, string | undefined>>): string {
  const tags = new Map<string, string | undefined>([
    ['v', 'DMARC1'],
    ['p', appliedTo(domain, policy)],
  ]);
  for (const [name, value] of policy.tags)
    if (!tags.has(name) && (policy.domain === domain || !FOR_OTHERS.includes(name))) tags.set(name, value);
  for (const [name, value] of Object.entries(change)) tags.set(name, value);
  return [...tags].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join('; ');
}

/** Of several records none was in force, so the mildest changes least. */
function mildest(records: readonly string[]): string {
  for (const policy of POLICIES) {
    const found = records.find((record) => tagsOf(record)?.get('p')?.toLowerCase() === policy);
    if (found !== undefined) return found;
  }
  return 'v=DMARC1; p=none';
}
