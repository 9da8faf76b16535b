import type { Alert, Warning } from './alerts.ts';
import type { Stream } from './message.ts';

/** Every type of event. The order is the storage code: append only. */
export const EVENT_TYPES = [
  'accepted',
  'sent',
  'delivered',
  'deferred',
  'bounced',
  'complained',
  'opened',
  'clicked',
  'unsubscribed',
  'suppressed',
  'failed',
  'cancelled',
  'held',
  'released',
  'retried',
  'resubscribed',
  'auto-replied',
] as const;

/** Type of an event. */
export type EventType = (typeof EVENT_TYPES)[number];

/** What the operator is told, and of no single mail: subscriptions have to name it. */
export const NOTICE_TYPES = ['alert', 'warning'] as const;
/** What subscriptions and webhooks can be told of. */
export type SubscribedType = EventType | (typeof NOTICE_TYPES)[number];

/** Who opened or clicked: a person, an image proxy that fetches for one, a privacy proxy that fetches for nobody, a security scanner, a bot. */
export type AgentKind = 'human' | 'proxy' | 'privacy' | 'scanner' | 'bot';

/** A label, and what it was concluded from. */
export interface Agent {
  readonly kind: AgentKind;
  /** Name of the rule that decided, such as `gmail-image-proxy` or `clicked-within-2s`. */
  readonly evidence: string;
  /** User-Agent, at most 256 characters. */
  readonly userAgent: string | undefined;
}

/** Why a server did not take a mail. */
export type ReasonClass =
  | 'no-such-mailbox'
  | 'no-such-domain'
  /** The domain says that it takes no mail (RFC 7505). */
  | 'null-mx'
  | 'mailbox-full'
  | 'inactive'
  | 'moved'
  | 'message-too-big'
  | 'content-rejected'
  | 'spam-rejected'
  | 'blocked-ip'
  | 'blocked-sender'
  | 'auth-failure'
  | 'rate-limited'
  | 'greylisted'
  | 'policy'
  | 'tls'
  /** The DNS did not answer, or not with something to go by. */
  | 'dns'
  | 'network'
  | 'timeout'
  | 'unknown'
  | 'expired'
  | 'protocol'
  | 'system'
  | 'other';

/** At whose door the fault lies. Only a fault of the recipient's can suppress an address. */
export type Fault = 'recipient' | 'message' | 'sender' | 'receiver' | 'network';

/**
 * What a delivery was found by, the surest first: a signed token of ours, or our id from a provider that proved itself; the
 * Message-ID; the provider's id; our id from a header that nobody signed; or only the recipient and the time.
 */
export type FoundBy = 'id' | 'message-id' | 'provider-id' | 'unsigned-id' | 'recipient';

/** One step of an attempt. */
export interface TranscriptStep {
  /** `CONN`, `EHLO`, `STARTTLS`, `AUTH`, `MAIL`, `RCPT`, `DATA` or `MESSAGE` (the reply after the final dot). */
  readonly step: string;
  /** Reply of the server, at most 512 characters. */
  readonly reply?: string | undefined;
  /** Duration of the step in ms. */
  readonly ms?: number | undefined;
}

/** What was said in one attempt. */
export interface Transcript {
  readonly route: string;
  readonly host?: string | undefined;
  readonly tls?: boolean | undefined;
  /** Version of TLS, such as `TLSv1.3`. Of direct MX only, as what follows. */
  readonly tlsVersion?: string | undefined;
  /** Address of the host. */
  readonly address?: string | undefined;
  /** Address that the mail was sent from, where one was chosen. */
  readonly localAddress?: string | undefined;
  /** MX hosts that were considered, in the order of trying, each behind its preference: `10 mx1.example.com`. */
  readonly considered?: readonly string[] | undefined;
  /** When the attempt began, ms since the epoch, and how long it took, ms. */
  readonly startedAt: number;
  readonly ms: number;
  readonly steps: readonly TranscriptStep[];
}

