import type { Clock } from '../../clock.ts';

/** Remembers keys for a while. */
export interface Memory {
  remember(key: string): void;
  forget(key: string): void;
  /** Until when a key is remembered, ms since the epoch; undefined where it is not. */
  until(key: string): number | undefined;
}

/** Keys that are remembered at once; the oldest go first. */
const KEYS = 10_000;

export function createMemory(ms: number, clock: Pick<Clock, 'now'>): Memory {
  const ends = new Map<string, number>();
  return {
    remember(key) {
      ends.delete(key);
      ends.set(key, clock.now() + ms);
      const [oldest] = ends.keys();
      if (ends.size > KEYS && oldest !== undefined) ends.delete(oldest);
    },
    forget(key) {
      ends.delete(key);
    },
    until(key) {
      const end = ends.get(key);
      if (end === undefined || end > clock.now()) return end;
      ends.delete(key);
      return undefined;
    },
  };
}
