/**
 * Variable envelope return paths: each mail has an envelope sender of its own, so that a bounce says which mail it is about
 * by the address it comes to, whatever stands in it.
 */
import { domainOf, parseDomain } from './address.ts';
import { lineage } from './alignment.ts';
import { BOUNCE_NAME, type ResolvedBounces } from './bounce-options.ts';

/** Makes envelope senders out of tokens. */
type BounceAddress = (token: string) => string;

/**
 * Envelope senders by the domain of `from`: `bounce+<token>@<domain>`, or `<name>+<token>@<domain>` where an address was given;
 * undefined where bounces go to the sender.
 */
export function createBounceAddresses(bounces: ResolvedBounces): (senderDomain: string) => BounceAddress | undefined {
  if (bounces === undefined) return () => undefined;
  if (typeof bounces === 'string') {
    const all = addressOf(bounces);
    return () => all;
  }
  const made = new Map([...bounces].map(([sender, given]) => [sender, addressOf(given)]));
  return (senderDomain) => nearest(made, senderDomain);
}

/** The domain that bounces of a sender's mail come to; undefined where that is the sender's own. */
export function bounceDomainOf(bounces: ResolvedBounces, senderDomain: string): string | undefined {
  const given = typeof bounces === 'object' ? nearest(bounces, senderDomain) : bounces;
  return given === undefined ? undefined : parseDomain(domainOf(given));
}

/** What stands at a domain, or at the nearest above it. */
function nearest<T>(values: ReadonlyMap<string, T>, domain: string): T | undefined {
  const name = lineage(domain).find((one) => values.has(one));
  return name === undefined ? undefined : values.get(name);
}

function addressOf(given: string): BounceAddress {
  const at = given.lastIndexOf('@');
  const local = at < 0 ? BOUNCE_NAME : given.slice(0, at);
  const domain = parseDomain(domainOf(given));
  return (token) => `${local}+${token}@${domain}`;
}

/** What may be a bounce token in a text: behind a `+` (or what some servers make of it) and before an `@`. */
export function bounceTokensIn(text: string): string[] {
  const found = text.matchAll(/(?:[+]|%2b|=2b|-)([0-9a-z]{14,24})@/gi);
  return [...new Set([...found].slice(0, 50).map(([, token = '']) => token.toLowerCase()))];
}
