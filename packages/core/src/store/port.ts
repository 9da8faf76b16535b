/**
 * Where the relay keeps what it knows. Several processes may share one store.
 *
 * Contract, for every implementation: a promise that resolves means that the change is durable; numbers of time are ms
 * since the epoch, and come in as arguments; ids are positive safe integers that grow with time and are never used again.
 */
import type { MessageEvent } from '../events.ts';
import type {
  Accepted,
  Content,
  DeliveryState,
  Json,
  RecipientKind,
  RenderedParts,
  Stream,
  Submission,
  SubmittedRecipient,
  TemplateData,
  Transition,
} from '../message.ts';
import type { QueueStore, SiteQueueStore } from '../queue/port.ts';
import type { ActivityStore } from './activity-port.ts';
import type { AlertStore } from './alert-port.ts';
import type { BlobStore } from './blob-port.ts';
import type { EndpointStore } from './endpoint-port.ts';
import type { FeedbackStore } from './feedback-port.ts';
import type { ReportStore } from './report-port.ts';
import type { SubscriptionStore } from './subscription-port.ts';
import type { SuppressionStore } from './suppression-port.ts';

export type { Activity, ActivityStore, DeliveryActivity } from './activity-port.ts';
export type { AlertStore } from './alert-port.ts';
export { BLOB_KINDS, type BlobKind, type BlobStore } from './blob-port.ts';
export type { EndpointStore, StoredEndpoint } from './endpoint-port.ts';
export type { FeedbackStore, Received, UnmatchedFeedback } from './feedback-port.ts';
export {
  type LinkCount,
  METRICS,
  type Metric,
  type NamedCounts,
  type ReportStore,
  WAY_DIMENSIONS,
  WAY_METRICS,
  type WaitCount,
  type WayMetric,
  type WayQuery,
} from './report-port.ts';
export type {
  EventResult,
  FailedEvent,
  HandedEvent,
  PageQuery,
  ReplaySelection,
  RequestFacts,
  SubscriptionKind,
  SubscriptionSpec,
  SubscriptionStore,
  SubscriptionView,
  Turn,
  TurnRequest,
  WebhookAttempt,
} from './subscription-port.ts';
export type { NewSuppression, Suppression, SuppressionStore } from './suppression-port.ts';

/** The store, by what it is asked. */
export interface Store {
  readonly intake: IntakeStore;
  readonly queue: QueueStore;
  readonly sites: SiteQueueStore;
  readonly log: LogStore;
  readonly suppressions: SuppressionStore;
  readonly activity: ActivityStore;
  readonly feedback: FeedbackStore;
  readonly reports: ReportStore;
  readonly subscriptions: SubscriptionStore;
  readonly endpoints: EndpointStore;
  readonly alerts: AlertStore;
  readonly blobs: BlobStore;
  /** Opens the database and brings its schema up to date. Throws `STORE_UNAVAILABLE`, `STORE_READ_ONLY`, `STORE_NEWER` or `STORE_CORRUPT`. */
  open(): Promise<void>;
  /** Resolves when everything that was answered is in its tables, and told (`onPosted`). Also where that cannot be done now. */
  posted(): Promise<void>;
  /** Waits for pending writes and closes. */
  close(): Promise<void>;
  /** Bytes on disk, for the health route and the benchmark. */
  size(): Promise<{ readonly bytes: number }>;
}

/** Which store, as plain data; made by `sqlite(path)`. */
export interface StoreSpec {
  readonly kind: 'sqlite';
  /** File, or `:memory:`. */
  readonly path: string;
}

/** One message with its recipients, on its way in. */
export interface AcceptInput extends Omit<Submission, 'route'> {
  /** Name of the route that the deliveries wait for, unless `routes` says otherwise. */
  readonly route: string;
  /** Names of the routes of the recipients, in their order. */
  readonly routes?: readonly string[] | undefined;
  readonly now: number;
}

/** Bytes of attachments by their hash. */
export type Enclosures = ReadonlyMap<string, Uint8Array>;

/**
 * What became of one recipient that was appended. `repeated`: an earlier run had appended it; `conflict`: with other data.
 */
export type Appended =
  | { readonly id: string; readonly state: DeliveryState; readonly repeated: boolean }
  | { readonly rejected: 'duplicate' | 'conflict' };

/** Accepts messages. Calls that arrive together share one commit. */
export interface IntakeStore {
  /**
   * Stores a message and its deliveries in one transaction. A recipient on the suppression list for the message's stream
   * or topic gets a delivery in state `suppressed`. The same `idempotencyKey` with the same content answers the first
   * result with `repeated: true`, also when calls race; with other content it throws `IDEMPOTENCY_CONFLICT`. The same
   * address twice in one message makes one delivery. `enclosed` has the attachments that the store lacks: they are stored
   * with the message or not at all.
   *
   * @param onPosted - called when its deliveries wait in their lanes: at once, or some ms after the answer. Whoever reads or
   * claims in this process finds them as soon as the call is answered.
   */
  accept(input: AcceptInput, enclosed?: Enclosures, onPosted?: () => void): Promise<Accepted>;
  /** Opens a message for many recipients (`sendMany`), without any yet. With an `idempotencyKey` seen before: the same message. */
  open(
    input: Omit<AcceptInput, 'recipients' | 'routes'>,
    enclosed?: Enclosures,
  ): Promise<{ readonly id: string; readonly messageId: string; readonly repeated: boolean }>;
  /**
   * Adds recipients to an opened message; one transaction. An address that it has already is `duplicate`. With `run`, a
   * number of the caller's, only one that this run has named before is: what earlier runs appended is answered again.
   */
  append(
    id: string,
    recipients: readonly SubmittedRecipient[],
    options: {
      readonly now: number;
      readonly run?: number | undefined;
      /** Names of the routes of the recipients, in their order. @default that of the message */
      readonly routes?: readonly string[] | undefined;
    },
  ): Promise<Appended[]>;
  /** Forgets which recipients a run has named. */
  endRun(run: number): Promise<void>;
}

