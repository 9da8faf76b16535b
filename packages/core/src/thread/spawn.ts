import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import type { EngineOptions } from '../engine.ts';
import { MailRelayError, messageOf } from '../errors.ts';
import { letV8HelpersGiveWay, startThreadPool } from '../thread-priority.ts';
import { workerArguments } from '../worker-arguments.ts';
import { workerFile } from '../worker-file.ts';
import { batchedChannel, type ChannelCalls, END } from './channel.ts';
import type { EngineApi, HostApi } from './port.ts';

/** An engine in a thread of its own. */
export interface EngineThread {
  readonly api: EngineApi;
  /** Whether the thread keeps the process alive. */
  hold(on: boolean): void;
  /** Ends the thread; what was accepted is in the store. */
  terminate(): Promise<void>;
}

/** What a mail leaves behind is garbage at once; with as much room as Node gives by default the memory of the host grows by 100 MB. */
const YOUNG_MB = 16;
/**
 * Far more than the engine needs: attachments and mails on their way are outside of this heap. V8 looks at old objects the more
 * seldom, the more there may be of them; with as many as in a host with much memory, garbage grows to 150 MB in a campaign.
 */
const OLD_MB = 1536;
const CALLS: { readonly [kind in keyof ChannelCalls]: readonly (keyof EngineApi)[] } = {
  batches: ['readAll', 'appendBulk'],
  asText: ['accept', 'readAll', 'appendBulk'],
};
/** Time for a thread to end by itself, ms. */
const GRACE_MS = 2000;

/**
 * Starts the engine in a worker thread.
 *
 * @param onEnd - called when the thread ends although nobody asked for it.
 * @throws MailRelayError `WORKER_UNAVAILABLE` where the file of the worker is not there, as after bundling, or where the process
 * may have no threads.
 */
export function spawnEngine(
  options: EngineOptions,
  host: HostApi,
  onEnd: (error: MailRelayError) => void,
): EngineThread {
  const worker = createWorker(options);
  let ending = false;
  let failure: unknown;
  const rpc = createBirpc<EngineApi, HostApi>(host, { ...batchedChannel(worker, CALLS), timeout: -1 });
  worker.on('error', (error) => {
    failure = error;
  });
  const ended = Promise.withResolvers<void>();
  let over: MailRelayError | undefined;
  worker.on('exit', (code) => {
    ended.resolve();
    const error = ending
      ? new MailRelayError('RELAY_STOPPED')
      : new MailRelayError('ENGINE_CRASHED', { exitCode: code, ...reasonOf(failure) }, { cause: failure });
    over = error;
    void rpc.$rejectPendingCalls(({ reject }) => reject(error));
    if (!ending) onEnd(error);
  });
  let held = true;
  let calls = 0;
  const settle = (): void => {
    if (held || calls > 0) worker.ref();
    else worker.unref();
  };
  /** A call that waits for its answer keeps the process alive, whatever `hold()` says: its promise must not be left. */
  function counted(name: keyof EngineApi): (...parameters: never[]) => Promise<unknown> {
    return async (...parameters) => {
      // What is posted to a thread that has ended is never answered.
      if (over !== undefined) throw over;
      if (calls++ === 0) settle();
      try {
        return await (rpc[name] as (...values: never[]) => Promise<unknown>)(...parameters);
      } finally {
        if (--calls === 0) settle();
      }
    };
  }
  const methods = new Map<string | symbol, unknown>();
  const api = new Proxy({} as EngineApi, {
    get(_, name) {
      // A promise that resolves with the engine asks for this one.
      if (name === 'then') return undefined;
      if (!methods.has(name)) methods.set(name, counted(name as keyof EngineApi));
      return methods.get(name);
    },
  });
  return {
    api,
    hold(on) {
      held = on;
      settle();
    },
    async terminate(): Promise<void> {
      ending = true;
      worker.ref();
      worker.postMessage(END);
      // A thread that is cut off in the middle of a call into SQLite can take the process with it, so that is the last resort.
      const timer = setTimeout(() => void worker.terminate(), GRACE_MS);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}

function createWorker(options: EngineOptions): Worker {
  const file = workerFile('worker', import.meta.url, ', or set `thread: false`');
  startThreadPool();
  letV8HelpersGiveWay();
  try {
    return new Worker(file, {
      workerData: options,
      name: 'mail-relay',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB, maxOldGenerationSizeMb: Math.min(OLD_MB, hostMb()) },
      ...workerArguments(),
    });
  } catch (cause) {
    const reason = `${messageOf(cause)}; or set \`thread: false\``;
    throw new MailRelayError('WORKER_UNAVAILABLE', { reason }, { cause });
  }
}

/** What the heap of the host may become: who has set a lower limit gets it for the engine as well. */
function hostMb(): number {
  return Math.floor(getHeapStatistics().heap_size_limit / 1_048_576);
}

function reasonOf(failure: unknown): { readonly reason?: string } {
  return failure === undefined ? {} : { reason: messageOf(failure) };
}
