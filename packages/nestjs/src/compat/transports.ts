import { capture, type MailRelayOptions, type SmtpOptions, smtp } from '@mailrelay/core';
import type { MailerOptions, Transport } from './options.ts';
import { unsupported } from './unsupported.ts';

type Routes = NonNullable<MailRelayOptions['routes']>;

/** Name of the route of the transport without a name. */
const DEFAULT = 'default';
const PERIODS: Readonly<Record<number, string>> = { 1000: 's', 60000: 'min', 3600000: 'h', 86400000: 'day' };

/** nodemailer's names, and the relay's. What stands in neither is refused by `smtp()`, with its name. */
const NAMES: Readonly<Record<string, keyof SmtpOptions>> = {
  requireTLS: 'requireTls',
  ignoreTLS: 'ignoreTls',
  maxConnections: 'connections',
  maxMessages: 'maxMessagesPerConnection',
  connectionTimeout: 'connectionTimeoutMs',
  greetingTimeout: 'greetingTimeoutMs',
  socketTimeout: 'socketTimeoutMs',
};

/** Each transport as a route of the same name; the one without a name comes first, and takes mail that names none. */
export function routesOf({ transport, transports = {} }: MailerOptions): Routes | undefined {
  const named = Object.entries(transports).map(([name, one]) => routeOf(one, name, `transports.${name}`));
  const routes = transport === undefined ? named : [routeOf(transport, DEFAULT, 'transport'), ...named];
  return routes.length === 0 ? undefined : routes;
}

function routeOf(transport: Transport, name: string, place: string): Routes[number] {
  if (typeof transport === 'string') return smtp(transport, { name });
  // Connections are always kept and shared.
  const { jsonTransport, streamTransport, pool: _pool, rateLimit, rateDelta = 1000, ...rest } = transport;
  if (jsonTransport === true || streamTransport === true) return capture({ name });
  if (typeof rest.host !== 'string')
    unsupported(
      place,
      'give an SMTP URL or a `host`: a mail that waits in a queue cannot take an object of nodemailer along',
    );
  const period = PERIODS[rateDelta] ?? unsupported(`${place}.rateDelta`, 'a rate is per second, minute, hour or day');
  const options = Object.entries(rest).map(([key, value]) => [NAMES[key] ?? key, value]);
  return smtp(Object.fromEntries(options) as unknown as SmtpOptions, {
    name,
    ...(rateLimit === undefined ? {} : { rate: `${rateLimit}/${period}` }),
  });
}
