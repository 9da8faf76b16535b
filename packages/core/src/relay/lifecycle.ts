import { createEngine, type EngineOptions } from '../engine.ts';
import { MailRelayError } from '../errors.ts';
import type { EngineApi, HostApi } from '../thread/port.ts';
import { type EngineThread, spawnEngine } from '../thread/spawn.ts';

/** How long and how thoroughly to stop. */
export interface StopOptions {
  /** First send what is due. @default false: what waits stays in the store and goes out after the next start */
  readonly drain?: boolean;
  /** Longest wait for mail on its way (and with `drain`, for the queue), ms. @default 10000 */
  readonly timeoutMs?: number;
}

/** Starts the engine when it is first needed. After `stop()` only `start()` makes another. */
export interface Lifecycle {
  /** The running engine; starts it where it is not. */
  engine(): Promise<EngineApi>;
  /** The engine where it is running or starting. */
  running(): Promise<EngineApi> | undefined;
  start(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
  /** Whether waiting mail keeps the process alive. */
  hold(on: boolean): void;
}

/** @param onStarted - called with each engine that starts, before anybody gets it. */
export function createLifecycle(context: {
  readonly options: EngineOptions;
  readonly threaded: boolean;
  readonly host: HostApi;
  onStarted(engine: EngineApi): Promise<void>;
  onCrash(error: MailRelayError): void;
}): Lifecycle {
  let starting: Promise<EngineApi> | undefined;
  let stopping: Promise<void> | undefined;
  let restarting: Promise<void> | undefined;
  let thread: EngineThread | undefined;
  let held = true;

  async function launch(): Promise<EngineApi> {
    let api: EngineApi;
    if (context.threaded) {
      thread = spawnEngine(context.options, context.host, (error) => {
        // The next call starts a new one: everything accepted is in the store.
        starting = undefined;
        thread = undefined;
        context.onCrash(error);
      });
      api = thread.api;
    } else {
      api = createEngine(context.options, context.host);
    }
    try {
      await api.start();
      await context.onStarted(api);
    } catch (error) {
      await thread?.terminate();
      thread = undefined;
      throw error;
    }
    thread?.hold(held);
    return api;
  }

  function engine(): Promise<EngineApi> {
    if (restarting !== undefined) return restarting.then(engine);
    if (stopping !== undefined) return Promise.reject(new MailRelayError('RELAY_STOPPED'));
    starting ??= launch().catch((error: unknown) => {
      starting = undefined;
      throw error;
    });
    return starting;
  }

  return {
    engine,
    running: () => starting,
    start() {
      if (stopping === undefined) return engine().then(() => {});
      restarting ??= stopping
        .catch(() => {})
        .then(() => {
          restarting = undefined;
          stopping = undefined;
          starting = undefined;
          thread = undefined;
          return engine();
        })
        .then(() => {});
      return restarting;
    },
    stop({ drain = false, timeoutMs = 10_000 } = {}) {
      const running = starting;
      stopping ??= (async () => {
        const api = await running?.catch(() => undefined);
        thread?.hold(true);
        try {
          await api?.stop({ drain, timeoutMs });
        } finally {
          await thread?.terminate();
        }
      })();
      return stopping;
    },
    hold(on) {
      held = on;
      thread?.hold(on);
    },
  };
}
