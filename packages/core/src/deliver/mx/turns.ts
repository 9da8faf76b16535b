import type { Stream } from '../../message.ts';

/** A bounded number of places, given in order of asking, to transactional mail first. */
export interface Turns {
  /** Waits for a place. */
  take(stream: Stream): Promise<void>;
  give(stream: Stream): void;
}

/** Broadcast mail leaves a tenth of the places free, so that transactional mail finds one. */
export function createTurns(places: number): Turns {
  const mostBroadcast = Math.max(1, places - Math.ceil(places / 10));
  const waiting: Record<Stream, (() => void)[]> = { transactional: [], broadcast: [] };
  const used: Record<Stream, number> = { transactional: 0, broadcast: 0 };

  const free = (stream: Stream): boolean =>
    used.transactional + used.broadcast < places && (stream === 'transactional' || used.broadcast < mostBroadcast);

  return {
    async take(stream) {
      if (free(stream) && waiting[stream].length === 0) used[stream] += 1;
      else await new Promise<void>((resolve) => waiting[stream].push(resolve));
    },
    give(stream) {
      used[stream] -= 1;
      for (const next of ['transactional', 'broadcast'] as const) {
        if (waiting[next].length === 0 || !free(next)) continue;
        // The place is taken before anybody else can ask.
        used[next] += 1;
        waiting[next].shift()?.();
        return;
      }
    },
  };
}
