import { expect, it } from 'vitest';
import { isSpecialAddress } from '../../packages/core/src/special-addresses.ts';

it.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '0.0.0.0',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0:127.0.0.1',
  '::ffff:0:a9fe:a9fe',
  '64:ff9b:1::1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '2002:7f00:1::1',
  '2002:c0a8:1::',
  '2001:db8::1',
  '2001:0:7f00:1::1',
  '2001:2::1',
  '192.88.99.1',
  'fd00::1',
  'fe80::1%eth0',
])('%s is not of a public server', (address) => {
  expect(isSpecialAddress(address)).toBe(true);
});

it.each([
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '172.15.255.255',
  '223.255.255.255',
  '2606:4700::1111',
  '2001:200::1',
  '192.88.98.1',
  '64:ff9b::808:808',
  '2002:808:808::1',
])('%s may be of a public server', (address) => {
  expect(isSpecialAddress(address)).toBe(false);
});
