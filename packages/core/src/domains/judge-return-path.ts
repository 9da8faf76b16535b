import { mayBeAligned } from '../alignment.ts';
import { isAligned, walkDmarc } from './dmarc.ts';
import { firstHost, type Lead, mailHosts, type Receiving } from './judge-hosts.ts';
import { firstSpf, type Senders } from './judge-spf.ts';
import type { Lookup } from './lookup.ts';
import type { DomainFinding } from './port.ts';
import { readSpf } from './spf.ts';

/**
 * Whether bounces can arrive at the domain of the envelope sender, whether it has SPF, which looks there, and where it is the
 * relay's own, whether it is aligned with the sender.
 */
export async function checkReturnPath(lookup: Lookup, path: Receiving, senders: Senders): Promise<DomainFinding> {
  const { domain, returnPath } = path;
  const hosts = await mailHosts(lookup, returnPath, await leadOf(lookup, path));
  if (hosts.status !== 'ok') return hosts;
  const { records } = await readSpf(lookup, returnPath);
  if (records.length === 0) {
    const { says, ...first } = firstSpf(returnPath, senders);
    const missing = `it has no SPF record, and SPF looks at this domain${says}`;
    return { ...hosts, status: 'problem', code: 'return-path-spf', says: missing, ...first };
  }
  const instead = path.isOurs ? await unaligned(lookup, path) : undefined;
  if (instead === undefined) return hosts;
  const says = `it is not aligned with ${domain}, so that SPF counts for nothing in DMARC. What helps is no record, but \`bounceDomain\`: use ${instead}`;
  return { ...hosts, status: 'advice', code: 'return-path-unaligned', says };
}

/** Bounces go to this machine, or else where answers to the sender go; those of others where these say. */
async function leadOf(lookup: Lookup, { domain, returnPath, isOurs, machine }: Receiving): Promise<Lead> {
  const lead = { topic: 'return-path', what: 'bounces', isBetter: isOurs, machine } as const;
  if (!isOurs && returnPath !== domain) {
    const wanted = 'Whoever takes bounces there, such as a provider, names the MX record';
    return { ...lead, wanted, host: undefined };
  }
  const answers = domain === returnPath ? undefined : await firstHost(lookup, domain);
  const wanted = 'Lead bounces to a server that hands them to relay.feedback.receive()';
  return { ...lead, wanted, host: machine?.hostname ?? answers };
}

/** What would be aligned where the return path is not. Without a DMARC record names have to tell what an organisation is. */
async function unaligned(lookup: Lookup, { domain, returnPath }: Receiving): Promise<string | undefined> {
  const { policy, organization } = await walkDmarc(lookup, domain);
  const mode = policy?.tags.get('aspf')?.toLowerCase();
  const isFine =
    policy === undefined
      ? mayBeAligned(domain, returnPath)
      : await isAligned(lookup, { domain, organization }, returnPath, mode);
  if (isFine) return undefined;
  return mode === 's'
    ? `an address of ${domain}, since aspf=s takes no other domain`
    : `a bounce domain below ${domain}`;
}
