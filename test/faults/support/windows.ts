import { expect } from 'vitest';
import type { RemoteSmtp } from './smtp.ts';
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

/**
 * The rate holds in every sliding window: of the starts that the relay tells, and of what the server saw. A mail reaches the
 * server some time after its start, at most the longest delay that was measured; what the server sees within a window that is
 * shorter by this delay started within one window. So this is exact, on a slow machine as well.
 *
 * @param shift - how far the relay's clock was off, ms, for a start at this time of the relay's clock.
 */
export function expectRateHeld(
  smtp: RemoteSmtp,
  account: Account,
  rate: { readonly limit: number; readonly windowMs: number },
  shift: (event: { readonly startedAt: number; readonly seenAt: number }) => number = () => 0,
): { readonly most: number; readonly mostSeen: number; readonly delay: number } {
  const begun = smtp.of('begun');
  const lastSeen = new Map(begun.map(({ to, at }) => [to, at]));
  const starts: number[] = [];
  let delay = 0;
  for (const [recipient, events] of account.events) {
    for (const event of events) {
      if (!('transcript' in event) || event.transcript === undefined) continue;
      const { startedAt } = event.transcript;
      const seenAt = lastSeen.get(recipient) as number;
      const start = startedAt + shift({ startedAt, seenAt });
      starts.push(start);
      if (event.type === 'sent') delay = Math.max(delay, seenAt - start);
    }
  }
  const most = mostWithin(starts, rate.windowMs);
  const mostSeen = mostWithin(
    begun.map(({ at }) => at),
    rate.windowMs - delay,
  );
  expect(most, 'starts in one window').toBeLessThanOrEqual(rate.limit);
  expect(mostSeen, `mails at the server in one window, less the delay of ${delay} ms`).toBeLessThanOrEqual(rate.limit);
  return { most, mostSeen, delay };
}
