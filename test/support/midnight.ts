import { setTimeout } from 'node:timers/promises';

const DAY_MS = 86_400_000;
/** Longer than a test takes from here to what it counts of the day, on a machine that is busy as well. */
const NEAR_MS = 20_000;

/** Waits for the next day (UTC) where this one is about to end: before what real time counts by day, such as a warm-up. */
export async function awayFromMidnight(): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs < NEAR_MS) await setTimeout(leftMs + 50);
}
