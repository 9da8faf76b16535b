/** The option `bounceDomain`, checked. */
import { domainOf, parseAddress, parseDomain } from './address.ts';
import { refuse } from './rules.ts';

/** Bounce domains or addresses: one for all senders, or by the domain of `from`, in lower-case ASCII; can cross into a thread. */
export type ResolvedBounces = string | ReadonlyMap<string, string> | undefined;

/** Octets of a local part (RFC 5321 section 4.5.3.1.1). */
const MAX_LOCAL = 64;
/** Octets of an address (RFC 5321 section 4.5.3.1.3). */
const MAX_ADDRESS = 254;
/** Longest token, with its `+`. */
const MAX_TOKEN = 25;
/** Local part where only a domain is given. */
export const BOUNCE_NAME = 'bounce';

/** @throws MailRelayError `OPTIONS_INVALID` */
export function resolveBounces(given: string | Readonly<Record<string, string>> | undefined): ResolvedBounces {
  if (given === undefined) return undefined;
  if (typeof given === 'string') return checked(given, 'bounceDomain');
  const bySender = new Map<string, string>();
  for (const [sender, bounces] of Object.entries(given)) {
    const place = `bounceDomain.${sender}`;
    const domain = parseDomain(sender) ?? refuse(place, 'must be named by the domain of a sender, such as example.com');
    if (bySender.has(domain)) refuse(place, 'is the domain of a sender that stands there already');
    bySender.set(domain, checked(bounces, place));
  }
  if (bySender.size === 0) refuse('bounceDomain', 'must name the domain of a sender');
  return bySender;
}

function checked(given: string, place: string): string {
  const problem = problemOf(given);
  if (problem !== undefined) refuse(place, problem);
  return given;
}

/** What is wrong, as the end of a sentence; undefined where nothing is. */
function problemOf(given: string): string | undefined {
  const form = 'must be a domain, or an address such as bounces@example.com';
  const address = addressOf(given);
  if (address === undefined) return form;
  const local = address.slice(0, address.lastIndexOf('@'));
  // An address literal has neither MX nor SPF.
  if (domainOf(address).startsWith('[')) return form;
  if (/[^\x21-\x7e]|"|\+/.test(local))
    return 'must have a plain name before the @: the token goes behind it, after a +';
  if (local.length + MAX_TOKEN > MAX_LOCAL) return `must have at most ${MAX_LOCAL - MAX_TOKEN} characters before the @`;
  if (address.length + MAX_TOKEN > MAX_ADDRESS)
    return `is too long: an envelope sender has at most ${MAX_ADDRESS} characters with its token`;
  return undefined;
}

function addressOf(given: string): string | undefined {
  try {
    if (given.includes('@')) return parseAddress(given);
    const domain = parseDomain(given);
    return domain && `${BOUNCE_NAME}@${domain}`;
  } catch {
    return undefined;
  }
}
