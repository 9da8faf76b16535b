/** Longest wait that an endpoint can ask for, ms. */
const MOST_MS = 86_400_000;

/** `Retry-After` (RFC 9110 section 10.2.3) in ms: seconds, or a date. Undefined for what is neither, or lies behind. */
export function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait > 0 ? Math.min(wait, MOST_MS) : undefined;
}
