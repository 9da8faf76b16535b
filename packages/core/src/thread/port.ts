/**
 * What the host's thread asks the engine. Everything that crosses is plain data; errors come back as `MailRelayError`.
 * The same object is called directly with `thread: false`.
 */

import type { Mailbox } from '../address.ts';
import type { Alert, Warning } from '../alerts.ts';
import type { RenderedTemplate } from '../compose/port.ts';
import type { ErrorCode } from '../errors.ts';
import type { MessageEvent, ReasonClass, TranscriptStep } from '../events.ts';
import type { FeedbackEvent, FeedbackReport, MailReport } from '../feedback/port.ts';
import type { Accepted, DeliveryState, Stream, Submission, SubmittedRecipient, TemplateData } from '../message.ts';
import type { EndpointView, ResolvedEndpoint } from '../notify/port.ts';
import type { LaneKey, LaneQuery, LaneRecord, LaneView } from '../queue/port.ts';
import type {
  Breakdown,
  BreakdownQuery,
  CampaignReport,
  DeferralReport,
  Explanation,
  ReportDimension,
  SummaryReport,
} from '../report/port.ts';
import type { RouteHealth } from '../route/port.ts';
import type {
  BlobKind,
  DeliveryRecord,
  Enclosures,
  FailedEvent,
  ListQuery,
  MessageRecord,
  NewSuppression,
  Page,
  PageQuery,
  Received,
  ReplaySelection,
  Selection,
  SubscriptionSpec,
  SubscriptionView,
  Suppression,
  Turn,
  TurnRequest,
  UnmatchedFeedback,
  WayQuery,
  WebhookAttempt,
} from '../store/port.ts';
import type { VerifyOptions } from '../verify-options.ts';

/** A request that a reader's program made on a tracked link; the token is already verified. */
export interface Reading {
  readonly type: 'opened' | 'clicked';
  readonly deliveryId: number;
  readonly at: number;
  readonly method: string;
  readonly userAgent: string | undefined;
  readonly url?: string;
  readonly link?: number;
}

/** What became of one recipient of `sendMany`. */
export type BulkResult =
  | { readonly id: string; readonly state: DeliveryState }
  | { readonly rejected: { readonly code: ErrorCode; readonly message: string } };

/** A route whose last attempt failed for a reason of its own, whoever the mail was for. */
export interface FailingRoute {
  readonly route: string;
  readonly reason: ReasonClass;
  /** Since when no attempt went well, ms since the epoch. */
  readonly since: number;
}

/** Whether a route works, as `relay.routes.verify()` found. */
export interface RouteCheck {
  readonly route: string;
  readonly ok: boolean;
  /** False for a custom transport that has no `verify()`: nothing is known of it. */
  readonly checked: boolean;
  /** Server and port, of routes over SMTP. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** The connection was encrypted. */
  readonly tls: boolean | undefined;
  readonly ms: number;
  /** What was said, step by step (`CONN`, `EHLO`, `STARTTLS`, `AUTH`, `QUIT`); without credentials. */
  readonly steps: readonly TranscriptStep[];
  /** Undefined where it works. */
  readonly failure:
    | {
        /** Step that failed. */
        readonly step: string;
        /** What the server said, or what became of the connection; without credentials. */
        readonly reply: string;
        readonly reason: ReasonClass;
        /** What to look at. */
        readonly hint: string;
      }
    | undefined;
}

/** State of the engine for the health route. */
export interface Health {
  readonly ok: boolean;
  readonly store: { readonly ok: boolean; readonly bytes: number };
  /** Over all lanes; `waiting` is counted up to 1,000,000. */
  readonly queue: { readonly waiting: number; readonly sending: number; readonly oldestMs: number };
  /** The 100 busiest. */
  readonly lanes: readonly LaneRecord[];
  /** Routes of this process that do not work at the moment; their mail takes the next one, or waits. */
  readonly failing: readonly FailingRoute[];
  /**
   * How this process's routes do, by the name of the route: its circuit breaker, since when, failures in a row, and when the
   * next mail tries a route that is down. Of direct MX only what this machine cannot do counts.
   */
  readonly breakers: Readonly<Record<string, RouteHealth>>;
  /** Alerts that are not resolved, of all processes on the store, the newest first; at most 100. */
  readonly alerts: readonly Alert[];
  /** What mail was refused for of late by this process, with all refusals of the running window; at most 100. */
  readonly warnings: readonly Warning[];
}

