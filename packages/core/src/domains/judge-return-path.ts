import { mayBeAligned } from '../alignment.ts';
import { isAligned, walkDmarc } from './dmarc.ts';
import { mailHosts } from './judge-hosts.ts';
import type { Lookup } from './lookup.ts';
import type { DnsRecord, DomainFinding } from './port.ts';
import { readSpf } from './spf.ts';

/** Where bounces of a domain's mail go. */
export interface ReturnPath {
  /** Domain of From. */
  readonly domain: string;
  /** Domain of the envelope sender. */
  readonly returnPath: string;
  /** Given where the relay itself takes bounces there: with the name of this machine, where that is known. */
  readonly ours: { readonly hostname: string | undefined } | undefined;
}

/** Preference of the MX that is proposed. */
const PREFERENCE = 10;

/**
 * Whether bounces can arrive at the domain of the envelope sender, whether it has SPF, which looks there, and where it is the
 * relay's own, whether it is aligned with the sender.
 */
export async function checkReturnPath(lookup: Lookup, path: ReturnPath): Promise<DomainFinding> {
  const { domain, returnPath, ours } = path;
  const hosts = await mailHosts(lookup, returnPath, 'return-path', 'bounces');
  if (hosts.status !== 'ok') return ours === undefined ? hosts : led(lookup, hosts, path);
  const { records } = await readSpf(lookup, returnPath);
  if (records.length === 0) {
    const says = 'it has no SPF record, and SPF looks at this domain';
    return { ...hosts, status: 'problem', code: 'return-path-spf', says };
  }
  const instead = ours === undefined ? undefined : await unaligned(lookup, path);
  if (instead === undefined) return hosts;
  const says = `it is not aligned with ${domain}, so that SPF counts for nothing in DMARC: use ${instead}`;
  return { ...hosts, status: 'advice', code: 'return-path-unaligned', says };
}

/** With the MX to publish: bounces go to this machine, or else where answers to the sender go. */
async function led(
  lookup: Lookup,
  hosts: DomainFinding,
  { domain, returnPath, ours }: ReturnPath,
): Promise<DomainFinding> {
  // Of several hosts one is enough.
  if (hosts.code === 'return-path-dead' && hosts.status === 'advice') return hosts;
  const says = `${hosts.says}. Lead bounces to a server that hands them to relay.feedback.receive()`;
  const [answers] = domain === returnPath ? [] : await lookup.mx(domain);
  const host = ours?.hostname ?? answers?.exchange;
  if (host === undefined || host === '') return { ...hosts, says };
  const publish: DnsRecord = { type: 'MX', name: returnPath, value: `${PREFERENCE} ${host}` };
  return { ...hosts, says, publish };
}

/** What would be aligned where the return path is not. Without a DMARC record names have to tell what an organisation is. */
async function unaligned(lookup: Lookup, { domain, returnPath }: ReturnPath): Promise<string | undefined> {
  const { policy, organization } = await walkDmarc(lookup, domain);
  const mode = policy?.tags.get('aspf')?.toLowerCase();
  const isFine =
    policy === undefined
      ? mayBeAligned(domain, returnPath)
      : await isAligned(lookup, { domain, organization }, returnPath, mode);
  if (isFine) return undefined;
  return mode === 's'
    ? `an address of ${domain} as \`bounceDomain\`, since aspf=s takes no other domain`
    : `a bounce domain below ${domain}`;
}
