import PQueue from 'p-queue';
import { systemClock } from '../clock.ts';
import type { MessageEvent } from '../events.ts';
import type { Rate } from '../rate.ts';
import { createHands } from './in-hand.ts';
import { depthOf, inOrder, isCounted } from './lane-bounds.ts';
import type { LaneOptions, LocalQueue, LocalQueueOptions } from './local-options.ts';
import { createPaces } from './pace.ts';
import type { ClaimedDelivery, Settlement } from './port.ts';
import { createSettler } from './settler.ts';
import { createSiteLines } from './site-lines.ts';

interface Lane extends LaneOptions {
  readonly queue: PQueue;
  /** Most deliveries in memory, running ones included. */
  readonly depth: number;
}

/** How often to look for what other processes accepted, ms. */
const POLL_MS = 100;
/** Mail of a route that no process has waits so long for one that has, where others are there, ms. */
const ABSENT_MS = 900_000;
/** A full route is fed no more often than this, ms, so that a commit holds more than one start. */
const SLOT_MS = 20;

/** Makes the queue; nothing is claimed before `start()`. */
export function createLocalQueue(options: LocalQueueOptions): LocalQueue {
  const { store, leaseMs, onError, clock = systemClock } = options;
  // Transactional lanes are fed first, so that a slot of a shared rate goes to them.
  const lanes: Lane[] = inOrder(options.lanes).map((lane) => ({
    ...lane,
    queue: new PQueue({ concurrency: lane.concurrency }),
    depth: depthOf(lane),
  }));
  const rates = Object.fromEntries(
    lanes.flatMap(({ key, rates: limits }): [string, readonly Rate[]][] =>
      limits.length === 0 ? [] : [[key.route, limits]],
    ),
  );
  const warmUps = Object.fromEntries(
    lanes.flatMap(({ key, warmUp }) => (warmUp ? [[key.route, warmUp] as const] : [])),
  );
  const shaped = options.sites?.shaped;
  const self = { pid: options.pid, host: options.host, rates, routes: options.routes, warmUps, shaped };
  const [first] = lanes.length === 0 ? [] : options.routes;
  const fallback = first === undefined ? {} : { fallback: { route: first, absentMs: ABSENT_MS } };
  // Claims that begin with a batch of results share its commit.
  const settler = createSettler({ store, clock, onWrite: feedWithStarts, onSettled: settled, onError });
  const hands = createHands(clock);
  const paces = createPaces(lanes, clock);
  let owner = 0;
  let leaseEnd = 0;
  let stopping = false;
  let feeding: Promise<void> | undefined;
  let again = false;
  let seenChanges = 0;
  let offSlot = (): void => {};
  /** Starts of rated routes that the store does not know of yet. */
  const starts = new Map<string, number[]>();
  const timers: (() => void)[] = [];
  const sites = options.sites && createSiteLines({ ...options.sites, queue: store, clock, onSorted: feed, onError });

  function settled(events: readonly MessageEvent[]): void {
    options.onEvents(events);
    feed();
  }

  function feedWithStarts(): void {
    reportStarts();
    feed();
  }

  function feed(): void {
    if (stopping || owner === 0) return;
    again = true;
    feeding ??= feedAll()
      .catch(onError)
      .finally(() => {
        feeding = undefined;
        if (again) feed();
      });
  }

  async function feedAll(): Promise<void> {
    while (again && !stopping) {
      again = false;
      const starved = new Set<string>();
      for (const lane of lanes) {
        // While transactional mail waits for a slot of the route's rate, broadcast mail takes none.
        if (!starved.has(lane.key.route) && (await refill(lane)) === 'starved') starved.add(lane.key.route);
      }
    }
  }

  /** Feeds again when the window of a full route moves on. */
  function feedAtNextSlot({ key }: Lane): void {
    const now = clock.now();
    const at = store.nextSlotAt(key, now);
    if (at === undefined || stopping) return;
    offSlot();
    offSlot = clock.alarm(Math.max(now + SLOT_MS, at), guard(feed));
  }

  async function refill(lane: Lane): Promise<'fed' | 'starved'> {
    const bySite = sites?.of(lane.key);
    const room = lane.depth - worked(lane);
    bySite?.sort();
    // Refilling in larger pieces saves transactions.
    if (room < lane.depth / 2) return isStarved(lane) ? 'starved' : 'fed';
    const now = clock.now();
    const due = dueOf(lane);
    if (due === undefined || due > now || !leased()) return 'fed';
    reportStarts();
    const claimedBy = owner;
    const request = { lane: lane.key, limit: room, owner: claimedBy, now };
    const claimed = await (bySite?.claim(request, lane.concurrency) ?? store.claim(request));
    for (const delivery of claimed) {
      const begin = (): Promise<void> => {
        hands.move(delivery.id, 'route');
        return lane.queue.add(() => run(delivery, lane, claimedBy));
      };
      if (bySite !== undefined) hands.move(delivery.id, 'site');
      void (bySite?.run(delivery, begin) ?? begin()).catch(onError);
    }
    if (claimed.length === room) again = true;
    else if (isCounted(lane)) feedAtNextSlot(lane);
    return isStarved(lane) ? 'starved' : 'fed';
  }

  /** Transactional mail that is due could not be claimed: what the rate of its route allows next is its own. */
  function isStarved(lane: Lane): boolean {
    if (lane.key.stream !== 'transactional' || !isCounted(lane)) return false;
    const now = clock.now();
    return (dueOf(lane) ?? now + 1) <= now;
  }

  async function run(delivery: ClaimedDelivery, lane: Lane, claimedBy: number): Promise<void> {
    // After a pause that was longer than the lease, others have what was claimed before it.
    const ours = claimedBy === owner && leased() && !stopping;
    const bySite = sites?.of(lane.key);
    const heldUntil = ours ? bySite?.heldUntil(delivery) : undefined;
    const goes = ours && heldUntil === undefined;
    hands.move(delivery.id, 'attempt');
    settler.add(goes ? await attempt(delivery, lane, claimedBy) : returned(delivery, heldUntil), claimedBy);
    hands.drop(delivery.id);
    // A site has a place again only when the result is written.
    if (bySite === undefined && lane.queue.size < lane.depth / 2) feed();
  }

  /** Shares the commit of the claim or of the results that follow. */
  function reportStarts(): void {
    for (const [route, times] of starts) {
      starts.delete(route);
      store.started(route, times, owner).catch((error: unknown) => {
        starts.set(route, [...times, ...(starts.get(route) ?? [])]);
        onError(error);
      });
    }
  }

  async function attempt(delivery: ClaimedDelivery, lane: Lane, claimedBy: number): Promise<Settlement> {
    const startedAt = clock.now();
    const { route } = lane.key;
    let begunAt: number | undefined;
    let startCounted = false;
    const onStart = (at: number): boolean => {
      if (claimedBy !== owner || !leased()) return false;
      hands.move(delivery.id, 'sending');
      const isFree = !isCounted(lane) && delivery.site === undefined;
      // What is sent anew takes a place of the rate of its own: it goes back, and is claimed again.
      if (!isFree && begunAt !== undefined) return false;
      paces.note(lane.key, delivery.site);
      if (isFree) return true;
      begunAt = at;
      // That of a site was counted as it was claimed.
      if (delivery.site !== undefined) return true;
      startCounted = true;
      const times = starts.get(route) ?? [];
      times.push(at);
      starts.set(route, times);
      return true;
    };
    try {
      const settlement = await options.deliver(delivery, route, {
        onStart,
        onMessage: () => hands.awaitAnswer(delivery.id),
      });
      return { ...settlement, begunAt: settlement.startedAt ?? begunAt, startCounted };
    } catch (error) {
      onError(error);
      const result = {
        type: 'deferred',
        retryAt: clock.now() + 60_000,
        reply: 'the relay failed',
        status: undefined,
        reason: 'system',
      } as const;
      return { deliveryId: delivery.id, startedAt, startCounted, transcript: undefined, result };
    }
  }

  /** When the next delivery of a lane is due; undefined where none waits that could be tried. */
  function dueOf({ key }: Lane): number | undefined {
    if (options.isFed?.(key.route) === false) return undefined;
    const bySite = sites?.of(key);
    return bySite === undefined ? store.nextDueAt(key) : bySite.dueAt();
  }

  function leased(): boolean {
    return performance.now() < leaseEnd;
  }

  async function beat(): Promise<void> {
    const at = performance.now();
    const { alive, moved } = await store.beat(owner, {
      now: clock.now(),
      leaseMs,
      takesOver: lanes.length > 0,
      ...fallback,
    });
    if (moved > 0) options.onMoved(moved);
    if (!alive) owner = await store.register(self, clock.now());
    leaseEnd = at + leaseMs;
  }

  function poll(): void {
    const changes = store.changes();
    const now = clock.now();
    const due = lanes.some((lane) => (dueOf(lane) ?? Number.POSITIVE_INFINITY) <= now);
    if (due || changes !== seenChanges) feed();
    seenChanges = changes;
  }

  return {
    async start() {
      owner = await store.register(self, clock.now());
      await beat();
      const pulse = setInterval(() => void beat().catch(onError), leaseMs / 5);
      timers.push(clock.every(POLL_MS, guard(poll)), () => clearInterval(pulse));
      feed();
    },
    wake: feed,
    inHand: hands.of,
    startedLastMinute: paces.lastMinute,
    async stop({ drain, timeoutMs }) {
      const deadline = Date.now() + timeoutMs;
      while (drain && Date.now() < deadline && !(await idle())) await new Promise((resolve) => setTimeout(resolve, 10));
      stopping = true;
      const ended = Promise.all([sites?.stop(), ...lanes.map(whenIdle)]).then(() => true);
      const timeout = (): Promise<void> =>
        new Promise((resolve) => setTimeout(resolve, Math.max(100, deadline - Date.now())).unref());
      await Promise.race([ended, timeout()]);
      for (const end of timers) end();
      offSlot();
      await feeding;
      // A store that takes nothing any more must not hold up the end; the next process finds what was on its way.
      const left = settler
        .flush()
        .then(() => store.unregister(owner, clock.now(), hands.unanswered()))
        .catch(onError);
      await Promise.race([left, timeout()]);
    },
  };

  async function idle(): Promise<boolean> {
    // What is being claimed waits no more, and is not in memory yet.
    await feeding;
    const now = clock.now();
    const busy = lanes.some((lane) => worked(lane) > 0 || (dueOf(lane) ?? now + 1) <= now);
    if (busy) return false;
    await settler.flush();
    return true;
  }

  /** Deliveries of a lane in memory. */
  function worked({ key, queue }: Lane): number {
    return queue.size + queue.pending + (sites?.of(key)?.waiting ?? 0);
  }

  async function whenIdle(lane: Lane): Promise<void> {
    await lane.queue.onIdle();
    // Who waits for a place of a site joins the queue when another leaves it.
    while (worked(lane) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  function guard(task: () => void): () => void {
    return () => {
      try {
        task();
      } catch (error) {
        onError(error);
      }
    };
  }
}

function returned({ id }: ClaimedDelivery, dueAt?: number): Settlement {
  return { deliveryId: id, startedAt: undefined, transcript: undefined, result: { type: 'returned', dueAt } };
}
