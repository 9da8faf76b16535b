import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import type { Stream } from '../../message.ts';
import type { DirectMxSettings } from './port.ts';

/** Local addresses of one delivery, by kind; both undefined where the system chooses. */
export interface Source {
  readonly four: string | undefined;
  readonly six: string | undefined;
  /** Whether servers of a kind can be reached. */
  reaches(address: string): boolean;
  /** The local address for a server. */
  localFor(address: string): string | undefined;
}

/** The system chooses. */
const ANY: Source = { four: undefined, six: undefined, reaches: () => true, localFor: () => undefined };

/** The addresses that a stream may be sent from; empty where the system chooses. */
export function poolOf(localAddresses: DirectMxSettings['localAddresses'], stream: Stream): readonly string[] {
  if (localAddresses === undefined) return [];
  if (!('transactional' in localAddresses || 'broadcast' in localAddresses)) return localAddresses as readonly string[];
  return localAddresses[stream] ?? [];
}

/**
 * Chooses by a hash, so that every attempt of a delivery comes from the same address: greylisting waits for that one
 * (RFC 6647). Where the list changes, only deliveries of addresses that are gone change theirs.
 */
export function chooseSource(
  localAddresses: DirectMxSettings['localAddresses'],
  {
    deliveryId,
    stream,
    avoided = [],
    lacks = () => false,
  }: {
    readonly deliveryId: string;
    readonly stream: Stream;
    /** Left out, where others are left. */
    readonly avoided?: readonly string[] | undefined;
    /** Those that this machine does not have are left out as well, and first. */
    lacks?(localAddress: string): boolean;
  },
): Source {
  const all = poolOf(localAddresses, stream);
  if (all.length === 0) return ANY;
  const pool = without(avoided, without(all.filter(lacks), all));
  const four = best(pool.filter(isIPv4), deliveryId);
  const six = best(pool.filter(isIPv6), deliveryId);
  return {
    four,
    six,
    reaches: (address) => (isIPv6(address) ? six : four) !== undefined,
    localFor: (address) => (isIPv6(address) ? six : four),
  };
}

/** All, where nothing would be left. */
function without(unwanted: readonly string[], all: readonly string[]): readonly string[] {
  const left = all.filter((address) => !unwanted.includes(address));
  return left.length === 0 ? all : left;
}

/** The address with the highest hash together with the delivery. */
function best(addresses: readonly string[], deliveryId: string): string | undefined {
  if (addresses.length < 2) return addresses[0];
  const ranked = addresses.map((address) => ({
    address,
    rank: createHash('sha1').update(`${deliveryId} ${address}`).digest('hex'),
  }));
  return ranked.reduce((one, other) => (other.rank > one.rank ? other : one)).address;
}
