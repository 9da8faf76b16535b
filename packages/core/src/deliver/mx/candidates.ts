import { isIP } from 'node:net';
import { isSpecialAddress } from '../../special-addresses.ts';
import type { Outcome } from '../port.ts';
import { later, specialRefused, unsendable } from './refusals.ts';
import type { MxRecord, Resolver } from './resolver.ts';
import type { Source } from './source-address.ts';

/** One address to try. */
export interface Candidate {
  readonly host: string;
  readonly address: string;
}

/** Hosts that are looked up, addresses of one host and of all that are tried, in one attempt. */
const HOSTS = 5;
const PER_HOST = 3;
const ADDRESSES = 8;

/** What the search works with. */
export interface CandidateContext {
  readonly domain: string;
  readonly hosts: readonly MxRecord[];
  readonly source: Source;
  readonly allowSpecial: boolean;
  readonly resolver: Pick<Resolver, 'addresses'>;
}

/**
 * The addresses of hosts, one after the other, as they are needed. Returns at its end why there was none, for the case that
 * there was none.
 */
export async function* candidates(context: CandidateContext): AsyncGenerator<Candidate, Outcome> {
  const { domain, hosts, source, allowSpecial, resolver } = context;
  let left = ADDRESSES;
  let trouble: string | undefined;
  let special = false;
  let unreachable = false;
  for (const { name: host } of hosts.slice(0, HOSTS)) {
    const answer = await addressesOf(host, resolver);
    if (answer.type === 'trouble') trouble ??= answer.reply;
    if (answer.type !== 'found') continue;
    const allowed = answer.records.filter((address) => allowSpecial || !isSpecialAddress(address));
    if (allowed.length < answer.records.length) special = true;
    const reached = allowed.filter((address) => source.reaches(address));
    if (reached.length < allowed.length) unreachable = true;
    for (const address of mixed(reached).slice(0, Math.min(PER_HOST, left))) {
      left -= 1;
      yield { host, address };
    }
  }
  if (trouble !== undefined) return later('dns', trouble);
  if (unreachable) return unsendable('unreachable', `no local address reaches the mail servers of ${domain}`);
  // Private addresses beside names without one may be half of a move; nothing but private ones is meant.
  if (special) return specialRefused(domain);
  return later('dns', `none of the mail servers of ${domain} has an address`);
}

function addressesOf(host: string, resolver: Pick<Resolver, 'addresses'>): ReturnType<Resolver['addresses']> {
  // What only the system reads as an address (`127.1`) is a name: no rule of addresses would hold for it.
  return isIP(host) === 0 ? resolver.addresses(host) : Promise.resolve({ type: 'found', records: [host] });
}

/** IPv4 and IPv6 in turn, so that one kind that does not work costs little. */
function mixed(addresses: readonly string[]): string[] {
  const six = addresses.filter((address) => address.includes(':'));
  const four = addresses.filter((address) => !address.includes(':'));
  const pairs = Array.from({ length: Math.max(four.length, six.length) }, (_, at) => [four[at], six[at]]);
  return pairs.flat().filter((address) => address !== undefined);
}
