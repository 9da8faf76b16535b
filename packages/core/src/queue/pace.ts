/** How fast lanes go: what this process began to send in the last minute. */
import type { Clock } from '../clock.ts';
import type { Stream } from '../message.ts';
import type { LaneKey } from './port.ts';

/** Counts the starts of lanes. */
export interface Paces {
  /** A mail begins to go out: of a route and stream, and of a site where it has one. */
  note(lane: LaneKey, site: string | undefined): void;
  /** Starts of a lane in the last minute. Undefined for a route that this process does not deliver. */
  lastMinute(lane: LaneKey): number | undefined;
}

/** The minute is counted in steps of so many ms, so that nothing is kept for each mail. */
const STEP_MS = 5_000;
const STEPS = 12;

/** @param lanes - all that this process delivers, one for each route and stream */
export function createPaces(lanes: readonly { readonly key: LaneKey }[], clock: Pick<Clock, 'now'>): Paces {
  const pace = (): Pace => createPace(clock);
  const paces = new Map<string, Readonly<Record<Stream, Pace>>>(
    lanes.map(({ key }) => [key.route, { transactional: pace(), broadcast: pace() }]),
  );
  return {
    note: ({ route, stream }, site) => paces.get(route)?.[stream].note(site),
    lastMinute: ({ route, stream, site }) => paces.get(route)?.[stream].lastMinute(site),
  };
}

interface Pace {
  note(site: string | undefined): void;
  lastMinute(site: string | undefined): number;
}

type Counts = Map<string | undefined, number>;

/** Starts by site, in a ring of steps: a step that is too old goes as a whole, and with it the sites that had no mail since. */
function createPace(clock: Pick<Clock, 'now'>): Pace {
  // What all sites have together stands under undefined.
  const ring = Array.from({ length: STEPS }, (): Counts => new Map());
  let newest = 0;

  const at = (step: number): Counts => ring[step % STEPS] as Counts;

  /** The counts of now, after those that are too old are gone. */
  function turn(): Counts {
    const step = Math.floor(clock.now() / STEP_MS);
    // After a longer rest, or where the clock was set back by a minute, nothing is of the last minute.
    if (Math.abs(step - newest) >= STEPS) {
      for (const counts of ring) counts.clear();
      newest = step;
    }
    // Where the clock was set back by less, the newest step goes on.
    while (newest < step) {
      newest += 1;
      at(newest).clear();
    }
    return at(newest);
  }

  return {
    note(site) {
      const counts = turn();
      counts.set(undefined, (counts.get(undefined) ?? 0) + 1);
      if (site !== undefined) counts.set(site, (counts.get(site) ?? 0) + 1);
    },
    lastMinute(site) {
      turn();
      return ring.reduce((sum, counts) => sum + (counts.get(site) ?? 0), 0);
    },
  };
}
