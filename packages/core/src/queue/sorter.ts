import type { LaneKey } from './port.ts';
import type { SiteQueueStore, WaitingMail } from './site-port.ts';

/** Sorts deliveries into the lanes of their sites. Each lane on its own, so that none waits for the DNS of another's. */
export interface Sorter {
  /** Something may have come in. */
  wake(lane: LaneKey): void;
  /** Resolves when nothing is being sorted any more. */
  stop(): Promise<void>;
}

/** Finds the sites of domains; never rejects for what the DNS does, and never takes longer than a few seconds. */
export type FindSites = (route: string, domains: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Moves those of some mails of a lane whose site is for another route; answers their numbers. Takes a few seconds at most. */
export type Divert = (lane: LaneKey, mails: readonly WaitingMail[]) => Promise<ReadonlySet<number>>;

const BATCH = 500;

/** @param onSorted - called when deliveries came into the lanes of their sites */
export function createSorter(options: {
  readonly store: Pick<SiteQueueStore, 'unsorted' | 'sort'>;
  readonly findSites: FindSites;
  /** Undefined where no route has rules by site. */
  readonly divert?: Divert | undefined;
  readonly clock: { now(): number };
  onSorted(): void;
  onError(error: unknown): void;
}): Sorter {
  const { store, findSites, divert, clock, onSorted, onError } = options;
  const sorting = new Map<string, Promise<void>>();
  let stopping = false;

  async function sortAll(lane: LaneKey): Promise<void> {
    for (;;) {
      const waiting = stopping ? [] : store.unsorted({ lane, limit: BATCH, now: clock.now() });
      if (waiting.length === 0) return;
      const diverted = await divert?.(lane, waiting);
      const found = waiting.filter(({ id }) => diverted?.has(id) !== true);
      const domains = [...new Set(found.map(({ domain }) => domain))];
      const sites = await findSites(lane.route, domains);
      const moves = new Map<string, number[]>();
      for (const { id, domain } of found) {
        const site = sites.get(domain) ?? domain;
        const ids = moves.get(site) ?? [];
        ids.push(id);
        moves.set(site, ids);
      }
      await store.sort(lane, moves, clock.now());
      onSorted();
    }
  }

  return {
    wake(lane) {
      const key = `${lane.route}\t${lane.stream}`;
      if (stopping || sorting.has(key)) return;
      const work = sortAll(lane)
        .catch(onError)
        .finally(() => sorting.delete(key));
      sorting.set(key, work);
    },
    async stop() {
      stopping = true;
      await Promise.all(sorting.values());
    },
  };
}
