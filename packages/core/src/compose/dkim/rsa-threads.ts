import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerArguments } from '../../worker-arguments.ts';
import { workerFile } from '../../worker-file.ts';
import type { RsaAnswer, RsaTask } from './rsa-thread.ts';

/** Threads that sign. */
export interface RsaThreads {
  /** Starts them, where they are not there. */
  start(): void;
  /** Base64; undefined where no thread can take it, or the one that had it could not sign it. */
  sign(data: string, key: KeyObject): Promise<string | undefined>;
  /** Ends them for good; what they have not signed is given back. */
  close(): Promise<void>;
}

interface Job {
  readonly data: string;
  readonly key: KeyObject;
  readonly resolve: (signature: string | undefined) => void;
}

interface Thread {
  readonly worker: Worker;
  ready: boolean;
  /** What it was given and has not answered yet, the oldest first. */
  readonly batches: Job[][];
  /** Numbers of the keys that it was told. */
  readonly keys: Map<KeyObject, number>;
}

/** Two cores' worth of signatures is more than an engine composes mails in that time, with keys of 2048 bits. */
const MOST_THREADS = 4;
/** Signatures that cross together; with more, the mails behind them wait longer than the crossing costs. */
const BATCH = 4;
/** Batches of one thread: one that it signs, and the next. */
const AHEAD = 2;
/** More do not wait for a thread: on a busy machine the threads get little time, and mail that is urgent may be behind them. */
const MOST_WAITING = 40;
/** Where threads cannot be started, or one died, the next try is so much later, ms. */
const RETRY_MS = 60_000;

/** @param restMs - they end after so long without work */
export function createRsaThreads(restMs: number): RsaThreads {
  let threads: Thread[] = [];
  let queue: Job[] = [];
  let scheduled = false;
  let usedAt = 0;
  let startableAt = 0;
  let closed = false;
  let rest: NodeJS.Timeout | undefined;

  function start(): void {
    if (closed || threads.length > 0 || performance.now() < startableAt) return;
    usedAt = performance.now();
    try {
      const file = workerFile('rsa-thread', import.meta.url);
      const count = Math.min(MOST_THREADS, availableParallelism());
      for (let number = 0; number < count; number++) threads.push(startThread(file));
      rest = setInterval(() => {
        if (performance.now() - usedAt >= restMs) void end();
      }, restMs / 2).unref();
    } catch {
      fail();
    }
  }

  function startThread(file: URL): Thread {
    const worker = new Worker(file, { name: 'mail-relay-dkim', ...workerArguments() });
    const thread: Thread = { worker, ready: false, batches: [], keys: new Map() };
    const failed = (): void => {
      if (threads.includes(thread)) fail();
    };
    // It keeps the host's process alive only while somebody waits for it.
    worker.unref();
    worker.once('online', () => {
      thread.ready = true;
    });
    worker.on('message', (signatures: RsaAnswer) => {
      for (const [at, { resolve }] of (thread.batches.shift() ?? []).entries()) resolve(signatures[at]);
      if (thread.batches.length === 0) worker.unref();
      hand();
    });
    worker.on('error', failed).on('messageerror', failed).on('exit', failed);
    return thread;
  }

  /** Ends the threads; what they have is given back. */
  async function end(): Promise<void> {
    clearInterval(rest);
    const ended = threads;
    threads = [];
    const jobs = [...ended.flatMap(({ batches }) => batches.flat()), ...queue];
    queue = [];
    for (const { resolve } of jobs) resolve(undefined);
    await Promise.all(ended.map(({ worker }) => worker.terminate()));
  }

  function fail(): void {
    startableAt = performance.now() + RETRY_MS;
    void end();
  }

  function hand(): void {
    scheduled = false;
    while (queue.length > 0) {
      const [thread] = threads
        .filter(({ ready, batches }) => ready && batches.length < AHEAD)
        .sort((one, other) => one.batches.length - other.batches.length);
      if (thread === undefined) return;
      give(thread, queue.splice(0, BATCH));
    }
  }

  function give({ worker, batches, keys }: Thread, jobs: Job[]): void {
    batches.push(jobs);
    try {
      const numbers = jobs.map(({ key }) => {
        const known = keys.get(key);
        if (known !== undefined) return known;
        worker.postMessage({ key } satisfies RsaTask);
        keys.set(key, keys.size);
        return keys.size - 1;
      });
      worker.ref();
      worker.postMessage({ data: jobs.map(({ data }) => data), keys: numbers } satisfies RsaTask);
    } catch {
      fail();
    }
  }

  return {
    start,
    sign(data, key) {
      if (queue.length >= MOST_WAITING || !threads.some(({ ready }) => ready)) return Promise.resolve(undefined);
      usedAt = performance.now();
      return new Promise((resolve) => {
        queue.push({ data, key, resolve });
        if (scheduled) return;
        scheduled = true;
        // All that are asked for in one turn are there before they are dealt out.
        setImmediate(hand);
      });
    },
    async close() {
      closed = true;
      await end();
    },
  };
}