/** Whether an address gets mail of a scope. */
export interface SubscriptionState {
  /** Who wrote the mail; undefined where its record is gone. */
  readonly sender: Mailbox | undefined;
  /** The scope has an entry on the suppression list. */
  readonly unsubscribed: boolean;
  /** It was the recipient who left, and nothing else keeps mail of the scope back. */
  readonly mayReturn: boolean;
}

/** A captured mail in the list of the development inbox. */
export interface CapturedMail {
  readonly id: string;
  readonly at: number;
  readonly bytes: number;
}

/** One thing that a mail said, and what became of it. */
export type ReceivedFeedback = FeedbackEvent & Received;

/** What a mail was that came back. */
export interface ReceivedMail {
  /**
   * `dsn` (a delivery status), `bounce-mail` (a bounce in words), `arf` (a complaint), `auto-reply`, `receipt` (somebody read the
   * mail), or `mail` for what is none of these.
   */
  readonly kind: MailReport['kind'];
  /** What it said, by recipient; empty where it says nothing about a mail. */
  readonly feedback: readonly ReceivedFeedback[];
}

/** The engine, seen from the host's thread. */
export interface EngineApi {
  start(): Promise<void>;
  /** Stops claiming; with `drain`, first waits until nothing is due, at most `timeoutMs`. */
  stop(options: { readonly drain: boolean; readonly timeoutMs: number }): Promise<void>;
  accept(submission: Submission): Promise<Accepted>;
  /** The same, with the attachments that the store lacks: they are stored with the message or not at all. */
  acceptWith(submission: Submission, enclosed: Enclosures): Promise<Accepted>;
  openBulk(
    submission: Omit<Submission, 'recipients'>,
    enclosed: Enclosures,
  ): Promise<{ readonly id: string; readonly messageId: string; readonly repeated: boolean; readonly run: number }>;
  /** Appends to the message of a run. */
  appendBulk(run: number, recipients: readonly SubmittedRecipient[]): Promise<BulkResult[]>;
  /** Nothing more comes of the run. */
  closeBulk(run: number): Promise<void>;
  hasBlob(kind: BlobKind, key: string): Promise<boolean>;
  render(
    name: string,
    data: TemplateData,
    options: { readonly locale?: string | undefined },
  ): Promise<RenderedTemplate>;
  templateVersion(name: string): Promise<string>;
  get(id: string): Promise<MessageRecord | undefined>;
  list(query: ListQuery): Promise<Page<DeliveryRecord>>;
  explain(id: string): Promise<Explanation | undefined>;
  apply(selection: Selection, by: 'cancel' | 'hold' | 'release' | 'retry', reason: string | undefined): Promise<number>;
  addSuppression(entry: NewSuppression): Promise<void>;
  removeSuppression(address: string, scope: string | undefined): Promise<number>;
  /** Ends entries and keeps them with a note; answers how many. */
  liftSuppression(address: string, scope: string | undefined, note: string | undefined): Promise<number>;
  findSuppression(address: string, scopes: readonly string[]): Promise<Suppression | undefined>;
  listSuppressions(query: {
    readonly limit: number;
    readonly after?: string | undefined;
    readonly scope?: string | undefined;
  }): Promise<Page<Suppression>>;
  campaignReport(name: string): Promise<CampaignReport | undefined>;
  summaryReport(query: {
    readonly from: number;
    readonly to: number;
    readonly stream: Stream | undefined;
  }): Promise<SummaryReport>;
  /** Undefined where the campaign that is asked for never was. */
  breakdown(by: ReportDimension, query: BreakdownQuery): Promise<Breakdown | undefined>;
  deferralReport(query: WayQuery): Promise<DeferralReport>;
  lanes(query: LaneQuery): Promise<LaneView[]>;
  pauseLane(lane: LaneKey, paused: boolean): Promise<void>;
  /** Labels, stores and counts what came in at the same time; durable when resolved. Unknown deliveries are ignored. */
  readAll(readings: readonly Reading[]): Promise<void>;
  /** One-click or confirmed unsubscribe: suppresses for the scope, records the event. Durable when resolved. */
  unsubscribe(claim: {
    readonly deliveryId: number;
    readonly address: string;
    readonly scope: string;
    readonly at: number;
    readonly evidence: string;
  }): Promise<void>;
  /** What an unsubscribe page says of an address. */
  subscription(claim: {
    readonly deliveryId: number;
    readonly address: string;
    readonly scope: string;
  }): Promise<SubscriptionState>;
  /** Takes an unsubscribe back; answers whether it could. */
  resubscribe(claim: {
    readonly deliveryId: number;
    readonly address: string;
    readonly scope: string;
    readonly at: number;
  }): Promise<boolean>;
  /** What came back about a delivery; answers whether that moved it. Throws `MESSAGE_NOT_FOUND`. */
  feedback(deliveryId: string, report: FeedbackReport): Promise<boolean>;
  /** What came back, in one shape: finds the deliveries, moves them on, counts, suppresses. Durable when resolved; in the order given. */
  receive(feedback: readonly FeedbackEvent[]): Promise<readonly Received[]>;
  /**
   * The same, and uses a token up with it. Undefined where the token has been used before: then nothing of the feedback counts.
   * A token is remembered for 30 days.
   */
  receiveOnce(token: string, feedback: readonly FeedbackEvent[]): Promise<readonly Received[] | undefined>;
  /** Reads a mail that came back, and receives what it says. Takes any bytes. */
  receiveMail(raw: Uint8Array): Promise<ReceivedMail>;
  /** What came back about mail that is not known here, newest first. */
  unmatchedFeedback(query: {
    readonly limit: number;
    readonly after?: string | undefined;
  }): Promise<Page<UnmatchedFeedback>>;
  /** HTML of a delivery for view-in-browser; undefined where it was purged or has no HTML. */
  view(deliveryId: number): Promise<string | undefined>;
  /** Captured mail, newest first. */
  captured(limit: number): Promise<CapturedMail[]>;
  /** Envelope recipient and header section of a captured mail. */
  capturedHead(id: string): Promise<{ readonly recipient: string; readonly head: Uint8Array } | undefined>;
  clearCaptured(): Promise<void>;
  capturedSource(id: string): Promise<Uint8Array | undefined>;
  health(): Promise<Health>;
  /** Tries all routes, or one, without a mail. Throws `OPTIONS_INVALID` where no route has the name. */
  verifyRoutes(name: string | undefined, options: VerifyOptions): Promise<RouteCheck[]>;
  /** Whether events are passed on to the host's thread: off until somebody listens. */
  listen(on: boolean): Promise<void>;
  /** Makes a subscription of the host's thread, which is woken from now on when there are events. */
  declareSubscription(spec: SubscriptionSpec): Promise<void>;
  /** Takes results of a subscription's events, and hands out more. */
  turnSubscription(request: TurnRequest): Promise<Turn>;
  listSubscriptions(): Promise<SubscriptionView[]>;
  /** The following throw `SUBSCRIPTION_NOT_FOUND`. */
  pauseSubscription(name: string, reason: string | undefined): Promise<void>;
  resumeSubscription(name: string): Promise<void>;
  /** Forgets a subscription, and what waits for it. */
  dropSubscription(name: string): Promise<void>;
  failedEvents(name: string, query: PageQuery): Promise<Page<FailedEvent>>;
  /** Hands out again; answers how many. Throws `EVENT_NOT_FOUND`. */
  replayEvents(name: string, which: ReplaySelection): Promise<number>;
  webhookAttempts(name: string, query: PageQuery): Promise<Page<WebhookAttempt>>;
  /** Endpoints of the options, and those that were added. */
  listEndpoints(): Promise<EndpointView[]>;
  /** The following throw `OPTIONS_INVALID` where the name is taken, or stands in the options. */
  addEndpoint(endpoint: ResolvedEndpoint): Promise<void>;
  /** These throw `SUBSCRIPTION_NOT_FOUND`, too. */
  removeEndpoint(name: string): Promise<void>;
  /** Signs with another key, in base64; those before it sign along for so long, ms. */
  rotateEndpoint(name: string, key: string, keepMs: number): Promise<void>;
  /** Resolves when endpoints have what is due, and subscriptions can have it: for tests. */
  webhooksSettled(): Promise<void>;
}

/** What the engine asks the host's thread. */
export interface HostApi {
  publish(events: readonly MessageEvent[]): void;
  /** There may be events for subscriptions. */
  wake(): void;
  /** Over, or resolved, once the listeners were called. */
  alert(alerts: readonly Alert[]): void | Promise<void>;
  warn(warnings: readonly Warning[]): void;
  log(level: 'debug' | 'info' | 'warn' | 'error', fields: Readonly<Record<string, unknown>>, message: string): void;
}
