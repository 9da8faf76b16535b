import type { Attempt, Outcome, RouteFault } from '../deliver/port.ts';
import type { Breaker } from '../route/breaker.ts';

/** What attempts over a route of a kind say of the route. */
export interface Lesson {
  learn(breaker: Breaker, attempt: Attempt, now: number): void;
  /** The outcome, with a fault only where another route is to try. */
  meant(outcome: Outcome): Outcome;
}

/** The other side is one and the same for all mail. */
export const ONE_HOP: Lesson = {
  learn(breaker, { outcome }, now) {
    const fault = faultOf(outcome);
    if (outcome.type === 'withdrawn' || fault === 'unreachable') breaker.gaveUp();
    // A server that is silent about its mails is no place for more.
    else if (outcome.type === 'unknown') breaker.failed(now);
    else if (fault === undefined || (fault === 'refused' && !isAway(outcome))) breaker.worked(now);
    else breaker.failed(now, fault === 'login');
  },
  meant: (outcome) => (isBeyondServer(outcome) ? { ...outcome, fault: 'refused' } : outcome),
};

/**
 * Whether the server of a route cannot be reached, or takes no more for now: who ends the conversation (421) does, whatever it
 * has against us. What it says for the recipient's sake is no fault.
 */
export function isAway(outcome: Outcome): boolean {
  const fault = faultOf(outcome);
  return fault === 'connection' || (fault === 'refused' && 'reply' in outcome && outcome.reply.startsWith('421'));
}

/** What its server takes from nobody for anybody, that of another route may: mails of this size (RFC 1870), SMTPUTF8 (RFC 6531). */
function isBeyondServer(outcome: Outcome): outcome is Extract<Outcome, { type: 'bounced' }> {
  if (outcome.type !== 'bounced') return false;
  return outcome.status === '5.3.4' || (outcome.status === '5.6.7' && outcome.own === true);
}

/**
 * A receiver of direct MX is not the route: that one is down, or ends the conversation, is its own affair, and says nothing of
 * the others. That it has blocked us is ours, and so is what this machine cannot do.
 */
export const DIRECT: Lesson = {
  learn(breaker, { outcome, transcript }, now) {
    const fault = faultOf(outcome);
    if (fault === 'machine') breaker.failed(now);
    // Where nobody was called, as by what the DNS says, the machine was not put to the test.
    else if (fault === 'unreachable' || transcript.steps.length === 0) breaker.gaveUp();
    else breaker.worked(now);
  },
  meant(outcome) {
    const fault = faultOf(outcome);
    return fault === 'connection' || fault === 'login' ? ({ ...outcome, fault: undefined } as Outcome) : outcome;
  },
};

/** Routes whose last attempt failed for a reason of the route, which may be gone later. */
export interface Ailing {
  note(route: string, outcome: Outcome): void;
  has(route: string): boolean;
}

export function createAiling(): Ailing {
  const ailing = new Set<string>();
  return {
    has: (route) => ailing.has(route),
    note(route, outcome) {
      if (outcome.type === 'withdrawn' || outcome.type === 'unknown') return;
      const fault = faultOf(outcome);
      // What has no way to one receiver will have none later.
      if (fault === 'unreachable') return;
      if (outcome.type === 'deferred' && fault !== undefined) ailing.add(route);
      else ailing.delete(route);
    },
  };
}

function faultOf(outcome: Outcome): RouteFault | undefined {
  return 'fault' in outcome ? outcome.fault : undefined;
}
