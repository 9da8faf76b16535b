import { MailRelayError } from '../errors.ts';
import { checkKeys } from '../known-keys.ts';
import type { RouteSpec, SmtpOptions } from './port.ts';

/** What routes have in common. */
export interface RouteOptions {
  /** @default the host, or `capture` */
  readonly name?: string;
  /** Limit over a true sliding window: `'200/s'`, `'3000/min'`, `'50000/day'`. */
  readonly rate?: string;
  /** Mails on their way at once. @default the connections */
  readonly concurrency?: number;
}

const ROUTE = ['name', 'rate', 'concurrency'] as const satisfies readonly (keyof RouteOptions)[];
const SMTP = [
  'host',
  'port',
  'secure',
  'requireTls',
  'ignoreTls',
  'tls',
  'auth',
  'name',
  'connections',
  'maxMessagesPerConnection',
  'idleMs',
  'connectionTimeoutMs',
  'greetingTimeoutMs',
  'socketTimeoutMs',
] as const satisfies readonly (keyof SmtpOptions)[];

/**
 * A route over an SMTP server.
 *
 * @param server - `smtp://user:pass@host:587` (STARTTLS where offered), `smtps://…` (implicit TLS), or options.
 * @throws MailRelayError `OPTIONS_INVALID`, which never shows the URL, since it may hold a password.
 */
export function smtp(server: string | SmtpOptions, options: RouteOptions = {}): RouteSpec {
  const settings = typeof server === 'string' ? fromUrl(server) : server;
  if (typeof settings.host !== 'string' || settings.host === '') throw invalid('needs a host');
  checkKeys(settings, SMTP, 'smtp()');
  checkKeys(options, ROUTE, 'smtp()');
  return {
    kind: 'smtp',
    smtp: settings,
    name: options.name ?? settings.host,
    rate: options.rate,
    concurrency: options.concurrency,
  };
}

/**
 * Keeps mail in the store instead of sending it; the development inbox shows it.
 *
 * @param options - `keep`: newest mails that are kept. @default 500
 */
export function capture(options: RouteOptions & { readonly keep?: number } = {}): RouteSpec {
  checkKeys(options, [...ROUTE, 'keep'], 'capture()');
  return {
    kind: 'capture',
    keep: options.keep ?? 500,
    name: options.name ?? 'capture',
    rate: options.rate,
    concurrency: options.concurrency,
  };
}

function fromUrl(text: string): SmtpOptions {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^smtps?:$/.test(url.protocol))
    throw invalid('reads like smtp://user:password@host:587 or smtps://host');
  const parameter = [...url.searchParams.keys()].find((key) => key !== 'requireTls');
  if (parameter !== undefined) throw invalid(`has no parameter ${parameter}; give an object for more options`);
  const port = url.port === '' ? {} : { port: Number(url.port) };
  const auth =
    url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } };
  const tls = url.searchParams.has('requireTls') ? { requireTls: url.searchParams.get('requireTls') !== 'false' } : {};
  return { host: url.hostname.replace(/^\[|\]$/g, ''), secure: url.protocol === 'smtps:', ...port, ...auth, ...tls };
}

function invalid(problem: string): MailRelayError {
  return new MailRelayError('OPTIONS_INVALID', { option: 'routes', reason: `an SMTP server ${problem}` });
}