interface Base {
  /** Unique per event. */
  readonly id: string;
  readonly at: Date;
  readonly messageId: string;
  readonly deliveryId: string;
  readonly recipient: string;
  readonly stream: Stream;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
}

/** What a reply says: the part that `sent`, `deferred`, `bounced` and `failed` share. */
export interface ReplyFacts {
  readonly reply: string;
  /** RFC 3463 enhanced status code, such as `5.1.1`. */
  readonly status: string | undefined;
  readonly reason: ReasonClass;
  readonly attempt: number;
  readonly transcript: Transcript | undefined;
}

/** What an event says that came back from elsewhere: out of a bounce mail, a complaint report, or from a provider. */
export interface FeedbackFacts {
  /** `dsn`, `bounce-mail`, `arf`, the name of a provider, or `host`; undefined where the next hop said it in the session. */
  readonly source?: string | undefined;
  readonly foundBy?: FoundBy | undefined;
  readonly fault?: Fault | undefined;
  /** RFC 5321 reply code, such as 550. */
  readonly code?: number | undefined;
  /** Host that reports (RFC 3464 `Reporting-MTA`). */
  readonly reportingMta?: string | undefined;
  /** What came, at most 8 KB. */
  readonly raw?: string | undefined;
}

/** One record of what happened: stored, emitted and counted. */
export type MessageEvent =
  | (Base & { readonly type: 'accepted' | 'cancelled' | 'held' | 'released' | 'retried' })
  | (Base & { readonly type: 'delivered' | 'complained' | 'auto-replied' } & FeedbackFacts)
  | (Base & {
      readonly type: 'sent';
      readonly reply: string;
      /** Id under which the provider knows the mail, where its reply names one and the route is a provider's preset. */
      readonly providerId?: string | undefined;
      readonly attempt: number;
      readonly transcript: Transcript | undefined;
    })
  | (Base & {
      readonly type: 'deferred';
      /** Undefined where the mail waits elsewhere, as at a provider. */
      readonly retryAt?: Date | undefined;
      /** The route that tries next, where it is another one. */
      readonly movedTo?: string | undefined;
    } & ReplyFacts &
      FeedbackFacts)
  | (Base & { readonly type: 'bounced'; readonly kind: 'hard' | 'soft' } & ReplyFacts & FeedbackFacts)
  | (Base & { readonly type: 'failed' } & ReplyFacts & FeedbackFacts)
  | (Base & { readonly type: 'suppressed'; readonly reason: string })
  | (Base & { readonly type: 'opened'; readonly agent: Agent })
  | (Base & { readonly type: 'clicked'; readonly agent: Agent; readonly url: string })
  | (Base & { readonly type: 'unsubscribed' | 'resubscribed'; readonly scope: string });

/** The event of one type. */
export type EventOf<T extends EventType> = OfType<MessageEvent, T>;

/** What the operator is told, as subscriptions and webhooks get it: `id` is the same each time that it is told. */
export type NoticeEvent =
  | { readonly type: 'alert'; readonly id: string; readonly at: Date; readonly alert: Alert }
  | { readonly type: 'warning'; readonly id: string; readonly at: Date; readonly warning: Warning };

/** What subscriptions get. */
export type SubscribedEvent = MessageEvent | NoticeEvent;
/** What subscriptions get of one type. */
export type SubscribedEventOf<T extends SubscribedType> = OfType<SubscribedEvent, T>;

/** Types that share a shape stand in one member of the union, which `Extract` would not find. */
type OfType<E extends SubscribedEvent, T extends SubscribedType> = E extends unknown
  ? T extends E['type']
    ? E & { readonly type: T }
    : never
  : never;

/** What `relay.on()` can listen to, and what listeners receive. */
export type RelayEvents = { [T in EventType]: EventOf<T> } & {
  event: MessageEvent;
  /** A rate of a stream or a campaign has passed a threshold, or has come back. Told in one process, also where the one that found it has ended. */
  alert: Alert;
  /** Mail was refused for a reason that the sender has to mend. Told in the process that sent it, or learnt of it. */
  warning: Warning;
  error: Error;
};
