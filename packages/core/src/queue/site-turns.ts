import type { Stream } from '../message.ts';

/** Keeps what is on its way to each site of a route within its connections. What waits here holds no place of the route. */
export interface SiteTurns {
  /**
   * Resolves when one of the places of the site is free; transactional mail comes first.
   *
   * @param most - its places, at the moment of asking
   */
  take(site: string, most: () => number, stream: Stream): Promise<void>;
  /** Gives the place back. */
  give(site: string): void;
}

interface Line {
  taken: number;
  most: () => number;
  readonly transactional: (() => void)[];
  readonly broadcast: (() => void)[];
}

/** Turns of one route. */
export function createSiteTurns(): SiteTurns {
  const lines = new Map<string, Line>();

  function advance(site: string, line: Line): void {
    const most = line.most();
    while (line.taken < most) {
      const next = line.transactional.shift() ?? line.broadcast.shift();
      if (next === undefined) break;
      line.taken += 1;
      next();
    }
    if (line.taken === 0) lines.delete(site);
  }

  return {
    take(site, most, stream) {
      const line = lines.get(site) ?? { taken: 0, most, transactional: [], broadcast: [] };
      lines.set(site, line);
      line.most = most;
      return new Promise((resolve) => {
        line[stream].push(resolve);
        advance(site, line);
      });
    },
    give(site) {
      const line = lines.get(site);
      if (line === undefined) return;
      line.taken -= 1;
      advance(site, line);
    },
  };
}
