import { isIP } from 'node:net';
import type { Outcome } from '../port.ts';
import type { DirectMxSettings } from './port.ts';
import { later, literalRefused, loop, noServer, noSuchDomain, nullMx } from './refusals.ts';
import type { MxRecord, Resolver } from './resolver.ts';

/** Where mail for a domain goes, in the order of trying; or why it cannot. */
export type Destination =
  | { readonly type: 'hosts'; readonly hosts: readonly MxRecord[] }
  | { readonly type: 'refused'; readonly outcome: Outcome };

/** What finding a destination works with. */
export interface DestinationContext {
  readonly resolver: Resolver;
  readonly settings: Pick<DirectMxSettings, 'hostname' | 'allowAddressLiterals'>;
  /** From 0 to below 1. */
  random(): number;
}

const refused = (outcome: Outcome): Destination => ({ type: 'refused', outcome });

/** The hosts that take mail for a domain (RFC 5321 section 5.1), those of equal preference shuffled. */
export async function findDestination(domain: string, context: DestinationContext): Promise<Destination> {
  const { resolver, settings, random } = context;
  if (domain.startsWith('[')) return ofLiteral(domain, settings.allowAddressLiterals ?? false);
  const answer = await resolver.mx(domain);
  switch (answer.type) {
    case 'trouble':
      return refused(later('dns', answer.reply));
    case 'no-such-name':
      return refused(noSuchDomain(domain));
    case 'none':
      return ofAddress(domain, resolver);
    case 'found':
      return ofRecords(domain, answer.records, settings.hostname, random);
  }
}

function ofLiteral(domain: string, allowed: boolean): Destination {
  const address = domain.slice(1, -1).replace(/^IPv6:/i, '');
  if (!allowed || isIP(address) === 0) return refused(literalRefused(domain));
  return { type: 'hosts', hosts: [{ name: address, preference: 0 }] };
}

/** A domain without MX is its own mail server, where it has an address. */
async function ofAddress(domain: string, resolver: Resolver): Promise<Destination> {
  const answer = await resolver.addresses(domain);
  if (answer.type === 'trouble') return refused(later('dns', answer.reply));
  if (answer.type !== 'found') return refused(noServer(domain));
  return { type: 'hosts', hosts: [{ name: domain, preference: 0 }] };
}

function ofRecords(domain: string, records: readonly MxRecord[], hostname: string, random: () => number): Destination {
  const hosts = records.filter(({ name }) => name !== '');
  if (hosts.length === 0) return refused(nullMx(domain));
  // Where we are one of the hosts, only better ones may be tried, or the mail comes back to us (RFC 5321 section 5.1).
  const own = hosts.find(({ name }) => name === hostname.toLowerCase())?.preference ?? Number.POSITIVE_INFINITY;
  const better = hosts.filter(({ preference }) => preference < own);
  if (better.length === 0) return refused(loop(domain, hostname));
  const drawn = better.map((host) => ({ host, lot: random() }));
  drawn.sort((one, other) => one.host.preference - other.host.preference || one.lot - other.lot);
  return { type: 'hosts', hosts: drawn.map(({ host }) => host) };
}
