import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { MailRelayError, messageOf } from '../errors.ts';
import {
  EVENT_TYPES,
  type EventType,
  NOTICE_TYPES,
  type SubscribedEvent,
  type SubscribedEventOf,
  type SubscribedType,
} from '../events.ts';
import type { Logger } from '../logger.ts';
import { decodeId } from '../message.ts';
import { handlerSchedule } from '../notify/back-off.ts';
import { type Dispatcher, startDispatcher } from '../notify/dispatcher.ts';
import type { HandlerContext, Verdict } from '../notify/port.ts';
import { callable, check, group, list, milliseconds, oneOf, refuse, whole } from '../rules.ts';
import type { SubscriptionSpec } from '../store/port.ts';
import { SUBSCRIPTION_NAME } from '../subscription-name.ts';
import type { EngineApi } from '../thread/port.ts';

/** How a subscription is handled. */
export interface SubscribeOptions<T extends SubscribedType = EventType> {
  /** Types of events, and `alert` and `warning`. @default every type of event of a mail */
  readonly types?: readonly T[] | undefined;
  /** Events handled at once; those of one delivery go one after the other. @default 1: all in their order */
  readonly concurrency?: number | undefined;
  /** Attempts before an event is given up and listed by `relay.subscriptions.failures()`. @default 12, over more than five hours */
  readonly maxAttempts?: number | undefined;
  /** Longest time for one event, ms; after that the attempt counts as failed. @default 60000 */
  readonly timeoutMs?: number | undefined;
}

/** Handles one event. What it throws, or rejects with, is tried again. */
export type EventHandler<T extends SubscribedType = EventType> = (
  event: SubscribedEventOf<T>,
  context: HandlerContext,
) => unknown;

/** A subscription in this process. */
export interface Subscription {
  readonly name: string;
  /** Resolves once it is stored: every event from then on is handled. Starts the relay where it is not. */
  ready(): Promise<void>;
  /** Handles nothing more in this process, and waits for what it handles at the moment, at most 10 s. Events wait for the next one. */
  stop(): Promise<void>;
}

interface Registered {
  readonly spec: SubscriptionSpec;
  start(): Dispatcher;
  dispatcher: Dispatcher | undefined;
  /** While it is being made. */
  making: Promise<void> | undefined;
}

/** Subscriptions of this process. */
export interface Subscribing {
  subscribe(name: string, ...given: readonly unknown[]): Subscription;
  /** Makes them, and begins to handle. */
  onStarted(engine: EngineApi): Promise<void>;
  onStopping(timeoutMs: number): Promise<void>;
  wake(): void;
  /** Resolves when everything that is due has been handled. */
  settled(): Promise<void>;
}

type Wanted = SubscribeOptions<SubscribedType>;

const TYPES: readonly SubscribedType[] = [...EVENT_TYPES, ...NOTICE_TYPES];
const OPTIONS = group<Wanted>({
  types: list(oneOf(TYPES)),
  concurrency: whole(1, 1000),
  maxAttempts: whole(1, 100),
  timeoutMs: milliseconds,
});
const STOP_MS = 10_000;

/** The subscriptions that the host makes, before it starts or later. */
export function createSubscribing(context: {
  readonly engine: () => Promise<EngineApi>;
  readonly running: () => Promise<EngineApi> | undefined;
  readonly clock: Pick<Clock, 'now' | 'alarm'>;
  readonly logger: Logger;
  readonly leaseMs: number;
}): Subscribing {
  const { engine, running, clock, logger } = context;
  const registered = new Map<string, Registered>();
  /** Names this process, whatever engines it starts. */
  const holder = randomUUID();
  /** The engine that runs; while it stops it still takes results. */
  let current: EngineApi | undefined;

  async function begin(entry: Registered, api: EngineApi): Promise<void> {
    await api.declareSubscription(entry.spec);
    if (registered.get(entry.spec.name) !== entry) return;
    entry.dispatcher ??= entry.start();
    entry.dispatcher.wake();
  }

  function registerOne(name: string, options: Wanted, handler: EventHandler): Registered {
    const { concurrency = 1, maxAttempts = 12, timeoutMs = 60_000 } = options;
    const types: readonly SubscribedType[] = options.types ?? EVENT_TYPES;
    const spec = { name, kind: 'handler', types: TYPES.filter((type) => types.includes(type)) } as const;
    const start = (): Dispatcher =>
      startDispatcher({
        subscription: spec,
        handle: handlerOf(handler),
        concurrency,
        timeoutMs,
        schedule: handlerSchedule(maxAttempts),
        leaseMs: context.leaseMs,
        holder,
        turns: async (request) => {
          if (current === undefined) throw new MailRelayError('RELAY_STOPPED');
          return current.turnSubscription(request);
        },
        idOf: (event) => decodeId('evt', event) ?? 0,
        clock,
        log: (level, fields, message) => logger[level](fields, message),
      });
    return { spec, start, dispatcher: undefined, making: undefined };
  }

  return {
    subscribe(name, ...given) {
      const [options, handler] = given.length > 1 ? given : [{}, given[0]];
      check(SUBSCRIPTION_NAME, name, 'name');
      check(OPTIONS, options, 'subscribe()');
      check(callable, handler, 'handler');
      const wanted = options as Wanted;
      if (wanted.types?.length === 0) refuse('subscribe().types', 'must not be an empty list');
      if (registered.has(name))
        throw new MailRelayError('OPTIONS_INVALID', {
          option: 'name',
          reason: `the subscription ${name} has a handler in this process already`,
        });
      const entry = registerOne(name, wanted, handler as EventHandler);
      registered.set(name, entry);
      // An engine that is not running yet hears of it when it starts.
      const declared = running()?.then((api) => begin(entry, api));
      entry.making = declared?.catch(() => {});
      declared?.catch((error: unknown) => {
        logger.error({ subscription: name, error: messageOf(error) }, 'a subscription could not be made');
      });
      return {
        name,
        async ready() {
          await engine();
          await declared;
        },
        async stop() {
          if (registered.get(name) === entry) registered.delete(name);
          await entry.dispatcher?.stop(STOP_MS);
        },
      };
    },
    async onStarted(api) {
      current = api;
      for (const entry of registered.values()) await begin(entry, api);
    },
    async onStopping(timeoutMs) {
      const ended = [...registered.values()].map(async (entry) => {
        const { dispatcher } = entry;
        entry.dispatcher = undefined;
        await dispatcher?.stop(timeoutMs);
      });
      await Promise.all(ended);
    },
    async settled() {
      const all = [...registered.values()].map(async (entry) => {
        await entry.making;
        await entry.dispatcher?.settled();
      });
      await Promise.all(all);
    },
    wake() {
      for (const { dispatcher } of registered.values()) dispatcher?.wake();
    },
  };
}

function handlerOf(handler: EventHandler): (event: SubscribedEvent, context: HandlerContext) => Promise<Verdict> {
  return async (event, context) => {
    await handler(event as never, context);
    return { ok: true };
  };
}
