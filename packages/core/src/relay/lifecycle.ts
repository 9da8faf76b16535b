import type { Clock } from '../clock.ts';
import type { EngineOptions } from '../engine.ts';
import { MailRelayError } from '../errors.ts';
import { check, flag, group, rule } from '../rules.ts';
import type { EngineApi, HostApi } from '../thread/port.ts';
import { type EngineThread, spawnEngine } from '../thread/spawn.ts';

/** How long and how thoroughly to stop. */
export interface StopOptions {
  /** First send what is due. @default false: what waits stays in the store and goes out after the next start */
  readonly drain?: boolean | undefined;
  /** Longest wait for mail on its way (and with `drain`, for the queue), ms. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

const STOP = group<StopOptions>({
  drain: flag,
  timeoutMs: rule((value) => typeof value === 'number' && value >= 0 && value < 2 ** 31, 'must be a number of ms'),
});

function problemOf(options: StopOptions): unknown {
  try {
    check(STOP, options, 'stop()');
    return undefined;
  } catch (error) {
    return error;
  }
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

/** Waits before an engine that crashed is started again; the last one repeats, ms. */
const RESTART_MS = [250, 1000, 5000, 30_000] as const;
/** An engine that ran so long had no lasting trouble, ms. */
const STEADY_MS = 60_000;

/**
 * @param onStarted - called with each engine that starts, before anybody gets it.
 * @param onStopping - called before an engine stops, with the longest time that it may take, ms.
 */
export function createLifecycle(context: {
  readonly options: EngineOptions;
  readonly threaded: boolean;
  readonly host: HostApi;
  /** Of an engine without a thread. */
  readonly clock: Clock;
  onStarted(engine: EngineApi): Promise<void>;
  onStopping(timeoutMs: number): Promise<void>;
  onCrash(error: MailRelayError): void;
}): Lifecycle {
  /** What the host asked for last. */
  let wanted = true;
  let starting: Promise<EngineApi> | undefined;
  let stopping: Promise<void> | undefined;
  let thread: EngineThread | undefined;
  let held = true;
  let crashes = 0;
  let startedAt = 0;

  /** Everything accepted is in the store: a new engine goes on with it, also where nobody calls. */
  function restart(error: MailRelayError): void {
    starting = undefined;
    thread = undefined;
    context.onCrash(error);
    if (!wanted) return;
    if (Date.now() - startedAt > STEADY_MS) crashes = 0;
    const wait = RESTART_MS[Math.min(crashes, RESTART_MS.length - 1)] as number;
    crashes += 1;
    setTimeout(() => {
      if (wanted) engine().catch((again: MailRelayError) => restart(again));
    }, wait).unref();
  }

  async function launch(): Promise<EngineApi> {
    if (!context.threaded) {
      // With a thread of its own, the host never loads the engine and what that needs.
      const { createEngine } = await import('../engine.ts');
      return begin(createEngine(context.options, context.host, context.clock));
    }
    const spawned = spawnEngine(context.options, context.host, (error) => {
      // One that did not get so far is reported to who started it.
      if (thread === spawned && startedAt > 0) restart(error);
    });
    thread = spawned;
    startedAt = 0;
    try {
      return await begin(spawned.api);
    } catch (error) {
      await spawned.terminate();
      thread = undefined;
      throw error;
    }
  }

  async function begin(api: EngineApi): Promise<EngineApi> {
    await api.start();
    await context.onStarted(api);
    startedAt = Date.now();
    thread?.hold(held);
    return api;
  }

  function engine(): Promise<EngineApi> {
    if (!wanted) return Promise.reject(new MailRelayError('RELAY_STOPPED'));
    // A stop that is under way ends first; one that failed is no reason not to start.
    if (stopping !== undefined) return stopping.then(engine, engine);
    starting ??= launch().catch((error: unknown) => {
      starting = undefined;
      throw error;
    });
    return starting;
  }

  async function end({ drain = false, timeoutMs = 10_000 }: StopOptions): Promise<void> {
    const api = await starting?.catch(() => undefined);
    const running = thread;
    running?.hold(true);
    try {
      await context.onStopping(timeoutMs);
      await api?.stop({ drain, timeoutMs });
    } finally {
      await running?.terminate();
    }
  }

  return {
    engine,
    running: () => starting,
    async start() {
      wanted = true;
      await engine();
    },
    stop(options = {}) {
      const wrong = problemOf(options);
      if (wrong !== undefined) return Promise.reject(wrong);
      wanted = false;
      stopping ??= end(options).finally(() => {
        stopping = undefined;
        starting = undefined;
        thread = undefined;
      });
      return stopping;
    },
    hold(on) {
      check(flag, on, 'on');
      held = on;
      thread?.hold(on);
    },
  };
}
