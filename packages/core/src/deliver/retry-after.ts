/** A delay that a reply names is followed within these bounds, ms. */
const LEAST_MS = 10_000;
const MOST_MS = 6 * 3_600_000;

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const AMOUNT = String.raw`(\d{1,6})\s*-?\s*(s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hr|hrs|hour|hours)\b`;
/** Words that ask to come back; a number that follows them is a delay. */
const ASKS = String.raw`(?:retry|try|wait|come\s+back|again|later|delayed|resend|deferred|available|(?:gr[ae]y[- ]?list(?:ed|ing)|enforced)\s+for)`;

/** `00:04:55` or `04:55`, after words that ask to come back. */
const CLOCK = new RegExp(String.raw`\b${ASKS}\b[^\d]{0,40}(?:(\d{1,2}):)?([0-5]?\d):([0-5]\d)(?![\d:])`, 'i');
/** `Retry-After: 120` is in seconds (as in RFC 9110 section 10.2.3). */
const HEADER = /\bretry[-_ ]after\s*[:=]?\s*(\d{1,6})(?!\s*-?\s*(?:m|h)|[\d.:])/i;
/** `try again in 300 seconds`, `wait 10 min`, `retry in 1 hour and 5 minutes`. */
const AFTER = new RegExp(
  String.raw`\b${ASKS}\b[^\d]{0,40}?${AMOUNT}(?:\s*(?:,|and)?\s*(\d{1,4})\s*(s|sec|secs|second|seconds|m|min|mins|minute|minutes)\b)?`,
  'i',
);
/** `in 300 seconds try again`, `after 5 minutes`. */
const BEFORE = new RegExp(String.raw`\b(?:in|after|within)\s+(?:about\s+|at\s+least\s+)?${AMOUNT}`, 'i');

/**
 * The delay that a reply asks for, ms, from 10 seconds to 6 hours; undefined where it names none. Numbers count only where
 * words around them ask for patience: `451 4.7.1` alone is no delay.
 */
export function retryAfterOf(reply: string): number | undefined {
  const named = delayOf(reply.slice(0, 1000));
  return named === undefined ? undefined : Math.min(MOST_MS, Math.max(LEAST_MS, named));
}

function delayOf(reply: string): number | undefined {
  const clock = CLOCK.exec(reply);
  if (clock !== null) {
    const [, hours = '0', minutes = '0', seconds = '0'] = clock;
    return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  }
  const header = HEADER.exec(reply);
  if (header !== null) return Number(header[1]) * 1000;
  const after = AFTER.exec(reply);
  if (after !== null) return amount(after[1], after[2]) + amount(after[3], after[4]);
  const before = BEFORE.exec(reply);
  return before === null ? undefined : amount(before[1], before[2]);
}

function amount(number: string | undefined, unit: string | undefined): number {
  if (number === undefined || unit === undefined) return 0;
  return Number(number) * (UNITS[unit.charAt(0).toLowerCase()] ?? 0);
}
