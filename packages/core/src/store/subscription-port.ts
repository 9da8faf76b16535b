import type { SubscribedEvent, SubscribedType } from '../events.ts';
import type { Page } from './port.ts';

/** What is told of events: a function of the host, or an endpoint elsewhere. The order is the storage code: append only. */
export const SUBSCRIPTION_KINDS = ['handler', 'webhook'] as const;
/** What is told of events. */
export type SubscriptionKind = (typeof SUBSCRIPTION_KINDS)[number];

/** A subscription as it is declared. */
export interface SubscriptionSpec {
  readonly name: string;
  readonly kind: SubscriptionKind;
  readonly types: readonly SubscribedType[];
}

/** One request to an endpoint. */
export interface RequestFacts {
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** Duration, ms. */
  readonly ms: number;
}

/** What became of one event that was handed out. */
export interface EventResult {
  readonly id: string;
  /** Undefined for an alert or a warning. */
  readonly deliveryId: string | undefined;
  readonly type: SubscribedType;
  /** It was handed out out of turn, and not by the cursor. */
  readonly again: boolean;
  readonly attempt: number;
  /**
   * `done`; `retry`, at a time; `failed`: given up; `behind`: not tried, as an earlier event of its delivery is tried again.
   */
  readonly outcome:
    | { readonly type: 'done' }
    | { readonly type: 'behind' }
    | { readonly type: 'retry'; readonly error: string; readonly dueAt: number }
    | { readonly type: 'failed'; readonly error: string };
  readonly request?: RequestFacts | undefined;
}

/** Results that come, and events that are asked for. */
export interface TurnRequest {
  readonly subscription: SubscriptionSpec;
  /** Name of the process; one at a time works on a subscription. */
  readonly holder: string;
  readonly results: readonly EventResult[];
  /** Every event up to here is handled or among the results; undefined before anything was read. */
  readonly cursor: number | undefined;
  /** Where to read on; undefined for the cursor of the store. */
  readonly after: number | undefined;
  /** Most events to hand out. */
  readonly want: number;
  /** Events that are still in the hands of the process. Where there are none, and none are handed out, the lease ends. */
  readonly inHand: number;
  /** Ends further handing out, for a reason that operators see. */
  readonly pause?: string | undefined;
  /** Does so by itself once nothing has gone well for so long, ms. */
  readonly pauseAfterMs?: number | undefined;
  readonly now: number;
  /** The machine's time, for the lease. */
  readonly wall: number;
  readonly leaseMs: number;
  /** An event that is handed out out of turn is not handed out again for so long, ms. */
  readonly holdMs: number;
}

/** An event in the hands of a process. */
export interface HandedEvent {
  readonly event: SubscribedEvent;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  readonly again: boolean;
}

/** The answer to a {@link TurnRequest}. */
export interface Turn {
  /**
   * `held`: the process works on it. `idle`: there is nothing to do. `busy`: another process works on it. `paused`; `gone`:
   * it was removed; `superseded`: it was declared with other types since.
   */
  readonly state: 'held' | 'idle' | 'busy' | 'paused' | 'gone' | 'superseded';
  readonly events: readonly HandedEvent[];
  /** Up to where was read. */
  readonly after: number | undefined;
  /** There is more to hand out at once. */
  readonly more: boolean;
  /** When the next event that is tried again is due. */
  readonly nextDueAt: number | undefined;
  /** Why this turn has paused it. */
  readonly pausedFor?: string | undefined;
}

/** A subscription as operators see it. */
export interface SubscriptionView {
  readonly name: string;
  readonly kind: SubscriptionKind;
  readonly types: readonly SubscribedType[];
  /** A paused one is told of nothing; its events wait. */
  readonly state: 'active' | 'paused';
  /** Why it is paused. */
  readonly reason: string | undefined;
  readonly createdAt: Date;
  /** When a process that has it last started. */
  readonly seenAt: Date;
  /** Events that wait for their turn; from 10,000 on they are not counted. */
  readonly waiting: number;
  /** When the oldest of them was stored. */
  readonly waitingSince: Date | undefined;
  /** Events that failed and are tried again, or wait behind one of the same delivery. */
  readonly retrying: number;
  /** Events that were given up; `failures()` lists them. */
  readonly failed: number;
  readonly succeededAt: Date | undefined;
  /** Since when nothing went well; undefined where the last event did. */
  readonly failingSince: Date | undefined;
  /** What went wrong last. */
  readonly error: string | undefined;
}

/** An event that was given up. */
export interface FailedEvent {
  readonly eventId: string;
  /** Undefined for an alert or a warning. */
  readonly deliveryId: string | undefined;
  readonly type: SubscribedType;
  /** Undefined where the delivery is gone. */
  readonly event: SubscribedEvent | undefined;
  readonly attempts: number;
  readonly error: string | undefined;
  readonly failedAt: Date;
}

/** A request to an endpoint, as it is remembered. */
export interface WebhookAttempt {
  readonly id: string;
  readonly at: Date;
  readonly eventId: string;
  readonly type: SubscribedType;
  /** Number of the attempt for this event, from 1. */
  readonly attempt: number;
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  readonly ms: number;
  /** Undefined where the endpoint took it. */
  readonly error: string | undefined;
}

/** Which events are handled once more: one, those that were given up, or those of a time. */
export type ReplaySelection =
  | { readonly event: string }
  | { readonly failures: true }
  | { readonly from: Date; readonly to?: Date | undefined };

/** Which page. */
export interface PageQuery {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Tells subscriptions of events. Every name that is not known throws `SUBSCRIPTION_NOT_FOUND`, but in `declare` and `turn`. */
export interface SubscriptionStore {
  /** Makes a subscription, which begins with the events after this; one that is there gets these types. */
  declare(spec: SubscriptionSpec, now: number): Promise<void>;
  /** Whether a turn with these words would have something to do; cheap, and writes nothing. */
  peek(request: TurnRequest): Turn | undefined;
  /** Writes results and hands out events, in one transaction. */
  turn(request: TurnRequest): Promise<Turn>;
  list(): Promise<SubscriptionView[]>;
  /** Ends or begins handing out. */
  pause(name: string, reason: string | undefined, now: number): Promise<void>;
  resume(name: string): Promise<void>;
  /** Forgets it, with what waits for it. */
  remove(name: string): Promise<void>;
  failures(name: string, query: PageQuery): Promise<Page<FailedEvent>>;
  /**
   * Hands out again, some thousands at a time. Throws `EVENT_NOT_FOUND` for one event that is not kept or not of its types.
   */
  replay(
    name: string,
    which: ReplaySelection,
    options: { readonly now: number; readonly after?: number | undefined },
  ): Promise<{ readonly replayed: number; readonly next: number | undefined }>;
  /** What an endpoint answered, newest first. */
  attempts(name: string, query: PageQuery): Promise<Page<WebhookAttempt>>;
}
