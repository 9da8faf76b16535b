import { MailRelayError } from './errors.ts';

/** A limit over a sliding window: at most `limit` starts in any `windowMs`. */
export interface Rate {
  readonly limit: number;
  readonly windowMs: number;
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  sec: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
};

/**
 * Reads `'200/s'`, `'3000/min'`, `'100/h'` or `'50000/day'`.
 *
 * @throws MailRelayError `OPTIONS_INVALID`
 */
export function parseRate(text: string): Rate {
  const rate = read(text);
  if (rate !== undefined) return rate;
  throw new MailRelayError('OPTIONS_INVALID', {
    option: 'rate',
    reason: `\`rate\` must read like 200/s, 3000/min, 100/h or 50000/day, not ${text}`,
  });
}

/** Reads the rates of a route, the shortest window first. @throws MailRelayError `OPTIONS_INVALID` */
export function parseRates(rate: string | readonly string[] | undefined): readonly Rate[] {
  const rates = rate === undefined ? [] : [rate].flat().map(parseRate);
  return rates.toSorted((one, other) => one.windowMs - other.windowMs);
}

/** Whether {@link parseRate} can read a value. */
export function isRate(value: unknown): value is string {
  return typeof value === 'string' && read(value) !== undefined;
}

function read(text: string): Rate | undefined {
  const [, limit = '', unit = ''] = /^(\d{1,9})\s*\/\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  const windowMs = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined;
  return windowMs === undefined || Number(limit) < 1 ? undefined : { limit: Number(limit), windowMs };
}
