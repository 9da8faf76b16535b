import fc from 'fast-check';
import { expect } from 'vitest';
import { seed } from './form.ts';

/** How often a property is checked. */
export interface Runs {
  readonly runs: number;
  /** No run begins after so many ms, and the one that goes on then does not count. */
  readonly timeLimitMs: number;
}

/** Checks a property on examples that MAIL_RELAY_SEED repeats. A machine that has no time for all of them has not checked it. */
export async function checkProperty<T>(property: fc.IAsyncProperty<T>, { runs, timeLimitMs }: Runs): Promise<void> {
  const limits = { seed, numRuns: runs, interruptAfterTimeLimit: timeLimitMs, endOnFailure: true };
  const details = await fc.check(property, limits);
  if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
  expect(details.numRuns, `runs within ${timeLimitMs} ms`).toBe(runs);
}
