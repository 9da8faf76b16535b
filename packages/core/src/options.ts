/** Every option, its default and its environment variable, resolved and checked in this one place. */
import { type AddressInput, type Mailbox, parseMailboxes } from './address.ts';
import type { RouteSpec, SmtpOptions } from './deliver/port.ts';
import { MailRelayError } from './errors.ts';
import { defaultLogger, isLogger, type Logger } from './logger.ts';
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
   * Ways out: `smtp(url)` or `capture()`. The first takes all mail unless a message names another.
   * @default `capture()` in development
   * @env MAIL_RELAY_SMTP_URL (one SMTP URL), MAIL_RELAY_RATE (its rate)
   */
  readonly routes?: readonly RouteSpec[];
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
   * Four methods, as pino and console have them.
   * @default warnings and errors to the console
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
  readonly logger: Logger;
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Turns an SMTP URL from the environment into a route; passed in, since it belongs to `deliver/`. */
export interface RouteFactories {
  smtp(url: string | SmtpOptions, options?: { readonly rate?: string }): RouteSpec;
  capture(): RouteSpec;
}

const KNOWN = [
  'publicUrl',
  'secret',
  'from',
  'store',
  'templates',
  'routes',
  'tracking',
  'unsubscribe',
  'attachments',
  'limits',
  'queue',
  'environment',
  'thread',
  'logger',
] as const satisfies readonly (keyof MailRelayOptions)[];

/**
 * Fills in defaults and environment variables, and checks everything.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`, and in production `SECRET_MISSING`,
 * `PUBLIC_URL_MISSING` or `ROUTE_MISSING`.
 */
export function resolveOptions(
  options: MailRelayOptions,
  env: Environment,
  factories: RouteFactories,
): ResolvedOptions {
  for (const key of Object.keys(options)) {
    if (!(KNOWN as readonly string[]).includes(key)) {
      throw new MailRelayError('OPTION_UNSUPPORTED', {
        option: key,
        reason: `there is no option \`${key}\`; known are ${KNOWN.join(', ')}`,
      });
    }
  }
  const environment = options.environment ?? (env.NODE_ENV === 'production' ? 'production' : 'development');
  const production = environment === 'production';
  check(
    environment === 'production' || environment === 'development',
    'environment',
    'must be `production` or `development`',
  );
  const secrets = secretsOf(options, env, production);
  const publicUrl = publicUrlOf(options, env, production);
  const thread = options.thread ?? true;
  const routes = routesOf(options, env, factories, production);
  check(
    thread === false || routes.every((route) => route.kind !== 'custom'),
    'routes',
    'with a custom transport need `thread: false`',
  );
  const logger = options.logger ?? defaultLogger;
  check(isLogger(logger), 'logger', 'needs the methods debug, info, warn and error');
  const resolved: ResolvedOptions = {
    publicUrl,
    linkBase: `${publicUrl}/mail`,
    secrets,
    from: senderOf(options.from ?? env.MAIL_RELAY_FROM),
    store: storeOf(options.store ?? env.MAIL_RELAY_STORE),
    templates: templatesOf(options.templates ?? env.MAIL_RELAY_TEMPLATES, !production),
    routes,
    tracking: {
      transactional: trackingOf(options.tracking, 'transactional', false),
      broadcast: trackingOf(options.tracking, 'broadcast', true),
    },
    unsubscribe: options.unsubscribe ?? {},
    attachments: { paths: options.attachments?.paths ?? [], hosts: options.attachments?.hosts ?? [] },
    limits: {
      maxMessageBytes: options.limits?.maxMessageBytes ?? 26_214_400,
      maxRecipients: options.limits?.maxRecipients ?? 100,
    },
    queue: {
      deliver: options.queue?.deliver ?? true,
      leaseMs: options.queue?.leaseMs ?? 15_000,
      retryFirstMs: options.queue?.retryFirstMs ?? 60_000,
      retryMaxMs: options.queue?.retryMaxMs ?? 14_400_000,
      maxAgeMs: options.queue?.maxAgeMs ?? 432_000_000,
    },
    environment,
    thread,
    logger,
  };
  for (const [group, values] of [
    ['limits', resolved.limits],
    ['queue', resolved.queue],
  ] as const) {
    for (const [key, value] of Object.entries(values)) {
      check(
        typeof value === 'boolean' || (Number.isFinite(value) && value > 0),
        `${group}.${key}`,
        'must be a number over 0',
      );
    }
  }
  return Object.freeze(resolved);
}

