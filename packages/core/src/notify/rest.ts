/** So many different events fail one after the other, and none goes well: it is the handler, and not the events. */
const FAILED = 3;
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/** Spares a handler that does not work: then one event at a time is tried, after longer and longer waits. */
export interface Rest {
  /** Most events to take at a time. */
  most(now: number): number;
  /** When the next one may be tried; undefined where it does not rest. */
  until(now: number): number | undefined;
  succeeded(): void;
  failed(event: string, now: number): void;
}

/** A handler that works until it is known that it does not. */
export function createRest(): Rest {
  const failed = new Set<string>();
  let rests = 0;
  let until = 0;
  return {
    most: (now) => (failed.size < FAILED ? Number.POSITIVE_INFINITY : until > now ? 0 : 1),
    until: (now) => (until > now ? until : undefined),
    succeeded() {
      failed.clear();
      rests = 0;
      until = 0;
    },
    failed(event, now) {
      // Their number is all that is asked for.
      if (failed.size < FAILED) failed.add(event);
      if (failed.size < FAILED) return;
      until = now + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(rests, 10));
      rests += 1;
    },
  };
}
