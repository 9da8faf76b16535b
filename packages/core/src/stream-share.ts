/** What each stream may have of a limit that both share. */
import type { Stream } from './message.ts';
import type { Rate } from './rate.ts';

/** Of windows up to this length broadcast mail has all, one slice after the other. */
export const SHORT_MS = 10_000;
/** Of longer ones, and of a day of a warm-up, this share is kept for transactional mail. */
const RESERVED_SHARE = 1 / 20;

/** Most starts of a stream in a window. */
export function shareOfRate({ limit, windowMs }: Rate, stream: Stream): number {
  if (stream === 'transactional' || windowMs <= SHORT_MS) return limit;
  return Math.max(1, limit - Math.ceil(limit * RESERVED_SHARE));
}

/** Most starts of a stream on a day of a warm-up. */
export function shareOfDay(ceiling: number, stream: Stream): number {
  return stream === 'transactional' ? ceiling : ceiling - Math.floor(ceiling * RESERVED_SHARE);
}
