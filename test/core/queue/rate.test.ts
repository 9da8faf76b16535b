import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { QueueStore } from '../../../packages/core/src/queue/port.ts';
import { nextAttemptAt } from '../../../packages/core/src/queue/retry.ts';
import { parseRate } from '../../../packages/core/src/rate.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { contentOf, recipientOf } from '../../support/content.ts';

const lane = { route: 'out', stream: 'transactional' } as const;

async function openStore(path = ':memory:'): Promise<Store> {
  const store = createSqliteStore({ path, messageIdOf: () => '<a@b.example>' });
  await store.open();
  return store;
}

async function storeWith(deliveries: number, path?: string): Promise<Store> {
  const store = await openStore(path);
  const recipients = Array.from({ length: deliveries }, (_, index) => recipientOf(`r${index}@example.com`));
  const input = { campaign: undefined, tags: [], metadata: undefined, sendAt: undefined };
  for (const stream of ['transactional', 'broadcast'] as const) {
    const content = contentOf({ stream });
    await store.intake.accept({ ...input, content, idempotencyKey: undefined, route: 'out', now: 0, recipients });
  }
  return store;
}

async function sendAll(
  queue: QueueStore,
  owner: number,
  now: number,
  { delay: delayMs, early, broadcast }: { delay: number; early: boolean; broadcast: boolean },
): Promise<number[]> {
  const from = broadcast ? ({ route: 'out', stream: 'broadcast' } as const) : lane;
  const claimed = await queue.claim({ lane: from, limit: 50, owner, now });
  const starts = claimed.map((_, index) => now + Math.floor((delayMs * index) / Math.max(1, claimed.length)));
  const settlements = claimed.map(({ id }, index) => ({
    deliveryId: id,
    startedAt: starts[index],
    transcript: undefined,
    result: { type: 'sent', reply: '250 ok' } as const,
  }));
  // What began and has no result yet counts as well.
  if (early) await queue.started('out', starts, owner);
  else await queue.settle(settlements, { owner, now: now + delayMs });
  return starts;
}

describe('rates', () => {
  it('read as a number per unit', () => {
    expect(parseRate('200/s')).toEqual({ limit: 200, windowMs: 1000 });
    expect(parseRate('50000/day')).toEqual({ limit: 50_000, windowMs: 86_400_000 });
    expect(() => parseRate('fast')).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
    expect(() => parseRate('0/s')).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
  });

  it('hold in every sliding window, with two owners, whatever the pace', async () => {
    const pace = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 700 }),
        delay: fc.integer({ min: 0, max: 300 }),
        owner: fc.boolean(),
        early: fc.boolean(),
        broadcast: fc.boolean(),
      }),
      { minLength: 5, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), pace, async (limit, steps) => {
        const store = await storeWith(100);
        const rate = { limit, windowMs: 1000 };
        const owners = [
          await store.queue.register({ pid: 1, host: 'a', rates: { out: rate } }, 0),
          await store.queue.register({ pid: 2, host: 'a', rates: { out: rate } }, 0),
        ];
        const starts: number[] = [];
        let now = 1000;
        for (const { wait, owner, ...step } of steps) {
          now += wait;
          starts.push(...(await sendAll(store.queue, owners[owner ? 0 : 1] as number, now, step)));
          now += step.delay;
        }
        await store.close();
        for (const start of starts)
          expect(starts.filter((at) => at >= start && at < start + 1000).length).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 25 },
    );
  });

  it('leave room for transactional mail: slices of a short window, a share of a long one', async () => {
    const broadcast = { route: 'out', stream: 'broadcast' } as const;
    for (const [rate, first, later] of [
      [{ limit: 80, windowMs: 1000 }, 10, 70],
      [{ limit: 60, windowMs: 60_000 }, 57, 3],
    ] as const) {
      const store = await storeWith(100);
      const owner = await store.queue.register({ pid: 1, host: 'a', rates: { out: rate } }, 0);
      const claim = (from: typeof lane | typeof broadcast): Promise<unknown[]> =>
        store.queue.claim({ lane: from, limit: 100, owner, now: 1000 });
      expect(await claim(broadcast)).toHaveLength(first);
      expect(await claim(broadcast)).toHaveLength(0);
      expect(await claim(lane)).toHaveLength(later);
      await store.close();
    }
  });

  it('take back what was claimed and never began', async () => {
    const store = await storeWith(20);
    const rate = { limit: 10, windowMs: 1000 };
    const owner = await store.queue.register({ pid: 1, host: 'a', rates: { out: rate } }, 0);
    const claimed = await store.queue.claim({ lane, limit: 20, owner, now: 100 });
    const returned = claimed.map(({ id }) => ({
      deliveryId: id,
      startedAt: undefined,
      transcript: undefined,
      result: { type: 'returned' } as const,
    }));
    await store.queue.settle(returned, { owner, now: 100 });
    expect(await store.queue.claim({ lane, limit: 20, owner, now: 100 })).toHaveLength(10);
    // Reports of an owner that was given up must not make room.
    await store.queue.started('out', [100, 100], owner + 100);
    expect(await store.queue.claim({ lane, limit: 20, owner, now: 100 })).toHaveLength(0);
    await store.close();
  });

  it('count what a dead owner had in its hands, also in a process that has just started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mail-relay-rate-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rate = { limit: 10, windowMs: 1000 };
    const before = await storeWith(20, join(folder, 'relay.db'));
    const dead = await before.queue.register({ pid: 1, host: 'a', rates: { out: rate } }, 0);
    expect(await before.queue.claim({ lane, limit: 10, owner: dead, now: 100 })).toHaveLength(10);
    await before.close();
    const store = await openStore(join(folder, 'relay.db'));
    const owner = await store.queue.register({ pid: 2, host: 'a', rates: { out: rate } }, 20_000);
    expect(await store.queue.beat(owner, { now: 20_000, leaseMs: 15_000 })).toMatchObject({
      alive: true,
      recovered: 10,
    });
    expect(await store.queue.claim({ lane, limit: 20, owner, now: 20_500 })).toHaveLength(0);
    expect(await store.queue.claim({ lane, limit: 20, owner, now: 21_100 })).toHaveLength(10);
    await store.close();
  });
});

describe('retries', () => {
  const schedule = { firstMs: 1000, factor: 2, maxMs: 8000, jitter: 0, maxAgeMs: 60_000 };
  const attempt = {
    reason: 'other',
    now: 0,
    acceptedAt: 0,
    retryAfterMs: undefined,
    random: () => 0.5,
    schedule,
  } as const;

  it('wait longer each time, up to a bound, and longest for greylisting', () => {
    expect([1, 2, 3, 4, 9].map((attempts) => nextAttemptAt({ ...attempt, attempts }))).toEqual([
      1000, 2000, 4000, 8000, 8000,
    ]);
    expect(nextAttemptAt({ ...attempt, attempts: 1, reason: 'greylisted' })).toBe(5000);
  });

  it('end with the maximum age', () => {
    expect(nextAttemptAt({ ...attempt, attempts: 1, now: 59_000 })).toBe(60_000);
    expect(nextAttemptAt({ ...attempt, attempts: 1, now: 59_001 })).toBeUndefined();
  });
});
