import { hash } from 'node:crypto';
import type { RouteSpec } from '../deliver/port.ts';
import { createFitting, type Fitting } from './rules.ts';

/** A route in the order of preference. */
export interface Candidate {
  readonly name: string;
  readonly weight: number;
  readonly fitting: Fitting | undefined;
}

/** Routes in order of preference; neighbours with a weight share a place. */
export function placesOf(routes: readonly RouteSpec[]): readonly (readonly Candidate[])[] {
  const places: Candidate[][] = [];
  let shares = false;
  for (const { name, weight, takes } of routes) {
    const candidate = { name, weight: weight ?? 1, fitting: createFitting(takes) };
    if (shares && weight !== undefined) places.at(-1)?.push(candidate);
    else places.push([candidate]);
    shares = weight !== undefined;
  }
  return places;
}

/**
 * Routes of one place in the order in which they get the mail of a recipient: over many recipients each comes first by its
 * weight, and where one is left out, the others share what it had by theirs (weighted rendezvous hashing). The order depends
 * on nothing but the recipient and each route for itself.
 */
export function ranked(equals: readonly Candidate[], address: string): readonly Candidate[] {
  if (equals.length < 2) return equals;
  const key = address.toLowerCase();
  return equals
    .map((candidate) => ({ candidate, rank: rankOf(candidate, key) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ candidate }) => candidate);
}

/** The lowest of exponential times with these rates is each one's by its share of their sum. */
function rankOf({ name, weight }: Candidate, address: string): number {
  const number = hash('sha256', `route ${name} ${address}`, 'buffer').readUInt32BE(0);
  return -Math.log((number + 1) / 2 ** 32) / weight;
}
