import type { Outcome, OutgoingMail, RouteSpec } from '../../packages/core/src/deliver/port.ts';
import type { MailRelay, MailRelayOptions } from '../../packages/core/src/index.ts';
import { createTestClock, type TestClock } from '../../packages/core/src/testing/clock.ts';
import { createWaiting, type Waiting } from '../../packages/core/src/testing/waiting.ts';
import { relayWith } from './relay.ts';

/** What routes of tests say. */
export const SAID = {
  sent: { type: 'sent', reply: '250 Ok' },
  /** Connection refused. */
  down: { type: 'deferred', reply: 'connect ECONNREFUSED', status: undefined, reason: 'network', fault: 'connection' },
  /** 535. */
  login: { type: 'deferred', reply: '535 5.7.8 No', status: '5.7.8', reason: 'auth-failure', fault: 'login' },
  /** 421. */
  busy: { type: 'deferred', reply: '421 4.3.2 Busy', status: '4.3.2', reason: 'rate-limited', fault: 'connection' },
  quota: {
    type: 'deferred',
    reply: '454 Daily message quota exceeded',
    status: undefined,
    reason: 'rate-limited',
    fault: 'refused',
  },
  /** 421 at the end of a quota. */
  closing: {
    type: 'deferred',
    reply: '421 4.7.0 Daily sending limit exceeded',
    status: '4.7.0',
    reason: 'rate-limited',
    fault: 'refused',
  },
  /** 5xx: our address is on a list. */
  blocked: {
    type: 'bounced',
    kind: 'soft',
    reply: '554 5.7.1 Client host blocked',
    status: '5.7.1',
    reason: 'blocked-ip',
    suppress: false,
    fault: 'refused',
  },
  /** 4xx of the recipient. */
  greylisted: { type: 'deferred', reply: '451 4.7.1 Greylisted', status: '4.7.1', reason: 'greylisted' },
  /** 5xx of the recipient. */
  noSuchUser: {
    type: 'bounced',
    kind: 'hard',
    reply: '550 5.1.1 User unknown',
    status: '5.1.1',
    reason: 'no-such-mailbox',
    suppress: false,
  },
  /** The connection ended after the message. */
  unknown: { type: 'unknown', reply: 'read ECONNRESET', reason: 'unknown' },
} as const satisfies Record<string, Outcome>;

/** A route that says what a test wants. */
export function scripted(
  name: string,
  say: (mail: OutgoingMail) => Outcome | Promise<Outcome>,
  options: Partial<Pick<RouteSpec, 'takes' | 'weight' | 'rate'>> = {},
): RouteSpec {
  return {
    kind: 'custom',
    name,
    ...options,
    create: () => ({
      send: async (mail) => ({
        outcome: await say(mail),
        transcript: { route: name, startedAt: 0, ms: 0, steps: [] },
      }),
      async close() {},
    }),
  };
}

/** A relay whose clock the test moves, in this thread, until the test ends. */
export function clockedRelay(
  options: MailRelayOptions,
  start = Date.parse('2026-03-02'),
): { readonly relay: MailRelay; readonly clock: TestClock; readonly waiting: Waiting } {
  const clock: TestClock = createTestClock(start, () => waiting);
  const relay = relayWith({ thread: false, clock, ...options });
  const waiting: Waiting = createWaiting(relay, async () => {}, clock.now);
  return { relay, clock, waiting };
}
