/** Times of a message, as ms since the epoch. */
import { MailRelayError } from '../errors.ts';

/** Times before this are no times to send at: seconds, most of the time. */
const FIRST_MS = Date.UTC(2001, 0, 1);
/** Times from here on are none either: microseconds, most of the time. */
const END_MS = Date.UTC(2200, 0, 1);

/**
 * A time to send at.
 *
 * @throws MailRelayError `MESSAGE_INVALID` for what is no time, one before 2001 or one after 2199.
 */
export function sendAtOf(value: Date | string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = timeOf(value);
  if (!Number.isFinite(time)) throw invalid('sendAt', 'must be a date');
  const unit = typeof value === 'number' && value > 0 ? '; a number is milliseconds since 1970' : '';
  if (time < FIRST_MS) throw invalid('sendAt', `is ${shown(time)}, long ago${unit}`);
  if (time >= END_MS) throw invalid('sendAt', `is ${shown(time)}, and may be at most in the year 2199${unit}`);
  return Math.trunc(time);
}

/**
 * A Date header.
 *
 * @throws MailRelayError `MESSAGE_INVALID` for what is no date, or has a year that the format (RFC 5322 section 3.3) has not.
 */
export function dateOf(value: Date | string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = timeOf(value);
  const year = new Date(time).getUTCFullYear();
  if (Number.isNaN(year)) throw invalid('date', 'must be a date');
  if (year < 1900 || year > 9999) throw invalid('date', 'must have a year from 1900 to 9999');
  return Math.trunc(time);
}

function timeOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'string') return Date.parse(value);
  return typeof value === 'number' ? value : Number.NaN;
}

/** As far as a date reaches. */
function shown(time: number): string {
  return new Date(Math.max(-8.64e15, Math.min(time, 8.64e15))).toISOString();
}

function invalid(field: string, problem: string): MailRelayError {
  return new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} ${problem}` });
}
