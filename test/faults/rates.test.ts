import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Rate } from '../../packages/core/src/rate.ts';
import { scratchFolder } from '../support/relay.ts';
import { inForm, random } from './support/form.ts';
import { checkProperty } from './support/property.ts';
import { type SimulatedProcess, simulate } from './support/simulation.ts';
import { mostWithin } from './support/windows.ts';

const TIMEOUT = inForm({ short: 60_000, full: 480_000 });
const RUNS = inForm({ short: 5, full: 150 });
const SECOND_MS = 1000;
const UNITS_MS = [SECOND_MS, 60_000, 3_600_000];

/** One to three rates, each over another window: seconds, minutes, hours. The longer a window, the more it may hold. */
const rateSets: fc.Arbitrary<Rate[]> = fc
  .tuple(
    fc.subarray(UNITS_MS, { minLength: 1 }),
    fc.integer({ min: 1, max: 30 }),
    fc.array(fc.integer({ min: 1, max: 5 })),
  )
  .map(([windows, least, growth]) => {
    let limit = least;
    return windows.map((windowMs, index) => {
      if (index > 0) limit = Math.ceil(limit * (growth[index] ?? 1.5));
      return { limit, windowMs };
    });
  });

/** What happens to the processes of a machine, one thing after the other. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1500 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('accept' as const),
      count: fc.integer({ min: 1, max: 40 }),
      stream: fc.constantFrom('transactional' as const, 'broadcast' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('launch' as const), latency: fc.integer({ min: 0, max: 400 }) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('kill' as const, 'stop' as const) }) },
  // Dies with mails on their way whose start nobody knows of.
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('crash' as const),
      latency: fc.integer({ min: 100, max: 600 }),
      after: fc.integer({ min: 50, max: 400 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('back' as const), ms: fc.integer({ min: 1, max: 100_000 }) }) },
  // All are gone for a part of the longest window, or for more than that.
  { weight: 1, arbitrary: fc.record({ what: fc.constant('leap' as const), share: fc.integer({ min: 1, max: 120 }) }) },
);

beforeEach(() => {
  const toFake = ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.UTC(2026, 0, 5, 12) });
});
afterEach(() => void vi.useRealTimers());

/** Mails are not on their way for hours: what waits for a slot meanwhile asks for it every few ms. */
const calmed = (pace: number): number => Math.min(pace, 10);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/**
 * At most two processes at once; a process more takes the place of the one that runs longest.
 *
 * @param pace - everything takes so many times as long, so that long windows are lived through in as many steps as short ones
 */
async function run(rates: readonly Rate[], pace: number, steps: readonly Step[]) {
  const world = await simulate(join(scratchFolder(), 'relay.db'), rates);
  const longest = Math.max(...rates.map(({ windowMs }) => windowMs));
  /** What the longest window can hold. */
  const share = Math.floor(Math.min(...rates.map(({ limit, windowMs }) => limit * (longest / windowMs))));
  const burst = Math.min(...rates.map(({ limit }) => limit));
  const running: SimulatedProcess[] = [];
  let accepted = 0;
  const launch = async (latency: number, at = pace): Promise<void> => {
    if (running.length === 2) running.shift()?.kill();
    const most = latency * calmed(at);
    running.push(await world.launch({ concurrency: 5, latency: () => Math.floor(random() * most), pace: at }));
  };
  const accept = async (stream: 'transactional' | 'broadcast', count: number): Promise<void> => {
    await world.accept(stream, count);
    accepted += count;
  };
  const take = async (one: Step): Promise<void> => {
    if (one.what === 'pass') await world.pass(one.ms * pace);
    if (one.what === 'launch') await launch(one.latency);
    if (one.what === 'crash') {
      await accept('transactional', burst);
      await launch(one.latency);
      await world.pass(one.after * calmed(pace));
      running.pop()?.kill();
    }
    if (one.what === 'kill') running.shift()?.kill();
    if (one.what === 'back') world.setClockBack(one.ms * pace);
    if (one.what === 'leap') {
      running.length = 0;
      world.leap(Math.floor((longest * one.share) / 100));
      await launch(50);
    }
    if (one.what === 'accept') {
      // More than a few windows full would only take long to go out.
      await accept(one.stream, Math.min(one.count, 4 * share));
      for (const { queue } of running) queue.wake();
    }
    if (one.what === 'stop') {
      const stopped = running.shift()?.queue.stop({ drain: false, timeoutMs: 500 * calmed(pace) });
      await world.pass(600 * calmed(pace));
      await stopped;
    }
  };
  try {
    await launch(50);
    for (const one of steps) await take(one);
    // The last one is as slow as the longest window is long; timers of the dead would go on as fast as they were.
    running.length = 0;
    world.leap(0);
    await launch(20, longest / SECOND_MS);
    const begun = (): number => new Set(world.starts.map(({ address }) => address)).size;
    // A lease, and then a window for what is left, with a margin for slices and buckets.
    for (let turn = 0; turn < 10 + (3 * accepted) / share && begun() < accepted; turn++) await world.pass(longest);
    return { starts: world.starts, accepted, begun: begun() };
  } finally {
    await world.close();
  }
}

describe('a rate', () => {
  it('holds in every sliding window, over processes that come and go, and clocks that go back', {
    timeout: TIMEOUT,
  }, async () => {
    let full = 0;
    await checkProperty(
      fc.asyncProperty(
        rateSets,
        fc.nat(),
        fc.array(step, { minLength: 3, maxLength: 15 }),
        async (rates, choice, steps) => {
          // As slow as one of the windows is long.
          const pace = (rates[choice % rates.length] as Rate).windowMs / SECOND_MS;
          const { starts, accepted, begun } = await run(rates, pace, steps);
          const times = starts.map(({ at }) => at);
          for (const { limit, windowMs } of rates) {
            const most = mostWithin(times, windowMs);
            expect(most, `starts within ${windowMs} ms`).toBeLessThanOrEqual(limit);
            if (most === limit) full += 1;
          }
          expect(begun, 'mails that went out').toBe(accepted);
        },
      ),
      { runs: RUNS, timeLimitMs: TIMEOUT / 2 },
    );
    console.info({ runs: RUNS, full });
    // Few histories may have none.
    expect(full, 'windows that were full').toBeGreaterThanOrEqual(inForm({ short: 0, full: 1 }));
  });
});
