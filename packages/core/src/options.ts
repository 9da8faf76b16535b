/** Every option, its default and its environment variable; `resolve-options.ts` fills in and checks them. */
import type { AddressInput, Mailbox } from './address.ts';
import type { Clock } from './clock.ts';
import type { RouteSpec } from './deliver/port.ts';
import type { Logger } from './logger.ts';
import type { ResolvedTracking, Stream, TrackingOptions } from './message.ts';
import type { StoreSpec } from './store/port.ts';
import type { AnyTemplate } from './template.ts';
import type { UnsubscribeOptions } from './unsubscribe.ts';

/** Options of {@link createMailRelay}. All are optional in development; production needs a secret, a public URL and a route. */
export interface MailRelayOptions {
  /**
   * Where recipients reach the host application; links in mails start with it, followed by `/mail/…`.
   * @default `http://localhost:$PORT` (3000 without PORT) in development
   * @env MAIL_RELAY_PUBLIC_URL
   */
  readonly publicUrl?: string;
  /**
   * Signs the links in mails, at least 16 characters. A list rotates: the first signs, all verify.
   * @default in development a random one, kept beside the database
   * @env MAIL_RELAY_SECRET (several separated by commas)
   */
  readonly secret?: string | readonly string[];
  /**
   * Sender of messages that name none.
   * @default none; in development, where mail is captured, `Development <development@example.com>`
   * @env MAIL_RELAY_FROM
   */
  readonly from?: AddressInput;
  /**
   * Where everything is kept: `sqlite(path)` or a path.
   * @default `.mail-relay/relay.db`
   * @env MAIL_RELAY_STORE
   */
  readonly store?: StoreSpec | string;
  /**
   * Template folder, or a folder with templates from `defineTemplate()`.
   * @default no templates
   * @env MAIL_RELAY_TEMPLATES
   */
  readonly templates?: string | readonly AnyTemplate[] | TemplateOptions;
  /**
   * Ways out: `smtp(url)`, or only the URL, or `capture()`. The first takes all mail unless a message names another.
   * @default `capture()` in development
   * @env MAIL_RELAY_SMTP_URL (one SMTP URL), MAIL_RELAY_RATE (its rate)
   */
  readonly routes?: readonly (RouteSpec | string)[];
  /**
   * Open and click tracking, for all mail or by stream.
   * @default off for transactional mail, on for broadcast mail
   */
  readonly tracking?: TrackingOptions & { readonly streams?: Readonly<Partial<Record<Stream, TrackingOptions>>> };
  /** Texts and look of the unsubscribe page. */
  readonly unsubscribe?: UnsubscribeOptions;
  /**
   * What attachments may refer to: folders for `path`, host names for `href` (https only).
   * @default nothing: attachments come as Buffer, text or stream
   */
  readonly attachments?: { readonly paths?: readonly string[]; readonly hosts?: readonly string[] };
  /** Bounds of what is accepted. */
  readonly limits?: LimitOptions;
  /** How waiting mail is worked on. */
  readonly queue?: QueueOptions;
  /**
   * `production` fails closed and has no inbox; `development` captures mail and shows it under `/mail/`.
   * @default `production` where NODE_ENV is, else `development`
   * @env NODE_ENV
   */
  readonly environment?: 'development' | 'production';
  /**
   * Whether the engine runs in a worker thread; `false` runs it in place (custom transports, platforms without threads).
   * @default true
   */
  readonly thread?: boolean;
  /**
   * The time, for tests: `createTestRelay()` of `@mailrelay/core/testing` passes one that the test moves. Needs `thread: false`.
   * @default that of the machine
   */
  readonly clock?: Clock;
  /**
   * Four methods, as pino and console have them.
   * @default information, warnings and errors to the console
   */
  readonly logger?: Logger;
}

/** Where templates come from. */
export interface TemplateOptions {
  /** Folder with `.mjml`, `.html` and `.hbs` files. */
  readonly folder?: string;
  /** Templates from `defineTemplate()`. */
  readonly templates?: readonly AnyTemplate[];
  /**
   * Compile again when a file changes.
   * @default true in development
   */
  readonly watch?: boolean;
}

/** Bounds of what is accepted. */
export interface LimitOptions {
  /**
   * Largest message, with attachments and encoding, bytes.
   * @default 26214400 (25 MB)
   */
  readonly maxMessageBytes?: number;
  /**
   * Most recipients of one `send()`.
   * @default 100
   */
  readonly maxRecipients?: number;
}

/** How waiting mail is worked on. */
export interface QueueOptions {
  /**
   * Whether this process sends; `false` only accepts, and another process on the same store sends.
   * @default true
   */
  readonly deliver?: boolean;
  /**
   * After this time without a sign of life, the mail that a process had claimed goes to another, ms.
   * @default 15000
   */
  readonly leaseMs?: number;
  /**
   * Wait before the second attempt, ms; it doubles with each further one.
   * @default 60000
   */
  readonly retryFirstMs?: number;
  /**
   * Longest wait between attempts, ms.
   * @default 14400000 (4 hours)
   */
  readonly retryMaxMs?: number;
  /**
   * A delivery that is still deferred after this time fails, ms.
   * @default 432000000 (5 days)
   */
  readonly maxAgeMs?: number;
}

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly publicUrl: string;
  /** `publicUrl` and `/mail`: what links in mails start with. */
  readonly linkBase: string;
  /** Empty where development has yet to make one. */
  readonly secrets: readonly string[];
  readonly from: Mailbox | undefined;
  readonly store: StoreSpec;
  readonly templates: {
    readonly folder: string | undefined;
    readonly templates: readonly AnyTemplate[];
    readonly watch: boolean;
  };
  readonly routes: readonly RouteSpec[];
  readonly tracking: Readonly<Record<Stream, ResolvedTracking>>;
  readonly unsubscribe: UnsubscribeOptions;
  readonly attachments: { readonly paths: readonly string[]; readonly hosts: readonly string[] };
  readonly limits: Readonly<Required<LimitOptions>>;
  readonly queue: Readonly<Required<QueueOptions>>;
  readonly environment: 'development' | 'production';
  readonly thread: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}
