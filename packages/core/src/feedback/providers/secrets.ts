import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two texts are the same, in a time that says nothing about them. */
export function isSame(given: string | undefined, own: string): boolean {
  const right = timingSafeEqual(digest(given ?? ''), digest(own));
  return right && given !== undefined;
}

/** Whether a text is one of several; all are looked at. */
export function isOneOf(given: string | undefined, own: readonly string[]): boolean {
  return own.map((one) => isSame(given, one)).includes(true);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
