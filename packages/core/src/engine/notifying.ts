import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { ResolvedEndpoint } from '../notify/port.ts';
import type { Seal } from '../seal.ts';
import type { EndpointStore, SubscriptionStore, Turn, TurnRequest } from '../store/port.ts';
import type { EngineApi, HostApi } from '../thread/port.ts';
import { createEndpoints } from './endpoints.ts';
import { createNeglect } from './neglect.ts';
import { createPosting } from './posting.ts';

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
  | 'listEndpoints'
  | 'addEndpoint'
  | 'removeEndpoint'
  | 'rotateEndpoint'
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

/** How often to look for endpoints that other processes added, ms. */
const LOOK_MS = 1000;

/** @param context.posts - whether this process posts webhooks; one that does not only declares them. */
export function createNotifying(context: {
  readonly store: { readonly subscriptions: SubscriptionStore; readonly endpoints: EndpointStore };
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly seal: Seal;
  readonly posts: boolean;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly host: Pick<HostApi, 'wake' | 'log'>;
}): Notifying {
  const { clock, host, leaseMs } = context;
  const { subscriptions } = context.store;
  /** The host's thread has subscriptions. */
  let followed = false;
  let waking: NodeJS.Timeout | undefined;
  let stopped = false;
  let endLooking = (): void => {};
  const neglect = createNeglect({ subscriptions, clock, log: host.log });

  const turn = async (request: TurnRequest): Promise<Turn> =>
    subscriptions.peek(request) ?? (await subscriptions.turn(request));

  function wakeAll(): void {
    waking = undefined;
    posting.wake();
    if (followed) host.wake();
  }

  const posting = createPosting({ turns: turn, leaseMs, clock, log: host.log });
  const endpoints = createEndpoints({
    store: context.store.endpoints,
    declared: context.endpoints,
    seal: context.seal,
    clock,
    log: host.log,
    changed: postToAll,
  });

  function postToAll(): void {
    try {
      if (context.posts && !stopped) posting.use(endpoints.all());
    } catch (error) {
      host.log('error', { error: messageOf(error) }, 'the endpoints of webhooks cannot be read');
    }
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
      ...endpoints.api,
    },
    wake() {
      if (!stopped && (followed || posting.size > 0)) waking ??= setTimeout(wakeAll, TOGETHER_MS);
    },
    settled: posting.settled,
    async start() {
      await endpoints.renew();
      for (const { name, types } of endpoints.all())
        await subscriptions.declare({ name, kind: 'webhook', types }, clock.now());
      postToAll();
      endLooking = clock.every(LOOK_MS, postToAll);
      neglect.start();
    },
    async stop(timeoutMs) {
      stopped = true;
      clearTimeout(waking);
      neglect.stop();
      endLooking();
      await posting.stop(timeoutMs);
    },
  };
}
