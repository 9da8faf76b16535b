/** Every option, its default and its environment variable; `resolve-options.ts` fills in and checks them. */
import type { AddressInput, Mailbox } from './address.ts';
import type { AlertOptions, AlertPolicy } from './alert-options.ts';
import type { ResolvedBounces } from './bounce-options.ts';
import type { Clock } from './clock.ts';
import type { RouteSpec } from './deliver/port.ts';
import type { DkimOptions, ResolvedDkim } from './dkim-options.ts';
import type { WebhookOptions, WebhookProvider } from './feedback/port.ts';
import type { Logger } from './logger.ts';
import type { ResolvedTracking, Stream, TrackingOptions } from './message.ts';
import type { ResolvedEndpoint } from './notify/port.ts';
import type { ResolvedShaping, ShapingOptions } from './shaping-options.ts';
import type { StoreSpec } from './store/port.ts';
import type { SuppressionOptions, SuppressionPolicy } from './suppression-policy.ts';
import type { AnyTemplate } from './template.ts';
import type { UnsubscribeOptions } from './unsubscribe.ts';
import type { WebhookOutOptions } from './webhooks-out-options.ts';

/** Options of {@link createMailRelay}. All are optional in development; production needs a secret, a public URL and a route. */
export interface MailRelayOptions {
  /**
   * Where recipients reach the host application; links in mails start with it, followed by `path`.
   * @default `http://localhost:$PORT` (3000 without PORT) in development
   * @env MAIL_RELAY_PUBLIC_URL
   */
  readonly publicUrl?: string | undefined;
  /**
   * Path under the public URL that the relay serves. Links in mails that are out keep the path they were sent with.
   * @default `/mail`
   */
  readonly path?: string | undefined;
  /**
   * Signs the links in mails, at least 16 characters. A list rotates: the first signs, all verify.
   * @default in development a random one, kept beside the database
   * @env MAIL_RELAY_SECRET (several separated by commas)
   */
  readonly secret?: string | readonly string[] | undefined;
  /**
   * Sender of messages that name none.
   * @default none; in development, where mail is captured, `Development <development@example.com>`
   * @env MAIL_RELAY_FROM
   */
  readonly from?: AddressInput | undefined;
  /**
   * Where everything is kept: `sqlite(path)` or a path.
   * @default `.mail-relay/relay.db`
   * @env MAIL_RELAY_STORE
   */
  readonly store?: StoreSpec | string | undefined;
  /**
   * Template folder, or a folder with templates from `defineTemplate()`.
   * @default no templates
   * @env MAIL_RELAY_TEMPLATES
   */
  readonly templates?: string | readonly AnyTemplate[] | TemplateOptions | undefined;
  /**
   * Ways out, in order of preference: `smtp(url)`, or only the URL, a provider's preset such as `ses()`, `directMx({ hostname })`,
   * or `capture()`. The first that takes a mail gets it, unless a message names another. More on [routes](routes.md).
   * @default `capture()` in development
   * @env MAIL_RELAY_SMTP_URL (one SMTP URL), MAIL_RELAY_RATE (its rate; several separated by commas)
   */
  readonly routes?: readonly (RouteSpec | string)[] | undefined;
  /**
   * Keys that sign mails (DKIM). A key that cannot sign is an error here, never an unsigned mail.
   * @default no signatures
   * @env MAIL_RELAY_DKIM_DOMAIN, MAIL_RELAY_DKIM_SELECTOR, MAIL_RELAY_DKIM_KEY (one key: its domain, its selector, and PEM text or the path of a file)
   */
  readonly dkim?: DkimOptions | undefined;
  /**
   * How `directMx()`, and other routes with `shaping: true`, are held to what receivers take. More on [shaping](shaping.md).
   * @default the limits and rules of the data
   */
  readonly shaping?: ShapingOptions | undefined;
  /**
   * Open and click tracking, for all mail or by stream.
   * @default off for transactional mail, on for broadcast mail
   */
  readonly tracking?:
    | (TrackingOptions & {
        readonly streams?: { readonly [Name in Stream]?: TrackingOptions | undefined } | undefined;
      })
    | undefined;
  /**
   * Where bounces come back to. With a domain, each mail has an envelope sender of its own, `bounce+<token>@<domain>`; with an
   * address, the token goes behind its name: `returns+<token>@<domain>`. SPF counts in DMARC only where it is a domain of the
   * sender's organisation: an object has one for each domain of `from`, which counts for domains below it, too; mail from other
   * domains keeps `from`. What comes there belongs into `relay.feedback.receive()`. A message with an `envelope.from` keeps it.
   * More on [bounces](bounces.md).
   * @default the envelope sender is `from`
   * @env MAIL_RELAY_BOUNCE_DOMAIN (one for all senders)
   */
  readonly bounceDomain?: string | Readonly<Record<string, string>> | undefined;
  /** When what comes back keeps further mail from an address. More on [suppression](suppression.md). */
  readonly suppression?: SuppressionOptions | undefined;
  /**
   * When the operator is told that complaints or hard bounces are too many, or that mail is refused for a reason of the sender;
   * `false`: never. More on [reports](reports.md).
   * @default alerts over 0.1 % and 0.3 % of complaints and 2 % of hard bounces, and warnings
   */
  readonly alerts?: AlertOptions | false | undefined;
  /**
   * Whose webhooks tell what became of mail, at `/mail/hooks/<provider>`. More on [webhooks](webhooks.md).
   * @default those that the environment has secrets of
   * @env SES_WEBHOOK_TOPICS, SENDGRID_WEBHOOK_PUBLIC_KEY, MAILGUN_WEBHOOK_SIGNING_KEY, RESEND_WEBHOOK_SIGNING_SECRET, BREVO_WEBHOOK_TOKEN, SARBACANE_WEBHOOK_SECRET …
   */
  readonly webhooks?: WebhookOptions | undefined;
  /**
   * Endpoints of other systems that events are posted to, signed and retried. More on [webhooks out](webhooks-out.md).
   * @default none
   */
  readonly webhooksOut?: readonly WebhookOutOptions[] | undefined;
  /** Texts and look of the unsubscribe page. */
  readonly unsubscribe?: UnsubscribeOptions | undefined;
  /**
   * What attachments may refer to: folders for `path`, host names for `href` (https only).
   * @default nothing: attachments come as Buffer, text or stream
   */
  readonly attachments?:
    | { readonly paths?: readonly string[] | undefined; readonly hosts?: readonly string[] | undefined }
    | undefined;
  /** Bounds of what is accepted. */
  readonly limits?: LimitOptions | undefined;
  /** How waiting mail is worked on. */
  readonly queue?: QueueOptions | undefined;
  /**
   * `production` fails closed and has no inbox; `development` captures mail and shows it under `/mail/`.
   * @default `production` where NODE_ENV is, else `development`
   * @env NODE_ENV
   */
  readonly environment?: 'development' | 'production' | undefined;
  /**
   * Whether the engine runs in a worker thread; `false` runs it in place (custom transports, platforms without threads).
   * @default true
   */
  readonly thread?: boolean | undefined;
  /**
   * The time, for tests: `createTestRelay()` of `@mailrelay/core/testing` passes one that the test moves. Needs `thread: false`.
   * @default that of the machine
   */
  readonly clock?: Clock | undefined;
  /**
   * Four methods, as pino and console have them.
   * @default information, warnings and errors to the console
   */
  readonly logger?: Logger | undefined;
}

