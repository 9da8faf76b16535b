import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextAttemptAt, retrySchedule } from '../../../packages/core/src/queue/retry.ts';

const MINUTE = 60_000;
const schedule = retrySchedule({ retryFirstMs: MINUTE, retryMaxMs: 240 * MINUTE, maxAgeMs: 7200 * MINUTE });
type Attempt = Parameters<typeof nextAttemptAt>[0];

function wait(own: Partial<Attempt>): number | undefined {
  const attempt = { attempts: 1, reason: 'network', now: 0, acceptedAt: 0, retryAfterMs: undefined } as const;
  return nextAttemptAt({ ...attempt, random: () => 0.5, schedule, ...own });
}

describe('the wait before the next attempt', () => {
  it('doubles up to the longest', () => {
    const minutes = [1, 2, 3, 8, 9, 40].map((attempts) => (wait({ attempts }) ?? 0) / MINUTE);
    expect(minutes).toEqual([1, 2, 4, 128, 240, 240]);
  });

  it('is varied by a fifth to either side, so that retries spread', () => {
    expect([0, 0.5, 1].map((random) => wait({ random: () => random }))).toEqual([48_000, 60_000, 72_000]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 50 }), (random, attempts) => {
        const [varied, plain] = [wait({ attempts, random: () => random }) ?? 0, wait({ attempts }) ?? 0];
        expect(varied).toBeGreaterThanOrEqual(Math.round(plain * 0.8));
        expect(varied).toBeLessThanOrEqual(Math.ceil(plain * 1.2));
      }),
    );
  });

  it('is longer for greylisting, and at least as long as the server asks, up to six hours', () => {
    expect(wait({ reason: 'greylisted' })).toBe(5 * MINUTE);
    expect(wait({ reason: 'greylisted', retryAfterMs: 2 * MINUTE, random: () => 0 })).toBe(2 * MINUTE);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        const waited = wait({ retryAfterMs: 30 * MINUTE, random: () => random }) ?? 0;
        expect(waited).toBeGreaterThanOrEqual(30 * MINUTE);
        expect(waited).toBeLessThanOrEqual(36 * MINUTE + 1);
      }),
    );
    expect(wait({ retryAfterMs: 3000 * MINUTE, random: () => 0 })).toBe(360 * MINUTE);
    expect(wait({ retryAfterMs: 1 })).toBe(MINUTE);
  });

  it('ends where the delivery would be too old', () => {
    expect(wait({ now: 7199 * MINUTE })).toBe(7200 * MINUTE);
    expect(wait({ now: 7199 * MINUTE + 1 })).toBeUndefined();
  });
});
