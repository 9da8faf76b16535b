import type { ReasonClass, Transcript, TranscriptStep } from '../events.ts';
import type { Stream } from '../message.ts';
import type { RouteRules } from '../route/port.ts';
import type { VerifyOptions } from '../verify-options.ts';
import type { WarmUpOptions } from '../warm-up.ts';
import type { DirectMxSettings } from './mx/port.ts';

/** What a receiver takes, as far as a connection knows of it. */
export interface ReceiverBounds {
  readonly site: string;
  /** From one local address, when it is read: a rule may leave less, and gives it back. */
  readonly connections: number;
  readonly messagesPerConnection: number;
  /** Local addresses that it takes no mail from at the moment. */
  readonly avoided: readonly string[];
}

/** One composed mail on its way out. */
export interface OutgoingMail {
  readonly deliveryId: string;
  /** RFC 5322 Message-ID. */
  readonly messageId: string;
  readonly envelope: {
    /** RFC 5321 reverse-path; empty for the null sender. */
    readonly from: string;
    readonly to: string;
    /** The address or the headers need SMTPUTF8 (RFC 6531). */
    readonly utf8: boolean;
    /** The body has bytes over 127 (8BITMIME, RFC 6152). */
    readonly eightBit: boolean;
    /** Only for servers that offer REQUIRETLS (RFC 8689). @default false */
    readonly requireTls?: boolean | undefined;
  };
  /** Lines end with CRLF. */
  readonly raw: Buffer;
  readonly subject: string;
  /** Transactional mail is not to wait for connections that broadcast mail holds. @default transactional */
  readonly stream?: Stream | undefined;
  /** What the receiver takes, where the route is held to that; else the settings of the route hold. */
  readonly site?: ReceiverBounds | undefined;
  /**
   * To be called as sending begins, with the time (ms since the epoch): the route's rate is counted from then on, and what
   * was suppressed while the mail waited for a connection is not sent. To be called again before it is sent anew, as over a
   * fresh connection to the same server; hosts of a receiver that are tried one after another are one start.
   *
   * @returns false where the mail must not be sent any more; the outcome is then `withdrawn`.
   */
  onStart?(at: number): boolean;
  /** To be called as the message itself begins to go out: from then on nobody knows whether the server has it, until it answers. */
  onMessage?(): void;
}

/**
 * The route failed the mail, whoever it was for: another route may take it. `login`: it does not let us in; `connection`: it
 * cannot be reached, or ends the conversation; `refused`: it lets us in, and takes no mail from us (quota, blocked). Of direct MX:
 * `machine`: this machine cannot send (it lacks the local address, a firewall of its own, no file handles); `unreachable`: it
 * has no way to this receiver (no IPv6), which says nothing of others.
 */
export type RouteFault = 'login' | 'connection' | 'refused' | 'machine' | 'unreachable';

/**
 * What the other side said. A refused mail is a value, never an exception. `own`: the relay refused it itself, knowing what the
 * server takes; the reply is not the server's.
 * `unknown`: the connection ended after DATA, and nobody knows whether the mail was taken: it is tried again on the same
 * route with the same Message-ID.
 */
export type Outcome =
  | {
      readonly type: 'sent';
      readonly reply: string;
      /** Id that the provider gave the mail, where its reply names one. */
      readonly providerId?: string | undefined;
    }
  | {
      readonly type: 'deferred';
      readonly reply: string;
      readonly status: string | undefined;
      readonly reason: ReasonClass;
      readonly retryAfterMs?: number | undefined;
      readonly fault?: RouteFault | undefined;
      readonly own?: true | undefined;
    }
  | {
      readonly type: 'bounced';
      readonly kind: 'hard' | 'soft';
      readonly reply: string;
      readonly status: string | undefined;
      readonly reason: ReasonClass;
      readonly suppress: boolean;
      readonly fault?: RouteFault | undefined;
      readonly own?: true | undefined;
    }
  | { readonly type: 'unknown'; readonly reply: string; readonly reason: ReasonClass }
  /** `onStart` said no, and nothing was sent. */
  | { readonly type: 'withdrawn' };

/** One try. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly transcript: Transcript;
}

/** A way out. */
export interface Transport {
  /** Never rejects for what the network or the other side does: that is an outcome. */
  send(mail: OutgoingMail): Promise<Attempt>;
  /** Connects, logs in and says goodbye, without a mail. Never rejects for what the other side does. */
  verify?(options?: VerifyOptions): Promise<Verification>;
  /** Closes connections after running sends. */
  close(): Promise<void>;
}

/** What came of a try of a route without a mail. */
export interface Verification {
  readonly ok: boolean;
  readonly tls?: boolean | undefined;
  /** Each step and what the server said, without credentials. */
  readonly steps: readonly TranscriptStep[];
  /** Undefined where it works. */
  readonly failure?: VerificationFailure | undefined;
}

/** Why a route does not work. */
export interface VerificationFailure {
  /** `CONN`, `EHLO`, `STARTTLS`, `AUTH` …; of `directMx()`: `BIND` (to a local address) or `DNS`. */
  readonly step: string;
  /** What the server said, or what became of the connection; without credentials. */
  readonly reply: string;
  readonly reason: ReasonClass;
}

