import { MailRelayError } from '../errors.ts';

/** Times before this are no times to send at: seconds, most of the time. */
const FIRST_MS = Date.UTC(2001, 0, 1);

/**
 * A time to send at, as ms since the epoch.
 *
 * @throws MailRelayError `MESSAGE_INVALID` for what is no time, or one before 2001.
 */
export function sendAtOf(value: Date | string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : value;
  if (!Number.isFinite(time)) throw invalid('must be a date');
  if (time < FIRST_MS) {
    const seconds = typeof value === 'number' && value > 0 ? '; a number is milliseconds since 1970, not seconds' : '';
    throw invalid(`is ${new Date(Math.max(time, -8.64e15)).toISOString()}, long ago${seconds}`);
  }
  return Math.trunc(time);
}

function invalid(problem: string): MailRelayError {
  return new MailRelayError('MESSAGE_INVALID', { field: 'sendAt', reason: `sendAt ${problem}` });
}
