/** Fills in defaults and environment variables, and checks everything, in this one place. */
import { type AddressInput, type Mailbox, parseMailboxes } from './address.ts';
import { resolveAlerts } from './alert-options.ts';
import { resolveBounces } from './bounce-options.ts';
import { systemClock } from './clock.ts';
import type { DirectMxOptions, ProviderSpec, RouteOptions, RouteSpec, SmtpOptions } from './deliver/port.ts';
import { resolveDkim } from './dkim-options.ts';
import { type Environment, readEnvironment } from './environment.ts';
import type { WebhookOptions, WebhookProvider } from './feedback/port.ts';
import { defaultLogger } from './logger.ts';
import type { ResolvedTracking, Stream } from './message.ts';
import { CUSTOM_ROUTE, hostOf, OPTIONS, STORE } from './option-rules.ts';
import type { MailRelayOptions, ResolvedOptions, TemplateOptions } from './options.ts';
import { checkNeeded } from './production.ts';
import { check, isObject, refuse } from './rules.ts';
import { resolveShaping } from './shaping-options.ts';
import { checkSites, type SiteNaming } from './site-names.ts';
import type { StoreSpec } from './store/port.ts';
import { resolveSuppression } from './suppression-policy.ts';
import type { AnyTemplate } from './template.ts';
import { resolveWebhooksOut } from './webhooks-out-options.ts';

/** Makes and checks routes; passed in, since that belongs to `deliver/`. */
interface RouteFactories {
  smtp(server: string | SmtpOptions, options?: RouteOptions): RouteSpec;
  capture(options?: RouteOptions): RouteSpec;
  directMx(options: DirectMxOptions): RouteSpec;
  provider(server: SmtpOptions, options: RouteOptions, provider: ProviderSpec): RouteSpec;
}

/** What the options are made into by the stages that know it. */
export interface Factories extends RouteFactories {
  webhooks(options: WebhookOptions, env: Environment): ReadonlyMap<string, WebhookProvider>;
  readonly sites: SiteNaming;
}

/**
 * Fills in defaults and environment variables, and checks everything.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`, `DKIM_KEY_INVALID`, and in production `SECRET_MISSING`,
 * `PUBLIC_URL_MISSING` or `ROUTE_MISSING`.
 */
export function resolveOptions(
  options: MailRelayOptions,
  environmentVariables: Environment,
  factories: Factories,
): ResolvedOptions {
  check(OPTIONS, options, '');
  const env = readEnvironment(environmentVariables);
  const environment = options.environment ?? (env.NODE_ENV === 'production' ? 'production' : 'development');
  const production = environment === 'production';
  if (production) {
    checkNeeded([
      ['secret', 'SECRET_MISSING', (options.secret ?? env.MAIL_RELAY_SECRET) !== undefined],
      ['publicUrl', 'PUBLIC_URL_MISSING', (options.publicUrl ?? env.MAIL_RELAY_PUBLIC_URL) !== undefined],
      ['routes', 'ROUTE_MISSING', (options.routes ?? [env.MAIL_RELAY_SMTP_URL ?? []].flat()).length > 0],
    ]);
  }
  const secrets = secretsOf(options, env);
  const publicUrl = publicUrlOf(options, env);
  const path = options.path ?? '/mail';
  const thread = options.thread ?? true;
  const dkim = resolveDkim(options.dkim, env);
  const routes = routesOf(options, env, factories).map((route) =>
    dkim.keys.length > 0 ? { ...route, signs: true } : route,
  );
  if (thread && routes.some(({ kind }) => kind === 'custom'))
    refuse('routes', 'with a custom transport need `thread: false`');
  if (thread && options.clock !== undefined) refuse('clock', 'needs `thread: false`');
  const logger = options.logger ?? defaultLogger;
  const shaping = resolveShaping(options.shaping);
  checkSites(routes, shaping, factories.sites);
  const resolved: ResolvedOptions = {
    publicUrl,
    path,
    linkBase: publicUrl + path,
    secrets,
    from: senderOf(options.from ?? env.MAIL_RELAY_FROM ?? developmentSender(production, routes)),
    store: storeOf(options.store ?? env.MAIL_RELAY_STORE),
    templates: templatesOf(options.templates ?? env.MAIL_RELAY_TEMPLATES, !production),
    routes,
    dkim,
    shaping,
    tracking: {
      transactional: trackingOf(options.tracking, 'transactional', false),
      broadcast: trackingOf(options.tracking, 'broadcast', true),
    },
    bounceDomain: resolveBounces(options.bounceDomain ?? env.MAIL_RELAY_BOUNCE_DOMAIN),
    suppression: resolveSuppression(options.suppression),
    alerts: resolveAlerts(options.alerts),
    webhooks: factories.webhooks(options.webhooks ?? {}, env),
    webhooksOut: resolveWebhooksOut(options.webhooksOut),
    unsubscribe: options.unsubscribe ?? {},
    attachments: {
      paths: options.attachments?.paths ?? [],
      hosts: (options.attachments?.hosts ?? []).map((host) => hostOf(host) ?? host),
    },
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
    clock: options.clock ?? systemClock,
    logger,
  };
  return Object.freeze(resolved);
}

