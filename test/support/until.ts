import { vi } from 'vitest';

/** Moves the clock of a test relay, by so many ms at a time, until it holds: no further than it must. */
export async function until(
  clock: { advance(ms: number): Promise<void> },
  ms: number,
  check: () => unknown,
): Promise<void> {
  await vi.waitFor(
    async () => {
      try {
        await check();
      } catch (error) {
        await clock.advance(ms);
        throw error;
      }
    },
    { timeout: 15_000, interval: 10 },
  );
}
