/**
 * Where deliveries wait, as the scheduler sees it. Safe when many processes share one store.
 *
 * Contract:
 * - a delivery is claimed by one owner at a time, until it is settled or its owner's lease ends (`beat` missed for `leaseMs`);
 * - deliveries of a lane come in order of `dueAt`, never before it;
 * - over all owners, no sliding window of a rated route holds more starts than its limit: a claim reserves a start,
 *   `started` (or `settle`) says when it was, and a start that is reserved counts as "now"; so does what a dead owner had;
 * - broadcast mail leaves room for transactional mail of the same route: it is spread over windows of up to 10 s, and
 *   never takes all of a longer one;
 * - a clock that is set back holds nothing up: with the next `beat` or `register`, what was due is due, and what was to wait
 *   for a time waits for it from then on. The rates hold meanwhile.
 */
import type { MessageEvent, ReasonClass, Transcript } from '../events.ts';
import type { Stream } from '../message.ts';
import type { Rate } from '../rate.ts';
import type { StoredDelivery } from '../store/port.ts';
import type { WarmUp } from '../warm-up.ts';
import type { LaneRule, Shaped, SiteStanding } from './site-port.ts';

export type { InHand } from './in-hand.ts';
export type { LaneRule, Shaped, SiteBounds, SiteLane, SiteQueueStore, SiteStanding, WaitingMail } from './site-port.ts';

/** A lane: the queue of one route and one stream, and of one site where the route is held to limits by site. */
export interface LaneKey {
  readonly route: string;
  readonly stream: Stream;
  /** The site; undefined for the lane that mail of the route comes into. */
  readonly site?: string | undefined;
}

/** A claimed delivery. */
export interface ClaimedDelivery extends StoredDelivery {
  /** Attempts before this one. */
  readonly attempts: number;
  /** See {@link DeliveryRecord.inDoubt}. */
  readonly inDoubt?: true | undefined;
  /** The site whose lane it came from, where it did. */
  readonly site?: string | undefined;
  /** How the site did before. */
  readonly standing?: SiteStanding | undefined;
  /** The rule that acted on the site as it was handed out. */
  readonly rule?: LaneRule | undefined;
  /** Its way has sent what it may on this day, and it is to take another; else it waits until this time. */
  readonly overflowUntil?: number | undefined;
}

/** How an attempt ended. */
export interface Settlement {
  readonly deliveryId: number;
  /** When the attempt started to send; undefined where nothing was sent (suppressed, failed before it started, given back). */
  readonly startedAt: number | undefined;
  /** When it began, where nothing became of that and it was given back: it counts for rates, and is no attempt. */
  readonly begunAt?: number | undefined;
  /** The start was reported with `started()` already. */
  readonly startCounted?: boolean;
  /** Nobody knows whether the server has taken the mail: from then on the delivery is in doubt. */
  readonly inDoubt?: true | undefined;
  readonly result:
    | { readonly type: 'sent'; readonly reply: string; readonly providerId?: string | undefined }
    | {
        readonly type: 'deferred';
        readonly retryAt: number;
        readonly reply: string;
        readonly status: string | undefined;
        readonly reason: ReasonClass;
        /** The route that tries next, where it is another one. */
        readonly movedTo?: string | undefined;
      }
    | {
        readonly type: 'bounced';
        readonly kind: 'hard' | 'soft';
        readonly reply: string;
        readonly status: string | undefined;
        readonly reason: ReasonClass;
        readonly suppress: boolean;
      }
    | {
        readonly type: 'failed';
        readonly reply: string;
        readonly status: string | undefined;
        readonly reason: ReasonClass;
      }
    | { readonly type: 'suppressed'; readonly reason: string }
    /** Back into the queue, untried: at once or from a time on, of the same lane or of another route's. */
    | { readonly type: 'returned'; readonly dueAt?: number | undefined; readonly movedTo?: string | undefined };
  readonly transcript: Transcript | undefined;
}

/** What has started of late in a lane with limits. */
export interface LaneUse {
  readonly rates: readonly { readonly rate: Rate; readonly n: number }[];
  /** Of a warm-up: the ceiling of this day, undefined after its end; when the next day begins. */
  readonly today: { readonly ceiling: number | undefined; readonly sent: number; readonly until: number } | undefined;
}

/** A lane, as operators see it. */
export interface LaneRecord extends LaneKey {
  readonly paused: boolean;
  /** At most 100,000 are counted, and 1,000,000 over a list. */
  readonly waiting: number;
  readonly sending: number;
  /** Due time of the delivery that waits longest; undefined where none waits. */
  readonly oldestDueAt: number | undefined;
}

/** One limit of a lane. */
export interface LaneLimit {
  /** `concurrency`: mails of the stream on their way at once, in each process. */
  readonly kind: 'rate' | 'connections' | 'warm-up' | 'concurrency';
  /** As it was written: `40/s`, `20 connections`, `10 at once`, `50 on day 2026-12-01`; with what a rule has made of it. */
  readonly text: string;
  /**
   * What sets it: an option of the route, the data of the receiver, the option `shaping`, a rule, a warm-up; `default` where
   * the route says nothing.
   */
  readonly by: 'route' | 'receiver' | 'host' | 'rule' | 'warm-up' | 'default';
  /**
   * The ceiling, and what counts against it now; against connections of a route all mails on their way, as each takes one that
   * is free. Of a rate and of a day the ceiling is that of the stream, and what both have sent counts.
   */
  readonly most: number;
  readonly used: number;
}

