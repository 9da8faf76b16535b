/** Which hosts are not asked whether they answer. */
import { BlockList, isIPv6 } from 'node:net';

/** Private, loopback, link-local and shared addresses (RFC 6890), with their prefix lengths. */
const FOUR: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
];
/** Without `::ffff:0:0/96`: Node judges an IPv4 address in IPv6 by the rules for IPv4, and each IPv4 address by this rule. */
const SIX: readonly (readonly [string, number])[] = [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const inside = new BlockList();
for (const [net, prefix] of FOUR) inside.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of SIX) inside.addSubnet(net, prefix, 'ipv6');

/** Whether an IP address belongs to this machine or its network. */
export function isPrivateAddress(address: string): boolean {
  return address.includes('%') || inside.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

const EXAMPLES: ReadonlySet<string> = new Set(['example.com', 'example.net', 'example.org']);
const TEST_DOMAINS: ReadonlySet<string> = new Set(['example', 'test', 'invalid']);

/** Whether a host lies in a domain that is reserved for examples and tests (RFC 2606): nobody is there to answer. */
export function isReservedHost(hostname: string): boolean {
  const labels = hostname.toLowerCase().replace(/\.$/, '').split('.');
  return TEST_DOMAINS.has(labels.at(-1) ?? '') || EXAMPLES.has(labels.slice(-2).join('.'));
}
