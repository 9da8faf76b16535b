import type { Clock } from '../clock.ts';
import type { OutgoingMail } from '../deliver/port.ts';
import type { MessageEvent } from '../events.ts';
import type { Rate } from '../rate.ts';
import type { WarmUp } from '../warm-up.ts';
import type { ActingRules } from './acting-rules.ts';
import type { InHand } from './in-hand.ts';
import type { ClaimedDelivery, LaneKey, QueueStore, Settlement } from './port.ts';
import type { Shaped, SiteQueueStore } from './site-port.ts';
import type { Divert, SiteFinder } from './sorter.ts';

/** A lane with its bounds. */
export interface LaneOptions {
  readonly key: LaneKey;
  /** Deliveries on their way at once. */
  readonly concurrency: number;
  /** All hold. Empty where nothing limits it. */
  readonly rates: readonly Rate[];
  readonly warmUp?: WarmUp | undefined;
}

/** What holds routes to limits by site. */
export interface SiteQueueOptions {
  readonly store: SiteQueueStore;
  readonly shaped: Shaped;
  readonly finder: SiteFinder;
  /** Undefined where no route has rules by site. */
  readonly divert?: Divert | undefined;
  readonly rules: ActingRules;
}

/** What is said of an attempt while it goes on; see {@link OutgoingMail}. */
export type Progress = Required<Pick<OutgoingMail, 'onStart' | 'onMessage'>>;

/** What the local queue works with. */
export interface LocalQueueOptions {
  readonly store: QueueStore;
  /** Limits by site; undefined where no route has any. */
  readonly sites?: SiteQueueOptions | undefined;
  /** What this process delivers; nothing where it only accepts. */
  readonly lanes: readonly LaneOptions[];
  /** Names of all routes of this process, the one for mail of lost routes first. */
  readonly routes: readonly string[];
  /** One attempt. */
  deliver(claimed: ClaimedDelivery, route: string, on: Progress): Promise<Settlement>;
  /** Whether mail of a route is claimed: not while it does not work and nothing else can be done with its mail. @default always */
  isFed?(route: string): boolean;
  onEvents(events: readonly MessageEvent[]): void;
  onError(error: unknown): void;
  /** So many deliveries of routes that nobody has were moved to the first route. */
  onMoved(moved: number): void;
  readonly leaseMs: number;
  readonly pid: number;
  readonly host: string;
  /** @default that of the machine */
  readonly clock?: Clock;
}

/** The queue of one process: claims from the store, runs each lane on p-queue, and settles in batches. */
export interface LocalQueue {
  start(): Promise<void>;
  /** Something was accepted. */
  wake(): void;
  /** Where a delivery is that this process has claimed; undefined for any other. */
  inHand(deliveryId: number): InHand | undefined;
  /** Mails that this process began to send in the last minute; undefined for a route that it does not deliver. */
  startedLastMinute(lane: LaneKey): number | undefined;
  stop(options: { readonly drain: boolean; readonly timeoutMs: number }): Promise<void>;
}
