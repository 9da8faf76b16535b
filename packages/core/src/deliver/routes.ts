import { MailRelayError } from '../errors.ts';
import { ROUTE } from '../option-rules.ts';
import { check, flag, group, milliseconds, oneOf, type Rules, text, whole } from '../rules.ts';
import type { AuthOptions, CaptureOptions, RouteOptions, RouteSpec, SmtpOptions, TlsOptions } from './port.ts';
import { checkEncryption } from './smtp/encryption.ts';

/** Rules of what is known of an SMTP server. */
export const SMTP_RULES: Rules<SmtpOptions> = {
  host: text,
  port: whole(1, 65_535),
  secure: flag,
  requireTls: flag,
  ignoreTls: flag,
  tls: group<TlsOptions>({
    rejectUnauthorized: flag,
    ca: text,
    servername: text,
    minVersion: oneOf(['TLSv1.2', 'TLSv1.3']),
  }),
  auth: group<AuthOptions>(
    { user: text, pass: text, method: oneOf(['PLAIN', 'LOGIN', 'CRAM-MD5']) },
    { needed: ['user', 'pass'] },
  ),
  name: text,
  connections: whole(1),
  maxMessagesPerConnection: whole(1),
  idleMs: milliseconds,
  connectionTimeoutMs: milliseconds,
  greetingTimeoutMs: milliseconds,
  socketTimeoutMs: milliseconds,
};
const SMTP = group<SmtpOptions>(SMTP_RULES, { needed: ['host'] });
const SMTP_ROUTE = group(ROUTE);
const CAPTURE = group<CaptureOptions>({ ...ROUTE, keep: whole(1) });

/**
 * A route over an SMTP server.
 *
 * @param server - `smtp://user:pass@host:587` (STARTTLS where offered), `smtps://…` (implicit TLS), or options.
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`; never with the URL, since it may hold a password.
 */
export function smtp(server: string | SmtpOptions, options: RouteOptions = {}): RouteSpec {
  const settings = typeof server === 'string' ? fromUrl(server) : server;
  check(SMTP, settings, 'smtp()');
  checkEncryption(settings, 'smtp()');
  check(SMTP_ROUTE, options, 'smtp()');
  return {
    kind: 'smtp',
    smtp: settings,
    ...shared(options, settings.host),
  };
}

/**
 * Keeps mail in the store instead of sending it; the development inbox shows it.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`
 */
export function capture(options: CaptureOptions = {}): RouteSpec {
  check(CAPTURE, options, 'capture()');
  return {
    kind: 'capture',
    keep: options.keep ?? 500,
    ...shared(options, 'capture'),
  };
}

function shared(
  { name, rate, concurrency, takes, weight, shaping, warmUp }: RouteOptions,
  standard: string,
): RouteOptions & { name: string } {
  return { name: name ?? standard, rate, concurrency, takes, weight, shaping, warmUp };
}

function fromUrl(text: string): SmtpOptions {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^smtps?:$/.test(url.protocol))
    throw invalid('reads like smtp://user:password@host:587 or smtps://host');
  // An empty fragment shows only in the text.
  if (!/^\/?$/.test(url.pathname) || text.includes('#'))
    throw invalid('has neither a path nor a fragment; in a user name or password, / is written as %2F and # as %23');
  const port = url.port === '' ? {} : { port: Number(url.port) };
  const { username, password } = url;
  const auth = username + password === '' ? {} : { auth: { user: decoded(username), pass: decoded(password) } };
  const tls = parametersOf(url.searchParams);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), secure: url.protocol === 'smtps:', ...port, ...auth, ...tls };
}

function parametersOf(parameters: URLSearchParams): Pick<SmtpOptions, 'requireTls'> {
  const [first, ...more] = [...parameters];
  if (first === undefined) return {};
  const [name, value] = first;
  if (name !== 'requireTls') throw invalid(`has no parameter ${name}; give an object for more options`);
  if (more.length > 0 || !['', 'true', 'false'].includes(value))
    throw invalid('has the parameter requireTls once, as true or false');
  return { requireTls: value !== 'false' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('has a user name or password with a % that is not written as %25');
  }
}

function invalid(problem: string): MailRelayError {
  return new MailRelayError('OPTIONS_INVALID', {
    option: 'routes',
    reason: `an SMTP server, in \`routes\` or MAIL_RELAY_SMTP_URL, ${problem}`,
  });
}
