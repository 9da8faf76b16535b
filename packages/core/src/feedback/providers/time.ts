import { numberOf, textOf } from './values.ts';

/** Before this no provider had webhooks. */
const OLDEST = Date.UTC(2000, 0, 1);
/** How far the clock of a provider may go before this one, ms. */
const AHEAD_MS = 3_600_000;

/** The first of some values that is a time, ms since the epoch; `now` where none is, or where it cannot be. */
export function timeOf(now: number, ...values: readonly unknown[]): number {
  for (const value of values) {
    const time = oneTime(value);
    if (time !== undefined && time >= OLDEST && time <= now + AHEAD_MS) return time;
  }
  return now;
}

function oneTime(value: unknown): number | undefined {
  const number = numberOf(value);
  if (number !== undefined) return Math.floor(inMs(number));
  const text = textOf(value);
  if (text === undefined || text.length > 64) return undefined;
  // Without a zone it is UTC, and not that of this machine.
  const plain = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)$/.exec(text);
  const time = Date.parse(plain === null ? text : `${plain[1]}T${plain[2]}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** Seconds, milliseconds or microseconds: by their size. */
function inMs(number: number): number {
  if (number < 1e11) return number * 1000;
  return number < 1e14 ? number : number / 1000;
}
