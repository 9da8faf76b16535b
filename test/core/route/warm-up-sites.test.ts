import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { capture } from '../../../packages/core/src/index.ts';
import type { Settlement, SiteBounds } from '../../../packages/core/src/queue/port.ts';
import { calendarsOf, ceilingOn, DAY_MS, type WarmUp } from '../../../packages/core/src/warm-up.ts';
import { awayFromMidnight } from '../../support/midnight.ts';
import { relayWith } from '../../support/relay.ts';
import { accept, openStore, STREAMS } from '../queue/site-support.ts';

const FROM = '2026-03-02';
const START = Date.parse(FROM);
const HOUR = 3_600_000;
/** Two with ceilings of their own, one without. */
const SITES = ['narrow.test', 'wide.test', 'free.test'] as const;
const OVERFLOWS = ['wait', 'next-route'] as const;

describe('a warm-up by receiver', () => {
  beforeEach(awayFromMidnight);

  it('holds on every day beside that of the route, over processes; what is beyond takes the other route, or waits', async () => {
    const step = fc.record({
      hours: fc.integer({ min: 1, max: 40 }),
      owner: fc.nat(1),
      stream: fc.constantFrom(...STREAMS),
      limit: fc.integer({ min: 1, max: 60 }),
      // Results that come a step, and often a day, later.
      late: fc.boolean(),
    });
    // Calendars rise: what is reported late leaves the ceiling of a day too low, never too high.
    const days = fc
      .array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 })
      .map((all) => all.toSorted((one, other) => one - other));
    const plan = fc.record({ days, narrow: days, wide: days, overflow: fc.constantFrom(...OVERFLOWS) });
    let beyond = 0;
    await fc.assert(
      fc.asyncProperty(plan, fc.array(step, { minLength: 10, maxLength: 50 }), async (given, steps) => {
        const { overflow } = given;
        const calendars = calendarsOf({
          from: FROM,
          days: given.days.map((most) => 2 * most),
          perSite: { 'narrow.test': given.narrow, 'wide.test': given.wide },
          overflow,
        });
        const store = await openStore();
        const boundsOf = (_: string, site: string): SiteBounds => ({
          connections: 100,
          unproven: 100,
          rates: [],
          warmUp: calendars.sites.get(site),
        });
        const register = (pid: number) => {
          const self = { pid, host: 'a', rates: {}, routes: ['out', 'old'], warmUps: { out: calendars.all } };
          return store.queue.register({ ...self, shaped: { boundsOf } }, START);
        };
        const owners = [await register(1), await register(2)];
        const each = 40;
        for (const stream of STREAMS) {
          const names = SITES.flatMap((site) => Array.from({ length: each }, (_, index) => `n${index}@${site}`));
          await accept(store, stream, names, START - 10 * HOUR);
        }

        const sent = new Map<string, Map<number, number>>();
        const left = { here: 2 * each * SITES.length, moved: 0 };
        const pending: { owner: number; settlement: Settlement }[] = [];
        const settle = async (now: number) => {
          for (const owner of owners) {
            const own = pending.filter((one) => one.owner === owner).map(({ settlement }) => settlement);
            await store.queue.settle(own, { owner, now });
          }
          pending.length = 0;
        };
        const count = (key: string, now: number) => {
          const byDay = sent.get(key) ?? new Map<number, number>();
          sent.set(key, byDay.set(Math.floor(now / DAY_MS), (byDay.get(Math.floor(now / DAY_MS)) ?? 0) + 1));
        };

        let now = START - 10 * HOUR;
        for (const one of steps) {
          now += one.hours * HOUR;
          const owner = owners[one.owner] as number;
          const lane = { route: 'out', stream: one.stream };
          const found = Map.groupBy(store.sites.unsorted({ lane, limit: 1000, now }), ({ domain }) => domain);
          const moves = new Map([...found].map(([site, mails]) => [site, mails.map(({ id }) => id)]));
          await store.sites.sort(lane, moves, now);
          const { limit } = one;
          for (const { id, site = '', overflowUntil } of await store.sites.claim({
            ...{ lane, limit, unknown: limit, failing: limit },
            ...{ owner, now },
          })) {
            const base = { deliveryId: id, transcript: undefined };
            if (overflowUntil === undefined) {
              for (const key of ['', site]) count(key, now);
              const result = { type: 'sent', reply: '250 ok' } as const;
              pending.push({ owner, settlement: { ...base, startedAt: now, result } });
            } else {
              expect(overflow).toBe('next-route');
              expect(overflowUntil).toBe((Math.floor(now / DAY_MS) + 1) * DAY_MS);
              left.moved += 1;
              const result = { type: 'returned', movedTo: 'old' } as const;
              pending.push({ owner, settlement: { ...base, startedAt: undefined, result } });
            }
            left.here -= 1;
          }
          if (!one.late) await settle(now);
        }
        await settle(now);

        const plans: [string, WarmUp | undefined][] = [['', calendars.all], ...calendars.sites];
        for (const [key, calendar] of plans) {
          const byDay = sent.get(key) ?? new Map<number, number>();
          for (const [day, n] of byDay) {
            const ceiling = calendar && ceilingOn(calendar, day, (before) => (byDay.get(before) ?? 0) > 0);
            expect(n).toBeLessThanOrEqual(ceiling ?? Number.POSITIVE_INFINITY);
          }
        }
        // Nothing is lost: what was not sent and not moved waits.
        const waiting = await store.queue.lanes({ limit: 100, offset: 0 });
        const on = (route: string) =>
          waiting.filter((one) => one.route === route).reduce((sum, one) => sum + one.waiting, 0);
        expect([on('out'), on('old')]).toEqual([left.here, left.moved]);
        beyond += left.moved;
      }),
      { numRuns: 40 },
    );
    expect(beyond).toBeGreaterThan(0);
  });

  it.each(OVERFLOWS)('holds for its receiver alone, and says so (%s)', async (overflow) => {
    const from = new Date().toISOString().slice(0, 10);
    const warmUp = { from, days: [50], perSite: { google: [3] }, overflow };
    const relay = relayWith({ routes: [capture({ name: 'new', shaping: true, warmUp }), capture({ name: 'old' })] });
    const people = (domain: string) => Array.from({ length: 6 }, (_, index) => `n${index}@${domain}`);
    await relay.send({ to: [...people('gmail.com'), ...people('yahoo.com')], subject: 'Hi', text: 'Hi' });
    const byWay = async () => {
      const { items } = await relay.messages.list({ limit: 50 });
      const ways = items.map(({ recipient, route, state }) => `${recipient.split('@')[1]} ${route} ${state}`);
      return Object.fromEntries(
        Object.entries(Object.groupBy(ways, (way) => way)).map(([way, all]) => [way, all?.length]),
      );
    };
    const beyond = overflow === 'wait' ? { 'gmail.com new queued': 3 } : { 'gmail.com old sent': 3 };
    await expect.poll(byWay).toEqual({ 'gmail.com new sent': 3, 'yahoo.com new sent': 6, ...beyond });
    const [lane] = await relay.lanes.list({ route: 'new', site: 'google' });
    if (overflow === 'next-route') return void expect(lane).toBeUndefined();
    const today = { kind: 'warm-up', text: `3 on ${from}`, most: 3, used: 3 };
    expect(lane?.limits).toContainEqual(expect.objectContaining(today));
    const [waiting] = (await relay.messages.list({ state: 'queued' })).items;
    const { reasons } = await relay.messages.explain(waiting?.id ?? '');
    expect(reasons).toContainEqual(
      expect.objectContaining({ kind: 'warm-up', text: expect.stringContaining('google') }),
    );
  });
});
