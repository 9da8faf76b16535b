import { setTimeout } from 'node:timers/promises';
import type { LaneKey } from './port.ts';
import type { SiteQueueStore, WaitingMail } from './site-port.ts';

/** Sorts deliveries into the lanes of their sites. Each lane on its own, so that none waits for the DNS of another's. */
export interface Sorter {
  /** Something may have come in. */
  wake(lane: LaneKey): void;
  /** Resolves when nothing is being sorted any more. */
  stop(): Promise<void>;
}

/** Finds the sites of domains. */
export interface SiteFinder {
  /** Those that are known without a question. */
  known(route: string, domains: readonly string[]): ReadonlyMap<string, string>;
  /** Asks for one. Never rejects for what the DNS does, and never takes longer than a few seconds. */
  ask(route: string, domain: string): Promise<string>;
}

/** Moves those of some mails of a lane whose site is for another route; answers their numbers. Takes a few seconds at most. */
export type Divert = (lane: LaneKey, mails: readonly WaitingMail[]) => Promise<ReadonlySet<number>>;

/** What sorters work with. */
export interface SorterContext {
  readonly store: Pick<SiteQueueStore, 'unsorted' | 'sort'>;
  readonly finder: SiteFinder;
  /** Undefined where no route has rules by site. */
  readonly divert?: Divert | undefined;
  readonly clock: { now(): number };
  /** Deliveries came into the lanes of their sites. */
  onSorted(): void;
  onError(error: unknown): void;
}

/** Mails that are read, and sorted, at once. */
const BATCH = 500;
/** Mails that may wait for the DNS; what comes after them is read, too. */
const IN_HAND = 20_000;
/** A lane is read from its beginning no more often than this while sites are asked for, for each thousand mails that wait, ms. */
const PASS_MS = 100;
/** While others are still asked for, what is found is sorted together with what is found so much later, ms. */
const GATHER_MS = 10;

/** Makes a sorter; it reads when it is woken. */
export function createSorter(context: SorterContext): Sorter {
  const sorting = new Map<string, { readonly work: Promise<void>; readonly look: () => void }>();
  let stopping = false;

  return {
    wake(lane) {
      const key = `${lane.route}\t${lane.stream}`;
      if (stopping) return;
      const running = sorting.get(key);
      if (running !== undefined) return running.look();
      const { run, look } = createLaneSorter(lane, context, {
        isStopping: () => stopping,
        onEnd: () => sorting.delete(key),
      });
      // Begins later, so that it is not over before it is known.
      const work = Promise.resolve().then(run).catch(context.onError);
      sorting.set(key, { work, look });
    },
    async stop() {
      stopping = true;
      const left = [...sorting.values()];
      for (const { look } of left) look();
      await Promise.all(left.map(({ work }) => work));
    },
  };
}

/** Sorts one lane until nothing is left. Who waits for the DNS holds up nobody whose site is known. */
function createLaneSorter(
  lane: LaneKey,
  { store, finder, divert, clock, onSorted }: SorterContext,
  { isStopping, onEnd }: { isStopping(): boolean; onEnd(): void },
): { run(): Promise<void>; look(): void } {
  /** Mails that are read, and not in the lane of a site yet. */
  const inHand = new Set<number>();
  let found = new Map<string, number[]>();
  let foundCount = 0;
  let failure: { readonly error: unknown } | undefined;
  let news = Promise.withResolvers<void>();
  /** The last mail that was read; undefined at the beginning of the lane. */
  let cursor: Pick<WaitingMail, 'id' | 'dueAt'> | undefined;
  let isAtEnd = false;
  let passAt = 0;

  function look(): void {
    news.resolve();
  }

  function put(site: string, ids: readonly number[]): void {
    const others = found.get(site);
    if (others === undefined) found.set(site, [...ids]);
    else others.push(...ids);
    foundCount += ids.length;
    look();
  }

  function fail(error: unknown): void {
    failure = { error };
    look();
  }

  function find(mails: readonly WaitingMail[]): void {
    const byDomain = Map.groupBy(mails, ({ domain }) => domain);
    const known = finder.known(lane.route, [...byDomain.keys()]);
    for (const [domain, some] of byDomain) {
      const ids = some.map(({ id }) => id);
      const site = known.get(domain);
      if (site !== undefined) put(site, ids);
      else finder.ask(lane.route, domain).then((answer) => put(answer, ids), fail);
    }
  }

  async function take(mails: readonly WaitingMail[]): Promise<void> {
    for (const { id } of mails) inHand.add(id);
    if (divert === undefined) return find(mails);
    const diverted = await divert(lane, mails);
    for (const id of diverted) inHand.delete(id);
    find(mails.filter(({ id }) => !diverted.has(id)));
    look();
  }

  /** Reads on, and from the beginning now and then; answers whether all has been read and there was nothing. */
  function read(): { readonly count: number; readonly isAll: boolean } {
    if (inHand.size >= IN_HAND) return { count: 0, isAll: false };
    const passMs = PASS_MS * Math.ceil(inHand.size / 1000);
    if (isAtEnd && performance.now() - passAt >= passMs) cursor = undefined;
    const isAll = cursor === undefined;
    if (isAll) passAt = performance.now();
    const mails = store.unsorted({ lane, after: cursor, limit: BATCH, now: clock.now() });
    cursor = mails.at(-1) ?? cursor;
    isAtEnd = mails.length < BATCH;
    const fresh = mails.filter(({ id }) => !inHand.has(id));
    if (fresh.length > 0) take(fresh).catch(fail);
    return { count: fresh.length, isAll: isAll && isAtEnd };
  }

  async function sort(): Promise<void> {
    // Answers come one by one, and a commit for each would be too many.
    if (foundCount < inHand.size) await setTimeout(GATHER_MS);
    const moves = found;
    found = new Map();
    foundCount = 0;
    await store.sort(lane, moves, clock.now());
    for (const ids of moves.values()) for (const id of ids) inHand.delete(id);
    onSorted();
  }

  return {
    look,
    async run() {
      try {
        while (!isStopping()) {
          news = Promise.withResolvers();
          const { count, isAll } = read();
          if (failure !== undefined) throw failure.error;
          if (foundCount > 0) await sort();
          else if (inHand.size === 0 && isAll) return;
          else if (inHand.size > 0 && count === 0) await news.promise;
        }
      } finally {
        // At once, so that a wake that comes now begins anew.
        onEnd();
      }
    },
  };
}