function publicUrlOf(options: MailRelayOptions, env: Environment): string {
  const text = options.publicUrl ?? env.MAIL_RELAY_PUBLIC_URL ?? `http://localhost:${portOf(env)}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // An empty query or fragment does not show in the parts of a URL, and stays in the whole.
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    /[?#]/.test(url.href) ||
    url.username + url.password !== ''
  )
    refuse('publicUrl', 'must be an http(s) URL without query, fragment and credentials');
  return url.href.replace(/\/+$/, '');
}

/** The port of a development server. Some hosts put the name of a pipe there. */
function portOf({ PORT = '' }: Environment): string {
  return /^[1-9]\d{0,4}$/.test(PORT) && Number(PORT) < 65_536 ? PORT : '3000';
}

function secretsOf(options: MailRelayOptions, env: Environment): readonly string[] {
  const given = options.secret ?? env.MAIL_RELAY_SECRET?.split(',');
  if (given === undefined) return [];
  const list = (typeof given === 'string' ? [given] : given).map((secret) => secret.trim());
  if (list.length === 0 || list.some((secret) => secret.length < 16)) refuse('secret', 'needs at least 16 characters');
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
  if (first === undefined || more.length > 0) refuse('from', 'must be one address');
  return first;
}

function storeOf(store: StoreSpec | string = '.mail-relay/relay.db'): StoreSpec {
  const spec = typeof store === 'string' ? { kind: 'sqlite' as const, path: store } : store;
  if (spec?.kind !== 'sqlite' || typeof spec.path !== 'string' || spec.path.trim() === '')
    refuse('store', 'must be sqlite(path) or a path');
  check(STORE, spec, 'store');
  // SQLite would take `file:` for a URL, and any other for a folder, which would be named after its password.
  if (/^(?:file:|[a-z][a-z\d+.-]+:\/\/)/i.test(spec.path)) refuse('store', 'must be a path, not a URL');
  return spec;
}

function templatesOf(given: MailRelayOptions['templates'], watch: boolean): ResolvedOptions['templates'] {
  if (typeof given === 'string') return { folders: [given], templates: [], watch };
  if (Array.isArray(given)) return { folders: [], templates: given as readonly AnyTemplate[], watch };
  const options = (given ?? {}) as TemplateOptions;
  return {
    folders: [options.folder ?? []].flat(),
    templates: options.templates ?? [],
    watch: options.watch ?? watch,
  };
}

function routesOf(options: MailRelayOptions, env: Environment, factories: RouteFactories): readonly RouteSpec[] {
  const url = env.MAIL_RELAY_SMTP_URL;
  const rate = env.MAIL_RELAY_RATE;
  const fromEnvironment =
    url === undefined
      ? undefined
      : [factories.smtp(url, rate === undefined ? {} : { rate: rate.split(',').map((one) => one.trim()) })];
  const routes =
    options.routes?.map((route, index) => routeOf(route, `routes[${index}]`, factories)) ?? fromEnvironment;
  if (routes === undefined || routes.length === 0) return [factories.capture()];
  const names = routes.map((route) => route.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse('routes', `has two routes named ${twice}: give one of them another \`name\``);
  return routes;
}

/** A route as its factory makes it, also where the host wrote it by hand. */
function routeOf(route: unknown, place: string, factories: RouteFactories): RouteSpec {
  if (typeof route === 'string') return factories.smtp(route);
  const { kind, ...rest } = (isObject(route) ? route : {}) as RouteSpec;
  if (kind === 'capture') return factories.capture(rest);
  if (kind === 'custom') {
    check(CUSTOM_ROUTE, rest, place);
    return route as RouteSpec;
  }
  if (kind === 'mx') {
    const { mx, ...options } = rest as Extract<RouteSpec, { kind: 'mx' }>;
    return factories.directMx({ ...mx, ...options });
  }
  if (kind !== 'smtp')
    refuse(place, 'must be made by smtp(), directMx(), capture() or the preset of a provider, or be an SMTP URL');
  const { smtp, provider, ...options } = rest as Extract<RouteSpec, { kind: 'smtp' }>;
  return provider === undefined ? factories.smtp(smtp, options) : factories.provider(smtp, options, provider);
}

function trackingOf(tracking: MailRelayOptions['tracking'], stream: Stream, standard: boolean): ResolvedTracking {
  const own = tracking?.streams?.[stream];
  return {
    opens: own?.opens ?? tracking?.opens ?? standard,
    clicks: own?.clicks ?? tracking?.clicks ?? standard,
    utm: own?.utm ?? tracking?.utm,
  };
}