function check(holds: boolean, option: string, problem: string): asserts holds {
  if (!holds) throw new MailRelayError('OPTIONS_INVALID', { option, reason: `\`${option}\` ${problem}` });
}

function publicUrlOf(options: MailRelayOptions, env: Environment, production: boolean): string {
  const given = options.publicUrl ?? env.MAIL_RELAY_PUBLIC_URL;
  if (given === undefined && production) throw new MailRelayError('PUBLIC_URL_MISSING', { option: 'publicUrl' });
  const text = given ?? `http://localhost:${env.PORT ?? '3000'}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  check(
    url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '',
    'publicUrl',
    'must be an http(s) URL without query, fragment and credentials',
  );
  return url.href.replace(/\/+$/, '');
}

function secretsOf(options: MailRelayOptions, env: Environment, production: boolean): readonly string[] {
  const given = options.secret ?? env.MAIL_RELAY_SECRET?.split(',');
  if (given === undefined) {
    if (production) throw new MailRelayError('SECRET_MISSING', { option: 'secret' });
    return [];
  }
  const list = (typeof given === 'string' ? [given] : given).map((secret) =>
    typeof secret === 'string' ? secret.trim() : '',
  );
  check(list.length > 0 && list.every((secret) => secret.length >= 16), 'secret', 'needs at least 16 characters');
  return list;
}

function senderOf(from: AddressInput | undefined): Mailbox | undefined {
  if (from === undefined) return undefined;
  const [first, ...more] = parseMailboxes(from, 'from');
  check(first !== undefined && more.length === 0, 'from', 'must be one address');
  return first;
}

function storeOf(store: StoreSpec | string | undefined): StoreSpec {
  const spec =
    typeof store === 'string'
      ? { kind: 'sqlite' as const, path: store }
      : (store ?? { kind: 'sqlite' as const, path: '.mail-relay/relay.db' });
  check(
    spec.kind === 'sqlite' && typeof spec.path === 'string' && spec.path !== '',
    'store',
    'must be sqlite(path) or a path',
  );
  return spec;
}

function templatesOf(given: MailRelayOptions['templates'], watch: boolean): ResolvedOptions['templates'] {
  if (typeof given === 'string') return { folder: given, templates: [], watch };
  if (Array.isArray(given)) return { folder: undefined, templates: given as readonly AnyTemplate[], watch };
  const options = (given ?? {}) as TemplateOptions;
  return { folder: options.folder, templates: options.templates ?? [], watch: options.watch ?? watch };
}

function routesOf(
  options: MailRelayOptions,
  env: Environment,
  factories: RouteFactories,
  production: boolean,
): readonly RouteSpec[] {
  const url = env.MAIL_RELAY_SMTP_URL;
  const rate = env.MAIL_RELAY_RATE;
  const fromEnvironment = url === undefined ? undefined : [factories.smtp(url, rate === undefined ? {} : { rate })];
  const routes = options.routes ?? fromEnvironment;
  if (routes === undefined || routes.length === 0) {
    if (production) throw new MailRelayError('ROUTE_MISSING', { option: 'routes' });
    return [factories.capture()];
  }
  const names = routes.map((route) => route.name);
  check(new Set(names).size === names.length, 'routes', 'must have different names');
  return routes;
}

function trackingOf(tracking: MailRelayOptions['tracking'], stream: Stream, standard: boolean): ResolvedTracking {
  const own = tracking?.streams?.[stream];
  return {
    opens: own?.opens ?? tracking?.opens ?? standard,
    clicks: own?.clicks ?? tracking?.clicks ?? standard,
    utm: own?.utm ?? tracking?.utm,
  };
}
