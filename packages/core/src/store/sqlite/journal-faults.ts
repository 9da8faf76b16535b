import { isMailRelayError } from '../../errors.ts';

/** What SQLite says of one change: SQLITE_ERROR, CORRUPT (of the page that it needs), TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const OF_CHANGE: ReadonlySet<number> = new Set([1, 11, 18, 19, 20, 25]);

/** Whether a failure may pass by itself: a full disk, a lock, a closed file. Any other would happen again. */
export function isPassing(error: unknown): boolean {
  if (isMailRelayError(error) && error.code === 'RELAY_STOPPED') return true;
  const { errcode, cause } = error as { errcode?: unknown; cause?: { errcode?: unknown } };
  const code = errcode ?? cause?.errcode;
  if (typeof code === 'number') return !OF_CHANGE.has(code & 255);
  return isMailRelayError(error) && error.code === 'STORE_UNAVAILABLE';
}
