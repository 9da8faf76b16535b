/**
 * Variable envelope return paths: each mail has an envelope sender of its own, so that a bounce says which mail it is about
 * by the address it comes to, whatever stands in it.
 */
import { parseAddress, parseDomain } from './address.ts';

/** Local part where only a domain is given. */
const NAME = 'bounce';
/** Octets of a local part (RFC 5321 section 4.5.3.1.1). */
const MAX_LOCAL = 64;
/** Longest token, with its `+`. */
const MAX_TOKEN = 25;

/** What is wrong with the option `bounceDomain`, as the end of a sentence; undefined where nothing is. */
export function bounceAddressProblem(given: string): string | undefined {
  if (!given.includes('@'))
    return parseDomain(given) === undefined ? 'must be a domain, or an address such as bounces@example.com' : undefined;
  try {
    const address = parseAddress(given);
    const local = address.slice(0, address.lastIndexOf('@'));
    if (/[^\x21-\x7e]|"|\+/.test(local))
      return 'must have a plain name before the @: the token goes behind it, after a +';
    if (local.length + MAX_TOKEN > MAX_LOCAL)
      return `must have at most ${MAX_LOCAL - MAX_TOKEN} characters before the @`;
    return undefined;
  } catch {
    return 'must be a domain, or an address such as bounces@example.com';
  }
}

/** Makes envelope senders: `bounce+<token>@<domain>`, or `<name>+<token>@<domain>` where an address was given. */
export function createBounceAddress(given: string): (token: string) => string {
  const at = given.lastIndexOf('@');
  const local = at < 0 ? NAME : given.slice(0, at);
  const domain = parseDomain(given.slice(at + 1));
  return (token) => `${local}+${token}@${domain}`;
}

/** What may be a bounce token in a text: behind a `+` (or what some servers make of it) and before an `@`. */
export function bounceTokensIn(text: string): string[] {
  const found = text.matchAll(/(?:[+]|%2b|=2b|-)([0-9a-z]{14,24})@/gi);
  return [...new Set([...found].slice(0, 50).map(([, token = '']) => token.toLowerCase()))];
}
