import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { decodeId } from '../message.ts';
import { WEBHOOK_PAUSE_MS, WEBHOOK_SCHEDULE } from '../notify/back-off.ts';
import { startDispatcher } from '../notify/dispatcher.ts';
import type { ResolvedEndpoint, Turns } from '../notify/port.ts';
import { createPoster } from '../notify/webhooks/poster.ts';
import type { HostApi } from '../thread/port.ts';

/** Posts events to endpoints, which may change meanwhile. */
export interface Posting {
  readonly size: number;
  /** Posts to these from now on, and to no others. */
  use(endpoints: readonly ResolvedEndpoint[]): void;
  wake(): void;
  /** Resolves when nothing is left to post at the time as it is. */
  settled(): Promise<void>;
  stop(timeoutMs: number): Promise<void>;
}

/** One endpoint, as it is posted to. */
interface Posted {
  /** Everything about it, so that a change is seen. */
  readonly mark: string;
  wake(): void;
  settled(): Promise<void>;
  stop(timeoutMs: number): Promise<void>;
}

/** Posts nothing before `use()`. */
export function createPosting(context: {
  readonly turns: Turns;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: HostApi['log'];
}): Posting {
  const { turns, leaseMs, clock, log } = context;
  const running = new Map<string, Posted>();
  /** Those that come to an end. */
  const ending = new Set<Promise<void>>();

  function post(endpoint: ResolvedEndpoint, mark: string): Posted {
    const { name, types, concurrency, timeoutMs } = endpoint;
    const poster = createPoster(endpoint, clock);
    const dispatcher = startDispatcher({
      subscription: { name, kind: 'webhook', types },
      handle: poster.post,
      concurrency,
      // The request has its own time, which ends first.
      timeoutMs: timeoutMs + 5000,
      schedule: WEBHOOK_SCHEDULE,
      pauseAfterMs: WEBHOOK_PAUSE_MS,
      leaseMs,
      holder: randomUUID(),
      turns,
      idOf: (event) => decodeId('evt', event) ?? 0,
      clock,
      log,
    });
    return {
      mark,
      wake: dispatcher.wake,
      settled: dispatcher.settled,
      async stop(longestMs) {
        await dispatcher.stop(longestMs);
        poster.close();
      },
    };
  }

  /** What is on its way is waited for; whoever comes next to the endpoint goes on behind it. */
  function end(name: string, posted: Posted, timeoutMs: number): void {
    running.delete(name);
    const ended = posted.stop(timeoutMs).finally(() => {
      ending.delete(ended);
      running.get(name)?.wake();
    });
    ending.add(ended);
  }

  return {
    get size() {
      return running.size;
    },
    use(endpoints) {
      const wanted = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
      const marks = new Map(endpoints.map((endpoint) => [endpoint.name, JSON.stringify(endpoint)]));
      for (const [name, posted] of [...running])
        if (marks.get(name) !== posted.mark) end(name, posted, (wanted.get(name)?.timeoutMs ?? 0) + 5000);
      for (const [name, endpoint] of wanted)
        if (!running.has(name)) running.set(name, post(endpoint, marks.get(name) ?? ''));
    },
    wake() {
      for (const posted of running.values()) posted.wake();
    },
    settled: async () => void (await Promise.all([...running.values()].map((posted) => posted.settled()))),
    async stop(timeoutMs) {
      for (const [name, posted] of [...running]) end(name, posted, timeoutMs);
      await Promise.all(ending);
    },
  };
}
