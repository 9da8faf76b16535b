import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { capture, smtp } from '../../../packages/core/src/index.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { calendarsOf, ceilingOn, DAY_MS } from '../../../packages/core/src/warm-up.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { awayFromMidnight } from '../../support/midnight.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';
import { until } from '../../support/until.ts';

const FROM = '2026-03-02';
const START = Date.parse(FROM);
const FIRST = START / DAY_MS;
const DAYS = [2, 4, 8];
const plan = calendarsOf({ from: FROM, days: DAYS }).all;

/** Ceilings day by day: `x` is a day with mail, `.` one without. */
function ceilings(history: string): (number | undefined)[] {
  const sent = (day: number) => history[day - FIRST] === 'x';
  return Array.from({ length: history.length + 1 }, (_, index) => ceilingOn(plan, FIRST + index, sent));
}

describe('the ceiling of a day', () => {
  it('rises with each day on which mail was sent, and then is gone', () => {
    expect(ceilings('xxx')).toEqual([2, 4, 8, undefined]);
    expect(ceilings('x..x')).toEqual([2, 4, 4, 4, 8]);
    expect(ceilingOn(plan, FIRST - 1, () => true)).toBe(0);
  });

  it('goes back a day for each day of a pause after the third, also after the end', () => {
    expect(ceilings('xx......')).toEqual([2, 4, 8, 8, 8, 8, 4, 2, 2]);
    expect(ceilings('xxx....x')).toEqual([2, 4, 8, undefined, undefined, undefined, undefined, 8, undefined]);
  });

  it('never rises by more than a day at a time, nor without mail', () => {
    const days = calendarsOf({ from: FROM }).all.days;
    const standard = calendarsOf({ from: FROM }).all;
    expect([...days].sort((one, other) => one - other)).toEqual(days);
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 80 }), (history) => {
        const stages = Array.from({ length: history.length + 1 }, (_, index) => {
          const ceiling = ceilingOn(standard, FIRST + index, (day) => history[day - FIRST] === true);
          return ceiling === undefined ? days.length : days.indexOf(ceiling);
        });
        for (const [index, stage] of stages.entries())
          expect(stage).toBeLessThanOrEqual((stages[index - 1] ?? 0) + (history[index - 1] === true ? 1 : 0));
      }),
    );
  });
});

async function openStore(path = ':memory:'): Promise<Store> {
  const store = createSqliteStore({ path, messageIdOf: () => '<a@b.example>' });
  await store.open();
  return store;
}

async function accept(store: Store, stream: 'transactional' | 'broadcast', n: number, now: number): Promise<void> {
  const recipients = Array.from({ length: n }, (_, index) => recipientOf(`r${index}@${now}.example`));
  const base = { campaign: undefined, tags: [], metadata: undefined, sendAt: undefined, idempotencyKey: undefined };
  await store.intake.accept({ ...base, content: contentOf({ stream }), route: 'out', now, recipients });
}

async function register(store: Store, pid: number, now: number): Promise<number> {
  return store.queue.register({ pid, host: 'a', rates: {}, routes: ['out'], warmUps: { out: plan } }, now);
}

/** Claims and sends what may go. */
async function send(store: Store, stream: 'transactional' | 'broadcast', owner: number, now: number): Promise<number> {
  const claimed = await store.queue.claim({ lane: { route: 'out', stream }, limit: 50, owner, now });
  const settlements = claimed.map(({ id }) => ({
    deliveryId: id,
    startedAt: now,
    transcript: undefined,
    result: { type: 'sent', reply: '250 ok' } as const,
  }));
  await store.queue.settle(settlements, { owner, now });
  return claimed.length;
}

