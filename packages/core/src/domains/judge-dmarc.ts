import { textRecord } from './create-key.ts';
import { isAligned, walkDmarc } from './dmarc.ts';
import type { Lookup } from './lookup.ts';
import type { DomainFinding } from './port.ts';

/** Domains that authenticate the mail of a sender. */
export interface Aligned {
  /** `d=` of the signatures. */
  readonly signing: readonly string[];
  /** Domain of the envelope sender. */
  readonly returnPath: string;
}

const POLICIES = ['none', 'quarantine', 'reject'];

/** DMARC of a domain (RFC 9989, and the records of RFC 7489), and whether what is sent is aligned with it. */
export async function checkDmarc(lookup: Lookup, domain: string, by: Aligned): Promise<DomainFinding> {
  const { policy, own, organization } = await walkDmarc(lookup, domain);
  const name = `_dmarc.${policy?.domain ?? domain}`;
  const found = policy === undefined ? own : [policy.record];
  const finding = (status: DomainFinding['status'], code: string, says: string, publish?: string): DomainFinding => ({
    topic: 'dmarc',
    name,
    status,
    code,
    found,
    says,
    ...(publish === undefined ? {} : { publish: textRecord(name, publish) }),
  });
  if (own.length > 1)
    return finding('problem', 'dmarc-several', 'there are several records: receivers ignore all of them');
  if (policy === undefined)
    return finding(
      'problem',
      'dmarc-missing',
      'large receivers ask for a DMARC record of every bulk sender',
      'v=DMARC1; p=none',
    );
  const { tags } = policy;
  // A record that only asks for reports watches (RFC 9989 section 4.7).
  const standard = tags.get('p') ?? (tags.has('rua') ? 'none' : undefined);
  const applied = policy.domain === domain ? standard : (tags.get('sp') ?? standard);
  if (applied === undefined || !POLICIES.includes(applied.toLowerCase()))
    return finding(
      'problem',
      'dmarc-invalid',
      'it has no policy: p= is none, quarantine or reject',
      'v=DMARC1; p=none',
    );

  const aligned = (other: string, mode: string | undefined): Promise<boolean> =>
    isAligned(lookup, { domain, organization }, other, mode);
  const keys = await Promise.all(by.signing.map((one) => aligned(one, tags.get('adkim'))));
  const path = await aligned(by.returnPath, tags.get('aspf'));
  if (!keys.includes(true) && !path)
    return finding(
      'problem',
      'dmarc-unaligned',
      `neither the signatures nor the return path (${by.returnPath}) are of ${domain}: the policy ${applied} is applied to all mail`,
    );
  if (!keys.includes(true))
    return finding(
      'advice',
      'dmarc-spf-alone',
      'only the return path is aligned: mail that is forwarded fails, so sign it, too',
    );
  if (Number(tags.get('pct') ?? 100) < 100)
    return finding(
      'advice',
      'dmarc-pct',
      'pct= is of RFC 7489; RFC 9989 has t=y for testing, and new receivers ignore it',
    );
  if (tags.get('t')?.toLowerCase() === 'y' && applied.toLowerCase() !== 'none')
    return finding(
      'advice',
      'dmarc-testing',
      `t=y asks receivers to be milder than ${applied} (RFC 9989): remove it once nothing of yours fails`,
    );
  if (applied.toLowerCase() === 'none')
    return finding(
      'advice',
      'dmarc-none',
      'p=none only watches: quarantine or reject keeps others from using the domain',
    );
  const weak = path ? '' : '; the return path is not aligned, so that all depends on the signatures';
  return finding('ok', 'dmarc-ok', `the policy is ${applied}, and what is sent is aligned with it${weak}`);
}
