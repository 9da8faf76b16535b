import type { Clock } from '../clock.ts';
import { connectionsLeft, factorOf } from '../lane-rule.ts';
import type { ActingRules } from './acting-rules.ts';
import type { ClaimedDelivery, LaneKey, LaneRule, QueueStore } from './port.ts';
import type { Shaped, SiteQueueStore } from './site-port.ts';
import { createSiteTurns, type SiteTurns } from './site-turns.ts';
import { createSorter, type Divert, type SiteFinder } from './sorter.ts';

/** One route and stream that are held to limits by site. */
export interface SiteLine {
  /** Deliveries in memory that wait for a place of their site. */
  readonly waiting: number;
  /** Sorts what has come in. */
  sort(): void;
  /** When something may start, or can be sorted. */
  dueAt(): number | undefined;
  claim(
    request: { readonly lane: LaneKey; readonly limit: number; readonly owner: number; readonly now: number },
    places: number,
  ): Promise<ClaimedDelivery[]>;
  /** Begins when the site has a place, and gives it back. */
  run(delivery: ClaimedDelivery, begin: () => Promise<void>): Promise<void>;
  /** Until when a rule holds a delivery back that was handed out before it acted. */
  heldUntil(delivery: ClaimedDelivery): number | undefined;
}

/** What lines work with. */
export interface SiteLinesContext {
  readonly store: SiteQueueStore;
  readonly queue: Pick<QueueStore, 'nextDueAt'>;
  readonly shaped: Shaped;
  readonly finder: SiteFinder;
  readonly divert?: Divert | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly rules: ActingRules;
  onSorted(): void;
  onError(error: unknown): void;
}

/** The lines of all routes that have limits by site. */
export function createSiteLines(context: SiteLinesContext): {
  /** Undefined for a route without limits by site. */
  of(lane: LaneKey): SiteLine | undefined;
  stop(): Promise<void>;
} {
  const sorter = createSorter(context);
  const turns = new Map<string, SiteTurns>();
  const lines = new Map<string, SiteLine | undefined>();

  function lineOf(lane: LaneKey): SiteLine | undefined {
    const key = `${lane.stream} ${lane.route}`;
    if (lines.has(key)) return lines.get(key);
    const shared = turns.get(lane.route) ?? createSiteTurns();
    turns.set(lane.route, shared);
    const has = context.shaped.boundsOf(lane.route, '') !== undefined;
    const line = has ? createLine(lane, shared, context, () => sorter.wake(lane)) : undefined;
    lines.set(key, line);
    return line;
  }

  return { of: lineOf, stop: sorter.stop };
}

function createLine(lane: LaneKey, turns: SiteTurns, context: SiteLinesContext, sort: () => void): SiteLine {
  const { store, queue, shaped, rules, clock } = context;
  let waiting = 0;
  const ruleOf = (site: string): LaneRule | undefined => rules.of(lane.route, site, clock.now());
  const taken = { answers: 0, unknown: 0, failing: 0 };

  return {
    get waiting() {
      return waiting;
    },
    sort,
    dueAt() {
      const [ready, unsorted] = [store.readyAt(lane), queue.nextDueAt(lane)];
      return ready === undefined || unsorted === undefined ? (ready ?? unsorted) : Math.min(ready, unsorted);
    },
    async claim(request, places) {
      // Who was never reached may take half of the places, and who did not answer a quarter: the rest is for the others.
      const unknown = Math.max(0, Math.ceil(places / 2) - taken.unknown);
      const failing = Math.max(0, Math.max(1, Math.floor(places / 4)) - taken.failing);
      const claimed = await store.claim({ ...request, unknown, failing });
      for (const { site, rule } of claimed)
        if (site !== undefined && rule !== undefined) rules.note(lane.route, site, rule, request.now);
      return claimed;
    },
    async run(delivery, begin) {
      const { site = '', standing = 'answers' } = delivery;
      taken[standing] += 1;
      waiting += 1;
      const connections = shaped.boundsOf(lane.route, site)?.connections ?? 1;
      const most = (): number => {
        const factor = factorOf(ruleOf(site), clock.now());
        // What is suspended goes back at once.
        return factor === 0 ? connections : connectionsLeft(connections, factor);
      };
      await turns.take(site, most, lane.stream);
      waiting -= 1;
      try {
        await begin();
      } finally {
        turns.give(site);
        taken[standing] -= 1;
      }
    },
    heldUntil({ site }) {
      const rule = site === undefined ? undefined : ruleOf(site);
      return rule !== undefined && factorOf(rule, clock.now()) === 0 ? rule.until : undefined;
    },
  };
}
