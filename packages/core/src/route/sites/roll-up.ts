import { getDomain, getPublicSuffix } from 'tldts';
import { createKnownReceivers, type KnownReceivers, type Recognised } from './known.ts';
import { RECEIVERS } from './receivers.ts';

/** One host of an MX set; the lowest preference is the best. */
export interface MxHost {
  readonly name: string;
  readonly preference: number;
}

/** Which site is behind a recipient's domain. */
export interface RollUp extends Pick<KnownReceivers, 'ofDomain'> {
  /**
   * The site of an MX set: the known receiver that its best host belongs to, else the name that this host is registered under.
   * Of several best hosts, which are tried in any order, a known receiver comes first, then the name that is first in the alphabet.
   */
  ofHosts(hosts: readonly MxHost[]): string;
}

/** @param receivers - those that come first win. */
export function createRollUp(receivers: readonly Recognised[]): RollUp {
  const { ofHost, ofDomain } = createKnownReceivers(receivers);
  return {
    ofHosts(hosts) {
      const preference = Math.min(...hosts.map((host) => host.preference));
      const best = hosts.filter((host) => host.preference === preference).map(({ name }) => name);
      const known = best.flatMap((host) => ofHost(host) ?? []);
      return (known.length > 0 ? known : best.map(registeredName)).sort()[0] ?? '';
    },
    ofDomain,
  };
}

/**
 * Answers the site of a domain, or of a mail host.
 *
 * @param own - receivers that come before those of the data
 */
export function createNamer(own: readonly Recognised[]): (name: string) => string {
  const { ofDomain, ofHosts } = createRollUp([...own, ...RECEIVERS]);
  return (name) => ofDomain(name) ?? ofHosts([{ name, preference: 0 }]);
}

/**
 * The name that a host is registered under, by the Public Suffix List: `mx1.example.co.uk` is of `example.co.uk`. Names below those
 * of companies that are open to everybody (`dyndns.org`) are told apart, too. Addresses, single labels and what is open itself
 * stand for themselves.
 */
function registeredName(host: string): string {
  return getDomain(host, LIST) ?? host;
}

/** Whether anybody can have a name below it, by the same list: `co.uk`, `dyndns.org`. Each of these is a site of its own. */
export function isShared(name: string): boolean {
  return name.includes('.') && getPublicSuffix(name, LIST) === name;
}

const LIST = { allowPrivateDomains: true, extractHostname: false } as const;
