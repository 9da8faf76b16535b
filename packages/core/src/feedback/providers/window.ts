/** Whether a signed time, seconds since the epoch, is within the window around now; a replay falls out of it. */
export function isFresh(seconds: string | undefined, now: number, windowMs: number): boolean {
  if (seconds === undefined || !/^\d{1,12}$/.test(seconds)) return false;
  return Math.abs(now - Number(seconds) * 1000) <= windowMs;
}
