import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome, RouteSpec } from '../../../packages/core/src/deliver/port.ts';
import type { MessageEvent, RouteRules } from '../../../packages/core/src/index.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Outages begin within this time, and mail is sent within it. */
const PLAYED = HOUR;

/** What a route takes, of all that {@link Mail} can be. */
const TAKES = {
  all: undefined,
  a: { recipientDomain: 'a.test' },
  b: { recipientDomain: 'b.test' },
  tag: { tag: 'x' },
} as const satisfies Record<string, RouteRules | undefined>;

const OUTAGES = ['down', 'login', 'busy', 'quota', 'closing', 'blocked', 'unknown', 'unknown', 'greylisted'] as const;

interface Outage {
  readonly from: number;
  readonly ms: number;
  readonly said: (typeof OUTAGES)[number];
}

interface Route {
  readonly takes: keyof typeof TAKES;
  readonly outages: readonly Outage[];
}

interface Mail {
  readonly at: number;
  readonly recipient: 'ok' | 'grey' | 'missing';
  readonly domain: 'a' | 'b';
  readonly tagged: boolean;
}

const time = fc.integer({ min: 0, max: PLAYED });
const outages: fc.Arbitrary<readonly Outage[]> = fc.array(
  fc.record({ from: time, ms: fc.integer({ min: SECOND, max: 30 * MINUTE }), said: fc.constantFrom(...OUTAGES) }),
  { maxLength: 5 },
);
const routes: fc.Arbitrary<readonly Route[]> = fc
  .tuple(
    fc.array(fc.record({ takes: fc.constantFrom(...(Object.keys(TAKES) as Route['takes'][])), outages }), {
      minLength: 1,
      maxLength: 3,
    }),
    outages,
  )
  .map(([before, last]) => [...before, { takes: 'all', outages: last }]);
