import { expect } from 'vitest';
import type { RemoteSmtp } from './smtp.ts';
import type { Seen } from './smtp-log.ts';
import type { Account } from './truth.ts';

/** Most times that lie in one window of this length, wherever it begins; both ends of a window of whole ms belong to the next. */
export function mostWithin(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((one, other) => one - other);
  let first = 0;
  let most = 0;
  for (const [last, at] of sorted.entries()) {
    while (at - (sorted[first] as number) >= windowMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** What was counted, and in how long windows. */
export interface Busiest {
  /** Most starts in one window, as the relay tells them. */
  readonly most: number;
  /** Most mails that the server saw in a window of `seenMs`. */
  readonly mostSeen: number;
  /** A window, less the longest delay of a mail that was not held up, ms. */
  readonly seenMs: number;
  /** Mails that were held up: only their starts are counted. */
  readonly late: number;
}

type Window = { readonly limit: number; readonly windowMs: number };
type Shift = (event: { readonly startedAt: number; readonly seenAt: number }) => number;

/** A mail that the server sees later than this share of a window is held up, as by a server or a machine that stands still. */
const LATE_SHARE = 0.5;
/** More than this share may not be held up: what the server saw would say little. */
const MOST_LATE = 0.25;

/**
 * The rate holds in every sliding window: of the starts that the relay tells, and of what the server saw. A mail reaches the
 * server some time after its start, at most the longest delay that was measured; what the server sees within a window that is
 * shorter by this delay started within one window. Mails that are held up for long are left out of it, so that the server is
 * always asked about half a window at least; how many these may be is bounded. What a process had begun as it was killed is
 * counted as well, though nobody knows its start.
 *
 * @param shift - how far the relay's clock was off, ms, for a start at this time of the relay's clock.
 */
export function expectRateHeld(smtp: RemoteSmtp, account: Account, rate: Window, shift: Shift = () => 0): Busiest {
  const begun = smtp.of('begun');
  const { starts, delays } = startsOf(begun, account, shift);
  const late = new Set([...delays].filter(([, delay]) => delay > rate.windowMs * LATE_SHARE).map(([to]) => to));
  const prompt = [...delays].filter(([to]) => !late.has(to)).map(([, delay]) => delay);
  const seenMs = rate.windowMs - Math.max(...prompt);
  const most = mostWithin(starts, rate.windowMs);
  const seen = begun.filter(({ to }) => !late.has(to)).map(({ at }) => at);
  const mostSeen = mostWithin(seen, seenMs);
  expect(prompt, 'a mail is seen before its start').toSatisfy((all: number[]) => Math.min(...all) >= -CLOCKS_MS);
  expect(late.size, 'mails that were held up').toBeLessThanOrEqual(delays.size * MOST_LATE);
  expect(most, 'starts in one window').toBeLessThanOrEqual(rate.limit);
  expect(mostSeen, `mails at the server within ${seenMs} ms`).toBeLessThanOrEqual(rate.limit);
  return { most, mostSeen, seenMs, late: late.size };
}

/** So much the server may seem to see a mail too early: whole ms are read one after the other. */
const CLOCKS_MS = 2;

/** Starts as the relay tells them, and how long after the last one the server saw each mail that it took. */
function startsOf(begun: readonly Seen[], { events }: Account, shift: Shift) {
  const lastSeen = new Map(begun.map(({ to, at }) => [to, at]));
  const starts: number[] = [];
  const delays = new Map<string, number>();
  for (const [recipient, all] of events) {
    for (const event of all) {
      if (!('transcript' in event) || event.transcript === undefined) continue;
      const { startedAt } = event.transcript;
      const seenAt = lastSeen.get(recipient) as number;
      const start = startedAt + shift({ startedAt, seenAt });
      starts.push(start);
      if (event.type === 'sent') delays.set(recipient, seenAt - start);
    }
  }
  return { starts, delays };
}

/** The limit was what held mail up, so that a rate that is not kept would have shown. */
export function expectRateUsed({ most, mostSeen, seenMs }: Busiest, { limit, windowMs }: Window): void {
  expect(most, 'starts in the busiest window').toBeGreaterThanOrEqual(limit * 0.8);
  // Less in so far as the window was shorter.
  expect(mostSeen, `mails at the server within ${seenMs} ms`).toBeGreaterThanOrEqual((limit * 0.8 * seenMs) / windowMs);
}
