import { BlockList, isIPv6 } from 'node:net';

/** Addresses that no public mail server has (RFC 6890 and its registries), with their prefix lengths. */
const FOUR: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** Without `::ffff:0:0/96`: Node judges an IPv4 address in IPv6 by the rules for IPv4, and each IPv4 address by this rule. */
const SIX: readonly (readonly [string, number])[] = [
  ['::', 96],
  // IPv4 as translators within a network write it (RFC 7915).
  ['::ffff:0:0:0', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  // Teredo, with an IPv4 address of anybody's inside, and others that are no hosts (RFC 2928).
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const special = new BlockList();
for (const [net, prefix] of FOUR) {
  special.addSubnet(net, prefix, 'ipv4');
  // Reached through a translator (RFC 6052) or a tunnel (RFC 3056), it is the same address.
  special.addSubnet(`64:ff9b::${net}`, 96 + prefix, 'ipv6');
  special.addSubnet(sixToFour(net), 16 + prefix, 'ipv6');
}
for (const [net, prefix] of SIX) special.addSubnet(net, prefix, 'ipv6');

/** Whether an address is private, loopback, multicast, for documentation, or otherwise not of a public server. */
export function isSpecialAddress(address: string): boolean {
  // A zone (fe80::1%eth0) belongs to this machine.
  return address.includes('%') || special.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function sixToFour(net: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = net.split('.').map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`;
}