/** Which lanes are listed. */
export interface LaneQuery {
  readonly route?: string | undefined;
  readonly stream?: Stream | undefined;
  readonly site?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** The queue as a whole. */
export interface QueueTotals {
  /** Deliveries that wait, counted up to 1,000,000. */
  readonly waiting: number;
  readonly sending: number;
  /** Earliest due time of what is in a lane that is not paused, ms since the epoch. */
  readonly oldestDueAt: number | undefined;
}

/** A lane with what limits it. */
export interface LaneView extends LaneRecord {
  /** All that hold: the rates of the route, then the limits of the site, then how much the route sends at once. */
  readonly limits: readonly LaneLimit[];
  /** The rule of shaping that acts on it, with the reply that made it act; times in ms since the epoch. */
  readonly rule:
    | {
        readonly name: string;
        readonly reply: string;
        readonly since: number;
        readonly until: number;
        readonly factor: number;
        /** Local addresses that the site gets no mail from now (`move`), each until a time. */
        readonly avoided: readonly { readonly address: string; readonly until: number }[];
      }
    | undefined;
  /**
   * How fast it goes: mails that began to go out in the last minute, to within 5 s, each try among them; of a lane without a
   * site all of its stream by its route, to sites as well. Of this process alone, where `used` of a rate is of all; undefined
   * where it does not deliver the route.
   */
  readonly startedLastMinute: number | undefined;
  /** When it may start the next mail, ms since the epoch; undefined where that depends on a mail on its way, or on somebody. */
  readonly readyAt: number | undefined;
}

/** The queue's part of the store. */
export interface QueueStore {
  /** Registers this process with its routes and their limits; answers its owner number. */
  register(
    owner: {
      readonly pid: number;
      readonly host: string;
      /** Limits by route; of several, all hold. */
      readonly rates: Readonly<Record<string, Rate | readonly Rate[]>>;
      /** Names of the routes that it is configured with, also those that others deliver. */
      readonly routes?: readonly string[];
      /** Warm-ups by route. @default none */
      readonly warmUps?: Readonly<Record<string, WarmUp>> | undefined;
      /** Which of them are held to limits by site. @default none */
      readonly shaped?: Shaped | undefined;
    },
    now: number,
  ): Promise<number>;
  /**
   * Renews the lease of an owner, and gives back what owners had whose last beat is older than `leaseMs`. Waiting mail of
   * routes that no registered process has moves to `fallback`: at once where this process is alone, else when nobody had
   * the route for `absentMs`, as a process with other routes may only be about to start again.
   */
  beat(
    owner: number,
    options: {
      readonly now: number;
      readonly leaseMs: number;
      readonly fallback?: { readonly route: string; readonly absentMs: number };
      /** Whether what silent owners had is given back; a process that only accepts leaves that to those that deliver. @default true */
      readonly takesOver?: boolean;
    },
  ): Promise<{
    /** Whether the owner still is registered. */
    readonly alive: boolean;
    readonly recovered: number;
    readonly moved: number;
  }>;
  /**
   * Gives back everything that the owner holds, and forgets it.
   *
   * @param unanswered - deliveries whose message has gone out, and has no answer: they are in doubt
   */
  unregister(owner: number, now: number, unanswered?: readonly number[]): Promise<void>;
  /** At most `limit` due deliveries of a lane, marked `sending`; fewer where the rate of the route, as registered, allows fewer. Empty for a paused lane. */
  claim(request: {
    readonly lane: LaneKey;
    readonly limit: number;
    readonly owner: number;
    readonly now: number;
  }): Promise<ClaimedDelivery[]>;
  /** Deliveries that were claimed on a rated route began at these times; until then, each counts as one that starts "now". */
  started(route: string, times: readonly number[], owner: number): Promise<void>;
  /** Writes results in one transaction with their events and counts. Results for deliveries that the owner no longer holds are left out. Hard bounces with `suppress` join the suppression list. Answers the events. */
  settle(
    settlements: readonly Settlement[],
    options: { readonly owner: number; readonly now: number },
  ): Promise<MessageEvent[]>;
  /** Earliest due time of a lane that is not paused; undefined where nothing waits. */
  nextDueAt(lane: LaneKey): number | undefined;
  /** When a lane whose route is full may start the next delivery; undefined where no start is in the window. */
  nextSlotAt(lane: LaneKey, now: number): number | undefined;
  /** What has started of late, of the route or, where one is named, of the site. */
  used(lane: LaneKey, now: number): LaneUse;
  /** Deliveries of a route that are handed out, over all sites and processes. */
  sending(route: string): Readonly<Record<Stream, number>>;
  /** A number that changes when another process committed; cheap. */
  changes(): number;
  /** A lane with a site is that site's alone; one without stops all sites of the route. */
  pause(lane: LaneKey, paused: boolean, now: number): Promise<void>;
  /** One lane; undefined where it has never had mail. */
  lane(lane: LaneKey): LaneRecord | undefined;
  /** Lanes, the busiest first; of sites those that have mail, are paused, or that a rule acts on. */
  lanes(query: LaneQuery): Promise<LaneRecord[]>;
  /** Over all lanes. */
  totals(): Promise<QueueTotals>;
}
