import { vi } from 'vitest';
import { systemClock } from '../../../packages/core/src/clock.ts';
import { createLocalQueue } from '../../../packages/core/src/queue/local.ts';
import type { LocalQueue } from '../../../packages/core/src/queue/local-options.ts';
import type { ClaimedDelivery, LaneKey, QueueStore, Settlement } from '../../../packages/core/src/queue/port.ts';
import type { Rate } from '../../../packages/core/src/rate.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import type { Disk } from '../../../packages/core/src/store/sqlite/disk.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { contentOf, recipientOf } from '../../support/content.ts';

/** A start, as the clock that nobody sets shows it, ms. */
export interface Start {
  readonly at: number;
  /** Begins with the stream. */
  readonly address: string;
  readonly process: number;
}

/** A process of the simulation: a queue and its store. */
export interface SimulatedProcess {
  readonly queue: LocalQueue;
  /** Mail that this process accepts itself, whose queue knows of it at once. */
  accept(stream: LaneKey['stream'], count: number): Promise<void>;
  /** The process is gone from one moment to the next: nothing that it does arrives anywhere any more. */
  kill(): void;
}

/** A disk that takes no time: what is simulated does not wait for anything real. */
const openDisk = (): Disk => ({ sync: (done) => done(), syncNow: () => {}, close: () => {} });

/** Shorter than a window of a second, so that what a dead process began is still in it when the others take over. */
const LEASE_MS = 400;

/** A file with mail that waits, and processes that share it, on the clock of vitest's fake timers. */
export interface Simulation {
  readonly starts: Start[];
  /** Mail that a process accepts which delivers none. */
  accept(stream: LaneKey['stream'], count: number): Promise<void>;
  /** @param options.pace - a process that does all the same so many times slower lives through longer windows. @default 1 */
  launch(options: {
    readonly concurrency: number;
    readonly latency: () => number;
    readonly pace?: number;
  }): Promise<SimulatedProcess>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Lets much time pass in which no process runs. */
  leap(ms: number): void;
  /** Sets the clock of the machine; timers go on. */
  setClockBack(ms: number): void;
  close(): Promise<void>;
}

const open = async (path: string): Promise<Store> => {
  const store = createSqliteStore({ path, messageIdOf: () => '<a@b.example>', openDisk });
  await store.open();
  return store;
};

/** Starts a simulation on a new file. Fake timers have to be on. */
export async function simulate(path: string, rates: readonly Rate[]): Promise<Simulation> {
  const own = await open(path);
  const stores: Store[] = [own];
  const starts: Start[] = [];
  const living = new Set<SimulatedProcess>();
  let accepted = 0;
  /** What `performance` has forgotten, ms. */
  let before = 0;
  const elapsed = (): number => before + performance.now();

  async function acceptIn(
    store: Store,
    stream: LaneKey['stream'],
    count: number,
    onPosted?: () => void,
  ): Promise<void> {
    const recipients = Array.from({ length: count }, () => recipientOf(`${stream}${accepted++}@example.com`));
    const input = {
      campaign: undefined,
      tags: [],
      metadata: undefined,
      sendAt: undefined,
      idempotencyKey: undefined,
    };
    const mail = { ...input, content: contentOf({ stream }), route: 'out', now: Date.now(), recipients };
    await store.intake.accept(mail, undefined, onPosted);
  }

  return {
    starts,
    accept: (stream, count) => acceptIn(own, stream, count),
    async launch({ concurrency, latency, pace = 1 }) {
      const store = await open(path);
      const number = stores.push(store);
      let dead = false;
      const deliver = async (
        { id, address }: ClaimedDelivery,
        _route: string,
        { onStart }: { onStart(at: number): boolean },
      ): Promise<Settlement> => {
        await elapse(latency());
        const startedAt = Date.now();
        if (!onStart(startedAt))
          return { deliveryId: id, startedAt: undefined, transcript: undefined, result: { type: 'returned' } };
        if (!dead) starts.push({ at: elapsed(), address, process: number });
        await elapse(latency());
        return { deliveryId: id, startedAt, transcript: undefined, result: { type: 'sent', reply: '250 ok' } };
      };
      const queue = createLocalQueue({
        store: mortal(store.queue, () => dead),
        lanes: (['transactional', 'broadcast'] as const).map((stream) => ({
          key: { route: 'out', stream },
          concurrency,
          rates,
        })),
        deliver,
        onEvents() {},
        onError() {},
        onMoved() {},
        routes: ['out'],
        leaseMs: LEASE_MS * pace,
        clock: { ...systemClock, every: (ms, task) => systemClock.every(ms * pace, task) },
        pid: number,
        host: 'here',
      });
      await queue.start();
      const process: SimulatedProcess = {
        queue,
        accept: (stream, count) => acceptIn(store, stream, count, queue.wake),
        kill() {
          dead = true;
          living.delete(process);
        },
      };
      living.add(process);
      return process;
    },
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    leap(ms) {
      for (const process of living) process.kill();
      // Without timers time need not pass one by one; this sets the clocks back to their beginning as well.
      const [at, shown] = [elapsed(), Date.now()];
      vi.clearAllTimers();
      before += at + ms - elapsed();
      vi.setSystemTime(shown + ms);
    },
    setClockBack: (ms) => void vi.setSystemTime(Date.now() - ms),
    async close() {
      for (const process of living) process.kill();
      vi.clearAllTimers();
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}

/** A store that answers nothing once its process is dead. */
function mortal(store: QueueStore, dead: () => boolean): QueueStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...parameters: unknown[]) => unknown;
      return (...parameters: unknown[]) => {
        if (!dead()) return method.apply(target, parameters);
        if (name === 'nextDueAt' || name === 'nextSlotAt') return undefined;
        return name === 'changes' ? 0 : new Promise(() => {});
      };
    },
  });
}

function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
