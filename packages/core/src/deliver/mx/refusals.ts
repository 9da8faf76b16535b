/** What is known of a mail before any server is spoken to. */
import type { ReasonClass } from '../../events.ts';
import type { Outcome, RouteFault } from '../port.ts';

/** Later may be better. */
export function later(reason: ReasonClass, reply: string, retryAfterMs?: number): Outcome {
  return { type: 'deferred', reply, status: undefined, reason, retryAfterMs };
}

/** This machine cannot send it: another route may. */
export function unsendable(fault: Extract<RouteFault, 'machine' | 'unreachable'>, reply: string): Outcome {
  return { type: 'deferred', reply, status: undefined, reason: fault === 'machine' ? 'system' : 'network', fault };
}

/**
 * No attempt will do. None of these puts the address on the suppression list: asking the DNS again costs nothing and harms
 * nobody, while a wrong answer of a resolver would lose the addresses of a whole domain.
 *
 * @param reply - begins with an enhanced status code (RFC 3463)
 */
function never(reason: ReasonClass, reply: string, kind: 'hard' | 'soft' = 'hard'): Outcome {
  return { type: 'bounced', kind, reply, status: reply.split(' ', 1)[0], reason, suppress: false };
}

export const noSuchDomain = (domain: string): Outcome => never('no-such-domain', `5.1.2 there is no domain ${domain}`);
export const noServer = (domain: string): Outcome =>
  never('no-such-domain', `5.1.2 ${domain} has neither a mail server (MX) nor an address`);
export const nullMx = (domain: string): Outcome =>
  never('null-mx', `5.1.10 ${domain} takes no mail (null MX, RFC 7505)`);
export const literalRefused = (literal: string): Outcome =>
  never('policy', `5.1.3 the route does not send to address literals such as ${literal}`);
export const specialRefused = (domain: string): Outcome =>
  never('policy', `5.4.4 the mail servers of ${domain} have private or otherwise special addresses only`, 'soft');
export const loop = (domain: string, hostname: string): Outcome =>
  never('system', `5.4.6 mail for ${domain} comes back here: ${hostname} is its best mail server`, 'soft');
