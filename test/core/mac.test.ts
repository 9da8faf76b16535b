import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createMac } from '../../packages/core/src/mac.ts';

describe('the HMAC', () => {
  // RFC 4231, test cases 1, 2, 3, 6 and 7.
  it.each([
    ['0b'.repeat(20), hexOf('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      hexOf('Jefe'),
      hexOf('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
    [
      'aa'.repeat(131),
      hexOf('Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
    [
      'aa'.repeat(131),
      hexOf(
        'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
      ),
      '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    ],
  ])('is that of RFC 4231 (key %s)', (key, message, expected) => {
    expect(createMac(Buffer.from(key, 'hex'))(Buffer.from(message, 'hex')).toString('hex')).toBe(expected);
  });

  it.each([0, 1, 55, 56, 63, 64, 65, 1023, 1024, 1025, 9000])('is that of OpenSSL for %d bytes', (length) => {
    const key = randomBytes(40);
    const mac = createMac(key);
    // A longer message before it leaves nothing behind.
    mac(randomBytes(1024));
    const message = randomBytes(length);
    expect(mac(message)).toEqual(createHmac('sha256', key).update(message).digest());
  });
});

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}