describe('a warm-up', () => {
  beforeEach(awayFromMidnight);

  it('holds on every day, over processes and restarts, whatever is sent when', async () => {
    const step = fc.record({
      hours: fc.integer({ min: 1, max: 60 }),
      owner: fc.boolean(),
      stream: fc.constantFrom('transactional' as const, 'broadcast' as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const store = await openStore();
        const owners = [await register(store, 1, START), await register(store, 2, START)] as const;
        for (const stream of ['transactional', 'broadcast'] as const) await accept(store, stream, 200, START);
        const byDay = new Map<number, number>();
        let now = START - 10 * 3_600_000;
        for (const { hours, owner, stream } of steps) {
          now += hours * 3_600_000;
          const day = Math.floor(now / DAY_MS);
          const n = await send(store, stream, owners[owner ? 0 : 1], now);
          byDay.set(day, (byDay.get(day) ?? 0) + n);
        }
        for (const [day, n] of byDay) {
          const ceiling = ceilingOn(plan, day, (before) => (byDay.get(before) ?? 0) > 0);
          expect(n).toBeLessThanOrEqual(ceiling ?? Number.POSITIVE_INFINITY);
        }
        await store.close();
      }),
      { numRuns: 30 },
    );
  });

  it('goes on after a restart where it was', async () => {
    const path = join(scratchFolder(), 'relay.db');
    const before = await openStore(path);
    await accept(before, 'transactional', 50, START);
    const owner = await register(before, 1, START);
    expect(await send(before, 'transactional', owner, START)).toBe(2);
    await before.close();
    const after = await openStore(path);
    const again = await register(after, 2, START + 1000);
    expect(await send(after, 'transactional', again, START + 1000)).toBe(0);
    expect(after.queue.nextSlotAt({ route: 'out', stream: 'transactional' }, START + 1000)).toBe(START + DAY_MS);
    expect(after.queue.used({ route: 'out', stream: 'transactional' }, START + 1000)).toEqual({
      rates: [],
      today: { ceiling: 2, sent: 2, until: START + DAY_MS },
    });
    expect(await send(after, 'transactional', again, START + DAY_MS)).toBe(4);
    await after.close();
  });

  it('gives what is beyond it to the next route that takes it, and keeps what no other takes', async () => {
    const from = new Date().toISOString().slice(0, 10);
    const takes = { recipientDomain: 'example.com' };
    const relay = relayWith({
      routes: [
        capture({ name: 'new', warmUp: { from, days: [3], overflow: 'next-route' } }),
        capture({ name: 'old', takes }),
      ],
    });
    const names = (domain: string) => Array.from({ length: 6 }, (_, index) => `n${index}@${domain}`);
    await relay.send({ to: names('example.com'), subject: 'Hi', text: 'Hi' });
    await relay.send({ to: names('example.org'), subject: 'Hi', text: 'Hi' });
    const count = async () => {
      const { items } = await relay.messages.list({ limit: 50 });
      return Object.entries(Object.groupBy(items, ({ route, state }) => `${route} ${state}`))
        .map(([name, all]) => `${name} ${all?.length}`)
        .sort();
    };
    await expect.poll(count).toEqual(['new queued 6', 'new sent 3', 'old sent 3']);
  });

  it('waits for the next route where that does not work, and not for the next day', async () => {
    let down = true;
    const routes = [
      capture({ name: 'new', warmUp: { from: FROM, days: [3], overflow: 'next-route' } }),
      scripted('old', () => (down ? SAID.down : SAID.sent)),
    ];
    const noon = START + DAY_MS / 2;
    const { relay, clock, waiting } = clockedRelay({ queue: { retryFirstMs: 1000 }, routes }, noon);
    const to = Array.from({ length: 8 }, (_, index) => `n${index}@example.com`);
    const { id } = await relay.send({ to, subject: 'Hi', text: 'Hi' });
    const inState = async (state: 'sent' | 'deferred' | 'queued') =>
      (await relay.messages.list({ message: id, state })).items;
    await waiting.settled();
    expect(await inState('deferred')).toHaveLength(5);
    // Those that are tried again find the next route out of order.
    await clock.advance(2500);
    const explained = (await inState('queued')).map(({ id: one }) => relay.messages.explain(one));
    expect(explained).toHaveLength(5);
    for (const { reasons, nextAt } of await Promise.all(explained)) {
      expect(reasons).toMatchObject([{ kind: 'retry' }]);
      expect((nextAt?.getTime() ?? Number.NaN) - clock.now()).toBeLessThan(10_000);
    }
    down = false;
    await until(clock, 1000, async () => expect(await inState('sent')).toHaveLength(8));
  });

  it('is checked at start', () => {
    const server = 'smtp://127.0.0.1:2525';
    const wrong = [
      { from: '2026-02-30' },
      { from: 'tomorrow' },
      { from: FROM, days: [] },
      { from: FROM, days: [0] },
      { from: FROM, days: Array.from({ length: 91 }, () => 1) },
      { from: FROM, overflow: 'drop' as 'wait' },
      { days: [1] } as unknown as { from: string },
    ];
    for (const warmUp of wrong)
      expect(() => smtp(server, { warmUp })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
    const bySite = smtp(server, { warmUp: { from: FROM, perSite: { google: [1] } } });
    expect(() => relayWith({ routes: [bySite] })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
  });
});
