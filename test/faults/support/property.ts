import fc from 'fast-check';
import { expect } from 'vitest';

/** How often a property is checked. */
export interface Runs {
  readonly runs: number;
  /** A machine that has no time for so many has not checked it. */
  readonly leastRuns: number;
  /** No run begins after so many ms, and the one that goes on then does not count. */
  readonly timeLimitMs: number;
}

/** Checks a property as often as there is time for; a check that is cut short says so, and fails where it had too few runs. */
export async function checkProperty<T>(
  property: fc.IAsyncProperty<T>,
  { runs, leastRuns, timeLimitMs }: Runs,
): Promise<void> {
  const limits = { numRuns: runs, interruptAfterTimeLimit: timeLimitMs, endOnFailure: true };
  const details = await fc.check(property, limits);
  if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
  if (details.interrupted) console.info(`${details.numRuns} of ${runs} runs within ${timeLimitMs} ms`);
  expect(details.numRuns, `runs within ${timeLimitMs} ms`).toBeGreaterThanOrEqual(leastRuns);
}