/** A delivery with what is needed to compose it again. */
export interface StoredDelivery {
  readonly id: number;
  readonly messageId: number;
  readonly address: string;
  readonly name: string | undefined;
  readonly kind: RecipientKind;
  readonly data: TemplateData | undefined;
  readonly rendered: RenderedParts | undefined;
  readonly locale: string | undefined;
  readonly tracking: { readonly opens?: boolean | undefined; readonly clicks?: boolean | undefined } | undefined;
  readonly acceptedAt: number;
  readonly sentAt: number | undefined;
}

/** A delivery as operators see it. */
export interface DeliveryRecord {
  readonly id: string;
  readonly messageId: string;
  readonly recipient: string;
  readonly kind: RecipientKind;
  readonly state: DeliveryState;
  readonly stream: Stream;
  readonly campaign: string | undefined;
  readonly template: string | undefined;
  /** That of the mail; undefined where its template's version is gone. */
  readonly subject: string | undefined;
  readonly route: string;
  /** The site (who hosts the recipient's mail) whose lane it was sorted into, where its route is held to limits by site. */
  readonly site?: string | undefined;
  readonly attempts: number;
  /**
   * An attempt ended after DATA, and nobody knows whether the server has taken the mail (RFC 1047): no other route tries it, as
   * the recipient might get it twice. Until it is sent, is tried anew by hand, or its route is gone.
   */
  readonly inDoubt?: true | undefined;
  readonly acceptedAt: Date;
  /** When it is tried next; undefined in final states. */
  readonly dueAt: Date | undefined;
  readonly updatedAt: Date;
  /** Last reply of a server, or why it is held, failed or suppressed. */
  readonly reason: string | undefined;
}

/** A message as operators see it. */
export interface MessageRecord {
  readonly id: string;
  /** RFC 5322 Message-ID; with one mail per recipient, each has its own. */
  readonly messageId: string;
  readonly stream: Stream;
  readonly campaign: string | undefined;
  readonly template: string | undefined;
  /** With a template and several deliveries, as it stands in the template. */
  readonly subject: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, Json>> | undefined;
  readonly acceptedAt: Date;
  /** How many deliveries are in each state. */
  readonly counts: Partial<Readonly<Record<DeliveryState, number>>>;
  /** The first 100 deliveries; the rest through `messages.list({ message })`. */
  readonly deliveries: readonly DeliveryRecord[];
  /** What happened to the delivery when one was asked for, else to the first deliveries; oldest first, at most 500. */
  readonly events: readonly MessageEvent[];
}

/** What `messages.list` filters by. */
export interface ListQuery {
  readonly message?: string | undefined;
  readonly campaign?: string | undefined;
  readonly recipient?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly stream?: Stream | undefined;
  /** Accepted at or after, and before. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** 1 to 1000. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** One page, newest first. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `after` for the next page; undefined on the last. */
  readonly next: string | undefined;
}

/** Which deliveries an operator means: a message id, a delivery id, or a campaign. */
export type Selection = { readonly id: string } | { readonly campaign: string };

/** Where an operator's change of many deliveries goes on. */
export interface Cursor {
  readonly message: number;
  readonly delivery: number;
}

/** Reads deliveries, and changes their state by hand. */
export interface LogStore {
  /** By message id (`msg_…`) or delivery id (`dlv_…`). Throws `STORE_CORRUPT` where a row cannot be read. */
  get(id: string): Promise<MessageRecord | undefined>;
  list(query: ListQuery): Promise<Page<DeliveryRecord>>;
  /** Content of a message, by number. Throws `STORE_CORRUPT`. */
  content(messageId: number): Promise<Content | undefined>;
  /** Campaign and tags of a message, by number. */
  labels(messageId: number): Pick<AcceptInput, 'campaign' | 'tags'>;
  delivery(deliveryId: number): Promise<StoredDelivery | undefined>;
  /**
   * Applies an operator's transition to selected deliveries that allow it, some hundreds at a time, so that others can write
   * in between. `MESSAGE_NOT_FOUND` where nothing is selected, `MESSAGE_STATE` where a message or delivery does not allow it.
   */
  apply(
    selection: Selection,
    by: Extract<Transition, 'cancel' | 'hold' | 'release' | 'retry'>,
    options: { readonly reason?: string | undefined; readonly now: number; readonly after?: Cursor | undefined },
  ): Promise<{
    readonly events: readonly MessageEvent[];
    /** To be passed as `after` for those that follow; undefined after the last. */
    readonly next: Cursor | undefined;
  }>;
}
