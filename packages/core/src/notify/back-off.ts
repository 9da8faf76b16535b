/** When a failed event is tried again. */
export interface Schedule {
  /** Attempts of one event before it is given up. */
  readonly attempts: number;
  /** Wait after an attempt, ms, before jitter. */
  wait(attempt: number): number;
}

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Waits of handlers: 1 s, 4 s, 16 s, and so on up to an hour. */
export function handlerSchedule(attempts: number): Schedule {
  return { attempts, wait: (attempt) => Math.min(HOUR, SECOND * 4 ** (attempt - 1)) };
}

/** Waits of webhooks: three days and four hours altogether, as the Standard Webhooks specification suggests. */
const WEBHOOK_WAITS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** The schedule of webhooks. */
export const WEBHOOK_SCHEDULE: Schedule = {
  attempts: WEBHOOK_WAITS.length + 1,
  wait: (attempt) => WEBHOOK_WAITS[Math.min(attempt, WEBHOOK_WAITS.length) - 1] ?? HOUR,
};

/** An endpoint that took nothing for so long is asked no more, ms. */
export const WEBHOOK_PAUSE_MS: number = 5 * 24 * HOUR;

/** A wait that is up to a fifth longer, so that what failed together does not come again together. */
export function jittered(ms: number, random: () => number = Math.random): number {
  return Math.round(ms * (1 + random() / 5));
}