/** Where templates come from. */
export interface TemplateOptions {
  /** Folder with `.mjml`, `.html` and `.hbs` files, or several; no two may have a template of the same name. */
  readonly folder?: string | readonly string[] | undefined;
  /** Templates from `defineTemplate()`. */
  readonly templates?: readonly AnyTemplate[] | undefined;
  /**
   * Compile again when a file changes.
   * @default true in development
   */
  readonly watch?: boolean | undefined;
}

/** Bounds of what is accepted. */
export interface LimitOptions {
  /**
   * Largest message, with attachments and encoding, bytes.
   * @default 26214400 (25 MB)
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Most recipients of one `send()`.
   * @default 100
   */
  readonly maxRecipients?: number | undefined;
}

/** How waiting mail is worked on. */
export interface QueueOptions {
  /**
   * Whether this process sends; `false` only accepts, and another process on the same store sends.
   * @default true
   */
  readonly deliver?: boolean | undefined;
  /**
   * After this time without a sign of life, the mail that a process had claimed goes to another, and so do its subscriptions, ms.
   * @default 15000
   */
  readonly leaseMs?: number | undefined;
  /**
   * Wait before the second attempt, ms; it doubles with each further one.
   * @default 60000
   */
  readonly retryFirstMs?: number | undefined;
  /**
   * Longest wait between attempts, ms.
   * @default 14400000 (4 hours)
   */
  readonly retryMaxMs?: number | undefined;
  /**
   * A delivery that is still deferred after this time fails, ms.
   * @default 432000000 (5 days)
   */
  readonly maxAgeMs?: number | undefined;
}

type Resolved<T> = { readonly [Name in keyof T]-?: Exclude<T[Name], undefined> };

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly publicUrl: string;
  readonly path: string;
  /** `publicUrl` and `path`: what links in mails start with. */
  readonly linkBase: string;
  /** Empty where development has yet to make one. */
  readonly secrets: readonly string[];
  readonly from: Mailbox | undefined;
  readonly store: StoreSpec;
  readonly templates: {
    readonly folders: readonly string[];
    readonly templates: readonly AnyTemplate[];
    readonly watch: boolean;
  };
  readonly routes: readonly RouteSpec[];
  readonly dkim: ResolvedDkim;
  readonly shaping: ResolvedShaping;
  readonly tracking: Readonly<Record<Stream, ResolvedTracking>>;
  readonly bounceDomain: ResolvedBounces;
  readonly suppression: SuppressionPolicy;
  readonly alerts: AlertPolicy;
  /** By name. */
  readonly webhooks: ReadonlyMap<string, WebhookProvider>;
  readonly webhooksOut: readonly ResolvedEndpoint[];
  readonly unsubscribe: UnsubscribeOptions;
  readonly attachments: { readonly paths: readonly string[]; readonly hosts: readonly string[] };
  readonly limits: Resolved<LimitOptions>;
  readonly queue: Resolved<QueueOptions>;
  readonly environment: 'development' | 'production';
  readonly thread: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}
