import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { decodeId } from '../message.ts';
import { WEBHOOK_PAUSE_MS, WEBHOOK_SCHEDULE } from '../notify/back-off.ts';
import { type Dispatcher, startDispatcher } from '../notify/dispatcher.ts';
import type { ResolvedEndpoint } from '../notify/port.ts';
import { createPoster, type Poster } from '../notify/webhooks/poster.ts';
import type { SubscriptionStore, Turn, TurnRequest } from '../store/port.ts';
import type { EngineApi, HostApi } from '../thread/port.ts';
import { createNeglect } from './neglect.ts';

type Api = Pick<
  EngineApi,
  | 'declareSubscription'
  | 'turnSubscription'
  | 'listSubscriptions'
  | 'pauseSubscription'
  | 'resumeSubscription'
  | 'dropSubscription'
  | 'failedEvents'
  | 'replayEvents'
  | 'webhookAttempts'
>;

/** Tells subscriptions of events: those of the host's thread, and webhooks, which are posted from here. */
export interface Notifying {
  readonly api: Api;
  /** There are new events. */
  wake(): void;
  /** Resolves when the endpoints have what is due. */
  settled(): Promise<void>;
  start(): Promise<void>;
  stop(timeoutMs: number): Promise<void>;
}

/** Events of so many ms are looked for together. */
const TOGETHER_MS = 20;

/** @param context.posts - whether this process posts webhooks; one that does not only declares them. */
export function createNotifying(context: {
  readonly subscriptions: SubscriptionStore;
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly posts: boolean;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly host: Pick<HostApi, 'wake' | 'log'>;
}): Notifying {
  const { subscriptions, endpoints, clock, host } = context;
  const posters: Poster[] = [];
  let dispatchers: Dispatcher[] = [];
  /** The host's thread has subscriptions. */
  let followed = false;
  let waking: NodeJS.Timeout | undefined;
  let stopped = false;
  const neglect = createNeglect({ subscriptions, clock, log: host.log });

  const turn = async (request: TurnRequest): Promise<Turn> =>
    subscriptions.peek(request) ?? (await subscriptions.turn(request));

  function wakeAll(): void {
    waking = undefined;
    for (const dispatcher of dispatchers) dispatcher.wake();
    if (followed) host.wake();
  }

  function post(endpoint: ResolvedEndpoint): Dispatcher {
    const { name, types, concurrency, timeoutMs } = endpoint;
    const poster = createPoster(endpoint, clock);
    posters.push(poster);
    return startDispatcher({
      subscription: { name, kind: 'webhook', types },
      handle: poster.post,
      concurrency,
      // The request has its own time, which ends first.
      timeoutMs: timeoutMs + 5000,
      schedule: WEBHOOK_SCHEDULE,
      pauseAfterMs: WEBHOOK_PAUSE_MS,
      leaseMs: context.leaseMs,
      holder: randomUUID(),
      turns: turn,
      idOf: numberOf,
      clock,
      log: host.log,
    });
  }

  /** What an operator changes is seen at once. */
  const changed =
    <P extends unknown[], R>(change: (...given: P) => Promise<R>) =>
    async (...given: P): Promise<R> => {
      const result = await change(...given);
      wakeAll();
      return result;
    };

  return {
    api: {
      async declareSubscription(spec) {
        await subscriptions.declare(spec, clock.now());
        followed = true;
      },
      turnSubscription: turn,
      listSubscriptions: () => subscriptions.list(),
      pauseSubscription: (name, reason) => subscriptions.pause(name, reason, clock.now()),
      resumeSubscription: changed(subscriptions.resume),
      dropSubscription: changed(subscriptions.remove),
      failedEvents: subscriptions.failures,
      replayEvents: changed(async (name: string, which) => {
        let replayed = 0;
        let after: number | undefined;
        do {
          const part = await subscriptions.replay(name, which, { now: clock.now(), after });
          replayed += part.replayed;
          after = part.next;
        } while (after !== undefined);
        return replayed;
      }) as Api['replayEvents'],
      webhookAttempts: subscriptions.attempts,
    },
    wake() {
      if (!stopped && (followed || dispatchers.length > 0)) waking ??= setTimeout(wakeAll, TOGETHER_MS);
    },
    settled: async () => void (await Promise.all(dispatchers.map((dispatcher) => dispatcher.settled()))),
    async start() {
      for (const { name, types } of endpoints)
        await subscriptions.declare({ name, kind: 'webhook', types }, clock.now());
      if (context.posts) dispatchers = endpoints.map(post);
      neglect.start();
    },
    async stop(timeoutMs) {
      stopped = true;
      clearTimeout(waking);
      neglect.stop();
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop(timeoutMs)));
      for (const poster of posters) poster.close();
    },
  };
}

function numberOf(event: string): number {
  return decodeId('evt', event) ?? 0;
}
