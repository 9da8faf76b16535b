import { expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../packages/core/src/clock.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

it('rings at once for what is past, and without a warning of the process', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  await new Promise<void>((resolve) => void systemClock.alarm(Date.now() - 5000, resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

it('rings once, when it is time, also after longer than a timer can wait; and not when it was called off', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const rung: string[] = [];
  systemClock.alarm(Date.now() + 10 * WEEK_MS, () => void rung.push('late'));
  const callOff = systemClock.alarm(Date.now() + 9 * WEEK_MS, () => void rung.push('called off'));
  systemClock.alarm(Date.now() + 100, () => void rung.push('soon'));
  vi.advanceTimersByTime(WEEK_MS);
  expect(rung).toEqual(['soon']);
  vi.advanceTimersByTime(7 * WEEK_MS);
  callOff();
  vi.advanceTimersByTime(2 * WEEK_MS - 1);
  expect(rung).toEqual(['soon']);
  vi.advanceTimersByTime(1);
  expect(rung).toEqual(['soon', 'late']);
});
