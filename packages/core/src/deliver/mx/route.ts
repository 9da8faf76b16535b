import { isIP, isIPv4, isIPv6 } from 'node:net';
import { ROUTE } from '../../option-rules.ts';
import { check, either, flag, group, list, milliseconds, type Rule, rule, text, whole } from '../../rules.ts';
import type { DirectMxOptions, RouteSpec } from '../port.ts';
import type { DirectMxPorts, DirectMxSettings, DnsOptions, LocalAddressPools } from './port.ts';

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;

/** Mail servers look the name up, and many refuse `localhost` or a single word. */
function isFullName(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 253) return false;
  const labels = value.split('.');
  return labels.length > 1 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) as string);
}

/** `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]:53`. */
function isServer(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (isIP(value) > 0) return true;
  const [, six, four, port] = /^(?:\[(.+)\]|([\d.]+)):(\d{1,5})$/.exec(value) ?? [];
  return (isIPv6(six ?? '') || isIPv4(four ?? '')) && Number(port) > 0 && Number(port) < 65_536;
}

const addresses: Rule = either(
  (value) => Array.isArray(value) && value.length > 0,
  list(rule((value) => typeof value === 'string' && isIP(value) > 0, 'must be an IP address')),
  rule(() => false, 'must be a list with an address at least'),
);
const port = whole(1, 65_535);

const DIRECT_MX = group<DirectMxOptions>(
  {
    ...ROUTE,
    hostname: rule(isFullName, 'must be the full name of this machine, such as mail.example.com'),
    localAddresses: either(
      Array.isArray,
      addresses,
      group<LocalAddressPools>({ transactional: addresses, broadcast: addresses }),
    ),
    ports: group<DirectMxPorts>({ smtp: port, https: port }),
    dns: group<DnsOptions>({
      servers: list(rule(isServer, 'must be an IP address, with a port where it is not 53')),
      timeoutMs: milliseconds,
      tries: whole(1, 10),
    }),
    mtaSts: flag,
    ca: text,
    allowPrivateAddresses: flag,
    allowAddressLiterals: flag,
    connections: whole(1),
    connectionsPerSite: whole(1),
    maxMessagesPerConnection: whole(1),
    idleMs: milliseconds,
    connectionTimeoutMs: milliseconds,
    greetingTimeoutMs: milliseconds,
    socketTimeoutMs: milliseconds,
    deadHostMs: milliseconds,
  },
  {
    needed: ['hostname'],
    advice: {
      requireTls: 'the recipient domain asks for TLS by MTA-STS, see `mtaSts`',
      tls: 'certificates are checked where MTA-STS asks for it, see `ca`',
      auth: 'servers that ask for a login are reached with smtp()',
      port: 'use `ports.smtp`',
    },
  },
);

/**
 * A route straight to the recipients' mail servers, as their MX records name them (RFC 5321 section 5.1).
 *
 * @example
 * directMx({ hostname: 'mail.example.com', localAddresses: ['192.0.2.10', '192.0.2.11'] })
 *
 * @throws MailRelayError `OPTIONS_INVALID`, also where `hostname` is missing or no full name; `OPTION_UNSUPPORTED`
 */
export function directMx(options: DirectMxOptions): RouteSpec {
  check(DIRECT_MX, options, 'directMx()');
  const { name, rate, concurrency, takes, weight, shaping, warmUp, ...mx } = options;
  return {
    kind: 'mx',
    mx: mx satisfies DirectMxSettings,
    name: name ?? 'mx',
    rate,
    takes,
    weight,
    shaping,
    warmUp,
    concurrency,
  };
}