/** Whom a connection trusts. Passed to `tls.connect`. */
export interface TlsOptions {
  /** Refuse certificates that nobody vouches for. @default true */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Certificates of authorities to trust instead of the well-known ones, PEM. */
  readonly ca?: string | undefined;
  /** Name that the certificate must have. @default the host */
  readonly servername?: string | undefined;
  /** Oldest version of TLS. @default that of Node */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/** A login at an SMTP server. */
export interface AuthOptions {
  /** User name. */
  readonly user: string;
  /** Password. */
  readonly pass: string;
  /** Mechanism. @default the best that the server offers */
  readonly method?: 'PLAIN' | 'LOGIN' | 'CRAM-MD5' | undefined;
}

/** SMTP options beyond the URL. */
export interface SmtpOptions {
  /** Host name or address of the server. */
  readonly host: string;
  /** Port of the server. 465 needs `secure`, and 587 and 25 do without it. @default 465 with `secure`, else 587 where `auth` is given, else 25 */
  readonly port?: number | undefined;
  /** TLS from the first byte (implicit TLS, RFC 8314). @default false */
  readonly secure?: boolean | undefined;
  /** Refuse to send where STARTTLS is not offered. @default false; true where `auth` is given and the host is not loopback */
  readonly requireTls?: boolean | undefined;
  /** Never use STARTTLS. Beside `auth` only for loopback, or with `requireTls: false`; with a preset only for loopback. @default false */
  readonly ignoreTls?: boolean | undefined;
  /** Whom to trust, and how. */
  readonly tls?: TlsOptions | undefined;
  /** How to log in. */
  readonly auth?: AuthOptions | undefined;
  /** Name in EHLO. @default the machine's host name */
  readonly name?: string | undefined;
  /** Connections at once, at least 1. @default 5 */
  readonly connections?: number | undefined;
  /** Mails before a connection is replaced. @default 100 */
  readonly maxMessagesPerConnection?: number | undefined;
  /** An unused connection is closed after this time. @default 30000 */
  readonly idleMs?: number | undefined;
  /** Waiting for the connection. @default 30000 */
  readonly connectionTimeoutMs?: number | undefined;
  /** Waiting for the greeting. @default 30000 */
  readonly greetingTimeoutMs?: number | undefined;
  /** Silence in the middle of a conversation. @default 120000 */
  readonly socketTimeoutMs?: number | undefined;
}

/** What routes have in common. */
export interface RouteOptions {
  /** Unique per relay; shown in reports and transcripts. @default the host, the provider, `mx` or `capture` */
  readonly name?: string | undefined;
  /**
   * Limit over a true sliding window, shared by all lanes and processes: `'200/s'`, `'14/s'`, `'3000/min'`, `'50000/day'`; a
   * list of several windows, which all hold: `['14/s', '50000/day']`.
   */
  readonly rate?: string | readonly string[] | undefined;
  /** Mails on their way at once, at least 1. @default twice the route's connections: half are composed meanwhile; where mail is signed, up to 30 are composed and signed beside those on the connections, at most three for each */
  readonly concurrency?: number | undefined;
  /** What mail the route takes: rules, or a list of which one must fit. @default all */
  readonly takes?: RouteRules | readonly RouteRules[] | undefined;
  /** Routes that stand side by side and have a weight share the mail that they take, by this number. @default none: the first that takes a mail gets it */
  readonly weight?: number | undefined;
  /**
   * Hold its mail to the limits of the receivers behind recipients' domains, each in a lane of its own. More on
   * [shaping](shaping.md).
   * @default true with `directMx()`, else false
   */
  readonly shaping?: boolean | undefined;
  /** What may be sent on each day while the route is new. More on [shaping](shaping.md). @default no ceiling */
  readonly warmUp?: WarmUpOptions | undefined;
}

/** Options of `capture()`. */
export interface CaptureOptions extends RouteOptions {
  /** Newest mails that are kept, at least 1. @default 500 */
  readonly keep?: number | undefined;
}

/** Options of `directMx()`. */
export interface DirectMxOptions extends RouteOptions, DirectMxSettings {}

/** Providers with a preset. */
export type ProviderName = 'ses' | 'sendgrid' | 'mailgun' | 'brevo' | 'sarbacane';

/** Whose SMTP server a route speaks with, as plain data. */
export interface ProviderSpec {
  readonly name: ProviderName;
  /** Of Amazon SES. */
  readonly configurationSet?: string | undefined;
}

interface RouteBase extends RouteOptions {
  readonly name: string;
  /** Its mail is signed: more of it is on its way at once. Set from the option `dkim`. @default false */
  readonly signs?: boolean | undefined;
}

/** A configured way out, as plain data (`custom` apart, which needs `thread: false`). */
export type RouteSpec =
  | (RouteBase & { readonly kind: 'smtp'; readonly smtp: SmtpOptions; readonly provider?: ProviderSpec | undefined })
  | (RouteBase & { readonly kind: 'mx'; readonly mx: DirectMxSettings })
  | (RouteBase & { readonly kind: 'capture'; readonly keep: number })
  | (RouteBase & { readonly kind: 'custom'; readonly create: () => Transport });
