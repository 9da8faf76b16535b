import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { inForm, random } from './support/form.ts';
import { type SimulatedProcess, simulate } from './support/simulation.ts';
import { mostWithin } from './support/windows.ts';

const TIMEOUT = inForm({ short: 60_000, full: 480_000 });
const WINDOW_MS = 1000;

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
);

beforeEach(() => {
  const toFake = ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.UTC(2026, 0, 5, 12) });
});
afterEach(() => void vi.useRealTimers());

/** At most two processes at once; a process more takes the place of the one that runs longest. */
async function run(limit: number, steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const world = await simulate(join(scratchFolder(), 'relay.db'), { limit, windowMs: WINDOW_MS });
  const running: SimulatedProcess[] = [];
  let accepted = 0;
  const launch = async (most: number): Promise<void> => {
    if (running.length === 2) running.shift()?.kill();
    running.push(await world.launch({ concurrency: 5, latency: () => Math.floor(random() * most) }));
  };
  try {
    await launch(50);
    for (const one of steps) {
      if (one.what === 'pass') await world.pass(one.ms);
      if (one.what === 'launch') await launch(one.latency);
      if (one.what === 'crash') {
        await world.accept('transactional', limit);
        accepted += limit;
        await launch(one.latency);
        await world.pass(one.after);
        running.pop()?.kill();
      }
      if (one.what === 'kill') running.shift()?.kill();
      if (one.what === 'back') world.setClockBack(one.ms);
      if (one.what === 'accept') {
        await world.accept(one.stream, one.count);
        accepted += one.count;
        for (const { queue } of running) queue.wake();
      }
      if (one.what === 'stop') {
        const stopped = running.shift()?.queue.stop({ drain: false, timeoutMs: 500 });
        await world.pass(600);
        await stopped;
      }
    }
    await launch(20);
    const begun = (): number => new Set(world.starts.map(({ address }) => address)).size;
    // A lease, and then a window for what is left, with a margin for slices and buckets.
    for (let second = 0; second < 10 + (3 * accepted) / limit && begun() < accepted; second++) await world.pass(1000);
    return { starts: world.starts, accepted, begun: begun() };
  } finally {
    await world.close();
  }
}

describe('a rate', () => {
  it('holds in every sliding window, over processes that come and go, and clocks that go back', {
    timeout: TIMEOUT,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 30 }),
        fc.array(step, { minLength: 3, maxLength: 15 }),
        async (limit, steps) => {
          const { starts, accepted, begun } = await run(limit, steps);
          expect(
            mostWithin(
              starts.map(({ at }) => at),
              WINDOW_MS,
            ),
          ).toBeLessThanOrEqual(limit);
          expect(begun, 'mails that went out').toBe(accepted);
        },
      ),
      { numRuns: inForm({ short: 5, full: 150 }), interruptAfterTimeLimit: TIMEOUT / 2, endOnFailure: true },
    );
  });
});