const mails: fc.Arbitrary<readonly Mail[]> = fc
  .array(
    fc.record({
      at: time,
      recipient: fc.constantFrom('ok', 'ok', 'grey', 'missing'),
      domain: fc.constantFrom('a', 'b'),
      tagged: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((all) => all.toSorted((one, other) => one.at - other.at));

/** The breaker of a route, by its documentation: docs/reports.md. */
class Model {
  failures = 0;
  waitMs = 0;
  openUntil: number | undefined;
  /** Since when it is open, and when it was. */
  readonly spans: { from: number; to: number }[] = [];

  hear(said: Outcome, at: number): void {
    if (said.type === 'withdrawn') return;
    const fault = said.type === 'unknown' ? 'connection' : 'fault' in said ? said.fault : undefined;
    const closed = fault === 'connection' || (fault === 'refused' && said.reply.startsWith('421'));
    if (!closed && fault !== 'login') {
      const span = this.spans.at(-1);
      if (span !== undefined && this.openUntil !== undefined) span.to = at;
      Object.assign(this, { failures: 0, waitMs: 0, openUntil: undefined });
      return;
    }
    this.failures += 1;
    if (this.openUntil === undefined && fault !== 'login' && this.failures < 3) return;
    if (this.openUntil === undefined) this.spans.push({ from: at, to: Number.POSITIVE_INFINITY });
    this.waitMs = this.waitMs === 0 ? 5 * SECOND : Math.min(5 * MINUTE, 2 * this.waitMs);
    this.openUntil = at + this.waitMs;
  }

  /** Whether it was open at some time between. */
  wasOpen(from: number, to: number): boolean {
    return this.spans.some((span) => span.from <= to && span.to >= from);
  }
}

/** One try of a delivery over a route. */
interface Try {
  readonly deliveryId: string;
  readonly route: string;
  readonly at: number;
  readonly said: Outcome;
  /** Routes whose breakers were closed then. */
  readonly closed: readonly string[];
}

/** Sends mails over routes with outages, until all is over. */
async function play(specs: readonly Route[], all: readonly Mail[]) {
  const tries: Try[] = [];
  const models = new Map(specs.map((_, index) => [`r${index}`, new Model()]));
  const greeted = new Map<string, number>();
  const early: string[] = [];
  const begin = Date.parse('2026-03-02');

  function sayOf({ outages: given }: Route, name: string, to: string): Outcome {
    const now = clock.now() - begin;
    const outage = given.find(({ from, ms }) => from <= now && now < from + ms);
    if (outage !== undefined) return SAID[outage.said];
    if (to.startsWith('missing')) return SAID.noSuchUser;
    if (!to.startsWith('grey')) return SAID.sent;
    const since = greeted.get(`${name} ${to}`) ?? now;
    greeted.set(`${name} ${to}`, since);
    return now - since < MINUTE ? SAID.greylisted : SAID.sent;
  }

  const made = specs.map((spec, index): RouteSpec => {
    const name = `r${index}`;
    const model = models.get(name) as Model;
    const route = scripted(name, ({ deliveryId, envelope }) => {
      const at = clock.now();
      if (model.openUntil !== undefined && at < model.openUntil) early.push(`${name} at ${at - begin}`);
      const said = sayOf(spec, name, envelope.to);
      model.hear(said, at);
      const closed = [...models].filter(([, one]) => one.openUntil === undefined).map(([one]) => one);
      tries.push({ deliveryId, route: name, at, said, closed });
      return said;
    });
    // One mail at a time, so that none is on its way as a breaker opens.
    return { ...route, takes: TAKES[spec.takes], concurrency: 1 };
  });
  const queue = { retryFirstMs: MINUTE, retryMaxMs: 10 * MINUTE };
  const { relay, clock } = clockedRelay({ routes: made, queue }, begin);
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  const ids: string[] = [];
  for (const [index, { at, recipient, domain, tagged }] of all.entries()) {
    const now = clock.now() - begin;
    if (at > now) await clock.advance(at - now);
    const tags = tagged ? ['x'] : [];
    const to = `${recipient}${index}@${domain}.test`;
    const { deliveries } = await relay.send({ to, subject: 'Hi', text: 'Hello', tags });
    ids.push(...deliveries.map(({ id }) => id));
  }
  await clock.advance(PLAYED + 12 * HOUR);
  const { items } = await relay.messages.list({ limit: 100 });
  const { breakers } = await relay.health();
  await relay.stop();
  return { tries, models, early, events, ids, items, breakers };
}

/** Names of the routes that take a mail, in their order. */
function takingOf(specs: readonly Route[], { domain, tagged }: Mail): string[] {
  const takes = ({ takes: one }: Route): boolean => one === 'all' || one === domain || (one === 'tag' && tagged);
  return specs.flatMap((spec, index) => (takes(spec) ? [`r${index}`] : []));
}

const faultOf = (said: Outcome): string | undefined => ('fault' in said ? said.fault : undefined);

describe('failover, whatever fails', () => {
  it('sends each mail once, moves it only for what is of the route, and never in circles', async () => {
    await fc.assert(
      fc.asyncProperty(routes, mails, async (specs, all) => {
        const { tries, models, early, events, ids, items, breakers } = await play(specs, all);
        expect(early, 'tries over routes whose breaker was open').toEqual([]);
        for (const [index, deliveryId] of ids.entries()) {
          const mail = all[index] as Mail;
          const taking = takingOf(specs, mail);
          const own = tries.filter((one) => one.deliveryId === deliveryId);
          const seen = `${deliveryId} ${JSON.stringify(own.map(({ route, at, said }) => [route, at, said]))}`;

          // Once, and to its end.
          expect(own.filter(({ said }) => said.type === 'sent').length, seen).toBe(
            items.find(({ id }) => id === deliveryId)?.state === 'sent' ? 1 : 0,
          );
          const last = own.at(-1)?.said.type;
          expect(
            own.slice(0, -1).map(({ said }) => said.type),
            seen,
          ).not.toContain('sent');
          expect(items.find(({ id }) => id === deliveryId)?.state, seen).toBe(last === 'sent' ? 'sent' : 'bounced');
          if (mail.recipient !== 'missing' && last !== 'sent') expect(own.at(-1)?.said, seen).toBe(SAID.blocked);

          for (const [n, { route, at, said, closed }] of own.entries()) {
            expect(taking, seen).toContain(route);
            const moved = events.find(
              (event) => event.type === 'deferred' && event.deliveryId === deliveryId && event.attempt === n + 1,
            );
            const movedTo = moved !== undefined && 'movedTo' in moved ? moved.movedTo : undefined;
            const next = own[n + 1];
            if (next === undefined) continue;
            // In circles: at one time, from each route only to those behind it.
            if (next.at === at) expect(taking.indexOf(next.route), seen).toBeGreaterThan(taking.indexOf(route));
            if (faultOf(said) === undefined) {
              expect(movedTo, seen).toBeUndefined();
              expect(next.at, seen).toBeGreaterThan(at);
              // It is on another route only where its own did not work when it was due.
              if (next.route !== route) expect(models.get(route)?.wasOpen(at, next.at), seen).toBe(true);
            }
            // A server that may have it stays its only one, also after what it says later.
            if (own.slice(0, n + 1).some((one) => one.said.type === 'unknown')) {
              expect(movedTo, seen).toBeUndefined();
              expect(next.route, seen).toBe(route);
              continue;
            }
            if (faultOf(said) === undefined) continue;
            const behind = taking.slice(taking.indexOf(route) + 1);
            const steady = behind.filter((name) => closed.includes(name) && !models.get(name)?.wasOpen(at, at));
            if (steady.length > 0) {
              expect(behind, seen).toContain(movedTo);
              expect(next.at, seen).toBe(at);
            }
          }
        }
        for (const [name, model] of models)
          expect(breakers[name]).toMatchObject({
            state: model.openUntil === undefined ? 'closed' : 'open',
            failures: model.failures,
            probeAt: model.openUntil,
          });
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
