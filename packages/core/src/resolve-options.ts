/** Fills in defaults and environment variables, and checks everything, in this one place. */
import { type AddressInput, type Mailbox, parseMailboxes } from './address.ts';
import type { RouteSpec, SmtpOptions } from './deliver/port.ts';
import { MailRelayError } from './errors.ts';
import { checkKeys } from './known-keys.ts';
import { defaultLogger, isLogger } from './logger.ts';
import type { ResolvedTracking, Stream, TrackingOptions } from './message.ts';
import type { MailRelayOptions, ResolvedOptions, TemplateOptions } from './options.ts';
import { checkNeeded } from './production.ts';
import { parseRate } from './rate.ts';
import type { StoreSpec } from './store/port.ts';
import type { AnyTemplate } from './template.ts';

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

const TRACKING = ['opens', 'clicks', 'utm'] as const satisfies readonly (keyof TrackingOptions)[];

const KNOWN_IN = {
  templates: ['folder', 'templates', 'watch'],
  tracking: [...TRACKING, 'streams'],
  unsubscribe: ['texts', 'page'],
  attachments: ['paths', 'hosts'],
  limits: ['maxMessageBytes', 'maxRecipients'],
  queue: ['deliver', 'leaseMs', 'retryFirstMs', 'retryMaxMs', 'maxAgeMs'],
} as const satisfies Partial<Record<keyof MailRelayOptions, readonly string[]>>;

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

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
  checkKeys(options, KNOWN);
  for (const [group, known] of Object.entries(KNOWN_IN)) {
    const value = options[group as keyof typeof KNOWN_IN];
    if (isPlain(value)) checkKeys(value, known, group);
  }
  for (const stream of ['transactional', 'broadcast'] as const)
    checkKeys(options.tracking?.streams?.[stream], TRACKING, `tracking.streams.${stream}`);
  const environment = options.environment ?? (env.NODE_ENV === 'production' ? 'production' : 'development');
  const production = environment === 'production';
  check(
    environment === 'production' || environment === 'development',
    'environment',
    'must be `production` or `development`',
  );
  if (production) {
    checkNeeded([
      ['secret', 'SECRET_MISSING', (options.secret ?? env.MAIL_RELAY_SECRET) !== undefined],
      ['publicUrl', 'PUBLIC_URL_MISSING', (options.publicUrl ?? env.MAIL_RELAY_PUBLIC_URL) !== undefined],
      ['routes', 'ROUTE_MISSING', (options.routes ?? [env.MAIL_RELAY_SMTP_URL ?? []].flat()).length > 0],
    ]);
  }
  const secrets = secretsOf(options, env);
  const publicUrl = publicUrlOf(options, env);
  const thread = options.thread ?? true;
  const routes = routesOf(options, env, factories);
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
    from: senderOf(options.from ?? env.MAIL_RELAY_FROM ?? developmentSender(production, routes)),
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

function publicUrlOf(options: MailRelayOptions, env: Environment): string {
  const text = options.publicUrl ?? env.MAIL_RELAY_PUBLIC_URL ?? `http://localhost:${env.PORT ?? '3000'}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  check(
    url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '',
    'publicUrl',
    'must be an http(s) URL without query, fragment and credentials',
  );
  return url.href.replace(/\/+$/, '');
}

function secretsOf(options: MailRelayOptions, env: Environment): readonly string[] {
  const given = options.secret ?? env.MAIL_RELAY_SECRET?.split(',');
  if (given === undefined) return [];
  const list = (typeof given === 'string' ? [given] : given).map((secret) =>
    typeof secret === 'string' ? secret.trim() : '',
  );
  check(list.length > 0 && list.every((secret) => secret.length >= 16), 'secret', 'needs at least 16 characters');
  return list;
}

/** Mail that is only captured needs no sender of its own; mail that leaves does. */
function developmentSender(production: boolean, routes: readonly RouteSpec[]): AddressInput | undefined {
  if (production || !routes.every(({ kind }) => kind === 'capture')) return undefined;
  return { name: 'Development', address: 'development@example.com' };
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

function routesOf(options: MailRelayOptions, env: Environment, factories: RouteFactories): readonly RouteSpec[] {
  const url = env.MAIL_RELAY_SMTP_URL;
  const rate = env.MAIL_RELAY_RATE;
  const fromEnvironment = url === undefined ? undefined : [factories.smtp(url, rate === undefined ? {} : { rate })];
  const routes = options.routes ?? fromEnvironment;
  if (routes === undefined || routes.length === 0) return [factories.capture()];
  const names = routes.map((route) => route.name);
  check(new Set(names).size === names.length, 'routes', 'must have different names');
  for (const { rate: limit } of routes) if (limit !== undefined) parseRate(limit);
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
