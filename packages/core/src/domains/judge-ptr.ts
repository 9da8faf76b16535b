import { isIPv4, isIPv6 } from 'node:net';
import { type Lookup, LookupFailure } from './lookup.ts';
import type { DnsRecord, DomainFinding } from './port.ts';
import { nibbles } from './spf-macros.ts';

/** A machine of ours that sends by itself. */
export interface Machine {
  /** Its name in EHLO. */
  readonly hostname: string;
  /** Addresses that it sends from; empty where the system chooses. */
  readonly addresses: readonly string[];
}

/** An address that mail leaves from. */
export interface Origin {
  readonly address: string;
  /** Names in EHLO that go with it, in lower case; none where nothing is known. */
  readonly hostnames: readonly string[];
}

/** Where mail leaves from, and what could not be found out. */
export interface Origins {
  readonly origins: readonly Origin[];
  readonly lost: readonly DomainFinding[];
}

/**
 * Addresses that mail leaves from: those that are given, else those of the machines, or where none are configured, those that
 * their hostnames lead to.
 */
export async function originsOf(
  lookup: Lookup,
  machines: readonly Machine[],
  given: readonly string[] | undefined,
): Promise<Origins> {
  const names = machines.map(({ hostname }) => hostname.toLowerCase());
  if (given !== undefined)
    return { origins: [...new Set(given)].map((address) => ({ address, hostnames: names })), lost: [] };
  const origins = new Map<string, Set<string>>();
  const lost: DomainFinding[] = [];
  for (const [index, hostname] of names.entries()) {
    const configured = machines[index]?.addresses ?? [];
    const addresses = configured.length > 0 ? configured : await ledTo(lookup, hostname);
    if (!Array.isArray(addresses)) lost.push(addresses as DomainFinding);
    else
      for (const address of addresses) origins.set(address, (origins.get(address) ?? new Set<string>()).add(hostname));
  }
  return { origins: [...origins].map(([address, of]) => ({ address, hostnames: [...of] })), lost };
}

/** Addresses of a hostname, or why there are none. */
async function ledTo(lookup: Lookup, hostname: string): Promise<readonly string[] | DomainFinding> {
  const finding = { topic: 'ptr', name: hostname, found: [] } as const;
  try {
    const addresses = await lookup.addresses(hostname);
    if (addresses.length > 0) return addresses;
    const says =
      'the name in EHLO has no address: publish an A or AAAA record with the address that mail leaves from, or name `localAddresses`';
    return { ...finding, status: 'problem', code: 'ptr-hostname', says };
  } catch (error) {
    if (!(error instanceof LookupFailure)) throw error;
    return { ...finding, status: 'unknown', code: 'ptr-unknown', says: error.message };
  }
}

/** Whether an address has a name, the name leads back to the address (RFC 1912 section 2.1), and it is the name in EHLO. */
export async function checkPtr(lookup: Lookup, { address, hostnames }: Origin): Promise<DomainFinding> {
  const found = await lookup.names(address);
  const [wanted] = hostnames;
  const finding = (status: DomainFinding['status'], code: string, says: string): DomainFinding => ({
    topic: 'ptr',
    name: address,
    status,
    code,
    found,
    says,
  });
  const record: DnsRecord | undefined =
    wanted === undefined ? undefined : { type: 'PTR', name: reverseName(address), value: wanted };
  const asking = record === undefined ? {} : { publish: record };
  if (found.length === 0) {
    const which =
      wanted === undefined ? `: a PTR record of ${reverseName(address)} with the machine's name in EHLO` : '';
    const says = `the address has no name: large receivers refuse it. Whoever rents it out can set one${which}`;
    return { ...finding('problem', 'ptr-missing', says), ...asking };
  }
  const leadsBack = async (name: string): Promise<boolean> =>
    (await lookup.addresses(name)).some((one) => isSame(one, address));
  const back = await Promise.all(found.map(leadsBack));
  const confirmed = found.filter((_, index) => back[index]);
  const [name] = confirmed;
  if (name === undefined) {
    // Where nobody knows the name in EHLO, the one that is there may be meant.
    const right = wanted === undefined ? found[0] : found.find((one) => hostnames.includes(one));
    if (right === undefined)
      return { ...finding('problem', 'ptr-unconfirmed', `its name ${found[0]} does not lead back to it`), ...asking };
    const publish: DnsRecord = { type: isIPv4(address) ? 'A' : 'AAAA', name: right, value: address };
    const other = wanted === undefined ? ': let it, or if it is not yours, have another one set' : '';
    return { ...finding('problem', 'ptr-unconfirmed', `its name ${right} does not lead back to it${other}`), publish };
  }
  if (wanted === undefined || confirmed.some((one) => hostnames.includes(one)))
    return finding(
      'ok',
      'ptr-ok',
      `its name is ${confirmed.find((one) => hostnames.includes(one)) ?? name}, which leads back to it`,
    );
  const says = `its name ${name} leads back to it, and is not the name in EHLO, ${hostnames.join(' or ')}, which some receivers compare`;
  return { ...finding('advice', 'ptr-other', says), ...asking };
}

/** Where the name of an address stands (RFC 1035 section 3.5, RFC 3596 section 2.5). */
function reverseName(address: string): string {
  const parts = (isIPv4(address) ? address : nibbles(address)).split('.').reverse();
  return `${parts.join('.').toLowerCase()}.${isIPv4(address) ? 'in-addr' : 'ip6'}.arpa`;
}

function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  return isIPv6(one) && isIPv6(other) && nibbles(one).toLowerCase() === nibbles(other).toLowerCase();
}
