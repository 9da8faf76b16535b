import { ROUTE } from '../../option-rules.ts';
import { check, group, oneOf, type Rule, type Rules, refuse, rule } from '../../rules.ts';
import type { AuthOptions, ProviderSpec, RouteSpec, SmtpOptions } from '../port.ts';
import { SMTP_RULES, smtp } from '../routes.ts';
import { checkEncryption, checkNeverClear } from '../smtp/encryption.ts';
import { checkLogin } from './logins.ts';
import type { ProviderRouteOptions, ServerOptions } from './options.ts';
import { PROVIDERS } from './table.ts';

const { auth: _, ...SERVER_RULES } = SMTP_RULES;

/** Rules of what all presets have in common. */
export const PRESET: Rules<ProviderRouteOptions> = { ...ROUTE, server: group<ServerOptions>(SERVER_RULES) };

/** Text for a login: what is in no line of SMTP, such as the end of a line that was copied along, is not meant. */
export const credential: Rule = rule(
  (value) => typeof value === 'string' && /^[!-~]+(?: [!-~]+)*$/.test(value),
  'must be visible ASCII characters, without spaces around them',
);

const PROVIDER: Rule = group<ProviderSpec>(
  {
    name: oneOf(Object.keys(PROVIDERS)),
    configurationSet: rule(isConfigurationSet, 'must have 1 to 64 of A-Z, a-z, 0-9, _ and -'),
  },
  { needed: ['name'] },
);

/** Which server it is, and what a preset says of it. */
interface Preset {
  readonly provider: ProviderSpec;
  readonly host: string;
  readonly auth: AuthOptions;
}

const PORT = 587;

/** The route of a preset. @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED` */
export function presetRoute(
  { provider, host, auth }: Preset,
  { server = {}, name = provider.name, rate, concurrency, takes, weight, shaping, warmUp }: ProviderRouteOptions,
): RouteSpec {
  const secure = server.secure ?? false;
  const settings = {
    host,
    port: secure ? 465 : PORT,
    ...(secure || server.ignoreTls === true ? {} : { requireTls: true }),
    ...given(server),
    auth,
  } as SmtpOptions;
  // Another server has logins of its own.
  if (server.host === undefined) checkLogin(provider.name, auth);
  const place = `${provider.name}().server`;
  checkNeverClear(settings, place);
  checkEncryption(settings, place);
  return smtpOfProvider(settings, { name, rate, concurrency, takes, weight, shaping, warmUp }, provider);
}

/** A route over a provider's server, also where the host wrote it by hand. */
export function smtpOfProvider(
  settings: SmtpOptions,
  options: Parameters<typeof smtp>[1],
  provider: ProviderSpec,
): RouteSpec {
  check(PROVIDER, provider, 'provider');
  const route = smtp(settings, options) as Extract<RouteSpec, { kind: 'smtp' }>;
  checkNeverClear(settings, 'smtp()');
  return { ...route, provider };
}

/** A credential by option, else by environment variable. */
export function credentialOf(place: string, given: string | undefined, variable: string): string {
  const fromEnvironment = given === undefined;
  const value = given ?? process.env[variable];
  if (value === undefined || value === '') refuse(place, `is missing: give it, or set ${variable}`);
  check(credential, value, fromEnvironment ? variable : place);
  return value;
}

/** The host of a region. */
export function hostOf<T extends string>(place: string, region: T, hosts: Readonly<Record<T, string>>): string {
  check(oneOf(Object.keys(hosts)), region, place);
  return hosts[region];
}

function isConfigurationSet(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value);
}

/** Without what is there and undefined. */
function given(server: ServerOptions): ServerOptions {
  return Object.fromEntries(Object.entries(server).filter(([, value]) => value !== undefined));
}
