import type { ReasonClass } from '../events.ts';

/** When to try again, and when to give up. */
export interface RetrySchedule {
  readonly firstMs: number;
  /** Each wait is this much longer than the one before. */
  readonly factor: number;
  readonly maxMs: number;
  /** Share by which a wait is varied at random, so that retries spread. */
  readonly jitter: number;
  readonly maxAgeMs: number;
}

/** The schedule that the options of the queue make. */
export function retrySchedule(options: {
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  readonly maxAgeMs: number;
}): RetrySchedule {
  return {
    firstMs: options.retryFirstMs,
    factor: 2,
    maxMs: options.retryMaxMs,
    jitter: 0.2,
    maxAgeMs: options.maxAgeMs,
  };
}

/** Greylisting asks for a pause of minutes (RFC 6647 section 2.1), whatever the schedule says. */
const GREYLIST_FACTOR = 5;
/** Longest wait that a server can ask for, ms; longer where the schedule itself waits longer. */
const NAMED_MS = 6 * 3_600_000;

/** When to try again; `undefined` where the delivery would be too old by then. */
export function nextAttemptAt(attempt: {
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly reason: ReasonClass;
  readonly now: number;
  readonly acceptedAt: number;
  readonly retryAfterMs: number | undefined;
  readonly random: () => number;
  readonly schedule: RetrySchedule;
}): number | undefined {
  const { attempts, reason, now, acceptedAt, retryAfterMs, random, schedule } = attempt;
  const named = Math.min(retryAfterMs ?? 0, Math.max(schedule.maxMs, NAMED_MS));
  const greylisted = reason === 'greylisted' && named === 0;
  const first = greylisted ? schedule.firstMs * GREYLIST_FACTOR : schedule.firstMs;
  const grown = Math.min(schedule.maxMs, first * schedule.factor ** Math.min(attempts - 1, 30));
  const varied = random();
  // Who comes back before the time that was named is sent away again, so that this varies upwards alone.
  const wait = Math.max(grown * (1 + schedule.jitter * (2 * varied - 1)), named * (1 + schedule.jitter * varied));
  const at = Math.ceil(now + wait);
  return at > acceptedAt + schedule.maxAgeMs ? undefined : at;
}
