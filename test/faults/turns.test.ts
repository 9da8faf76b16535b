import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Rate } from '../../packages/core/src/rate.ts';
import { scratchFolder } from '../support/relay.ts';
import { inForm } from './support/form.ts';
import { checkProperty } from './support/property.ts';
import { simulate } from './support/simulation.ts';

const TIMEOUT = inForm({ short: 60_000, full: 240_000 });
const RUNS = inForm({ short: 5, full: 60 });
/** Much more than goes out. */
const MANY = 100_000;
const CONCURRENCY = 5;
const SECOND_MS = 1000;
/** Before and after the start of each mail that has no rate; so that at most so many start within a second. */
const LATENCY_MS = 10;
const UNRATED: Rate = { limit: (CONCURRENCY * SECOND_MS) / (2 * LATENCY_MS), windowMs: SECOND_MS };
/** Shares of the window after which transactional mails come, one after the other, each once the one before is on its way. */
const moments = fc.array(fc.double({ min: 0.01, max: 0.8, noNaN: true }), { minLength: 2, maxLength: 5 });
const rate: fc.Arbitrary<Rate> = fc.record({
  limit: fc.integer({ min: 1, max: 120 }),
  windowMs: fc.constantFrom(SECOND_MS, 60_000, 3_600_000),
});

beforeEach(() => {
  const toFake = ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.UTC(2026, 0, 5, 12) });
});
afterEach(() => void vi.useRealTimers());

/**
 * How many broadcast mails began between the acceptance of each transactional mail and its start.
 *
 * @param waiting - broadcast mails at first; more than goes out in the time that this takes where nothing is said
 */
async function overtaking(limits: Rate | undefined, shares: readonly number[], waiting?: number): Promise<number[]> {
  const world = await simulate(join(scratchFolder(), 'relay.db'), limits === undefined ? [] : [limits]);
  const { limit, windowMs } = limits ?? UNRATED;
  const pace = windowMs / SECOND_MS;
  const enough = waiting ?? limit * 2 * (shares.length + 1);
  try {
    await world.accept('broadcast', enough);
    const latency = (): number => (limits === undefined ? LATENCY_MS : 0);
    const host = await world.launch({ concurrency: CONCURRENCY, latency, pace });
    const counts: number[] = [];
    for (const share of shares) {
      await world.pass(share * windowMs);
      const before = world.starts.length;
      await host.accept('transactional', 1);
      const own = (): number => world.starts.findIndex(({ address }, at) => at >= before && address.startsWith('t'));
      for (let waited = 0; own() < 0 && waited < 1.2 * windowMs; waited += 5 * pace) await world.pass(5 * pace);
      expect(own(), 'the transactional mail goes within a window').toBeGreaterThanOrEqual(0);
      counts.push(own() - before);
    }
    expect(world.starts.filter(({ address }) => address.startsWith('b')).length).toBeLessThan(enough);
    return counts;
  } finally {
    await world.close();
  }
}

describe('a transactional mail on the simulated clock', () => {
  it('starts after one slice of the broadcast mail at most, wherever in the window it comes', {
    timeout: TIMEOUT,
  }, async () => {
    let most = 0;
    await checkProperty(
      fc.asyncProperty(rate, moments, async (limits, shares) => {
        const counts = await overtaking(limits, shares);
        most = Math.max(most, ...counts);
        expect(Math.max(...counts), 'broadcast mails that started before').toBeLessThanOrEqual(
          Math.ceil(limits.limit / 8),
        );
      }),
      { runs: RUNS, timeLimitMs: TIMEOUT / 2 },
    );
    console.info({ most });
    // Otherwise nothing was to be overtaken.
    expect(most).toBeGreaterThanOrEqual(inForm({ short: 0, full: 1 }));
  });

  it('starts after what was on its way at most, where there is no rate', { timeout: TIMEOUT }, async () => {
    let most = 0;
    await checkProperty(
      fc.asyncProperty(moments, async (shares) => {
        const counts = await overtaking(undefined, shares);
        most = Math.max(most, ...counts);
        expect(Math.max(...counts), 'broadcast mails that started before').toBeLessThanOrEqual(CONCURRENCY);
      }),
      { runs: RUNS, timeLimitMs: TIMEOUT / 2 },
    );
    console.info({ most });
    // Otherwise nothing was to be overtaken.
    expect(most).toBeGreaterThanOrEqual(inForm({ short: 0, full: 1 }));
  });

  it.runIf(inForm({ short: false, full: true })).for([{ limit: 120, windowMs: SECOND_MS }, undefined])(
    `starts as early while ${MANY} mails wait (rate: %o)`,
    { timeout: TIMEOUT },
    async (limits) => {
      const counts = await overtaking(limits, [0.01, 0.3, 0.6, 0.8, 0.45], MANY);
      console.info({ counts });
      const most = limits === undefined ? CONCURRENCY : Math.ceil(limits.limit / 8);
      expect(Math.max(...counts), 'broadcast mails that started before').toBeLessThanOrEqual(most);
    },
  );
});
