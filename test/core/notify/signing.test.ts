import { describe, expect, it } from 'vitest';
import { retryAfter } from '../../../packages/core/src/notify/webhooks/retry-after.ts';
import { signedHeaders } from '../../../packages/core/src/notify/webhooks/sign.ts';
import { keyOf } from '../../../packages/core/src/webhook-key.ts';

describe('signatures', () => {
  // The example that the libraries of Standard Webhooks are tested with.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
  const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

  it('are those of the published example', () => {
    expect(signedHeaders(signed, [keyOf(secret) as Buffer])).toEqual({
      'webhook-id': signed.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    });
  });

  it('stand beside each other for each key', () => {
    const other = keyOf(`whsec_${Buffer.alloc(32, 1).toString('base64')}`) as Buffer;
    const both = signedHeaders(signed, [other, keyOf(secret) as Buffer])['webhook-signature']?.split(' ');
    expect(both).toHaveLength(2);
    expect(both?.[1]).toBe(signature);
    expect(both?.[0]).not.toBe(signature);
  });

  it.each([
    '',
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whsec_',
    'whsec_AAAA',
    'whsec_not base64',
    `whsec_${'A'.repeat(100)}`,
  ])('have no key in %j', (text) => {
    expect(keyOf(text)).toBeUndefined();
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 5, 12);
  it.each([
    ['120', 120_000],
    ['999999999', 86_400_000],
    ['Mon, 05 Jan 2026 12:01:00 GMT', 60_000],
    ['Mon, 05 Jan 2026 11:00:00 GMT', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['0', undefined],
  ])('%s is a wait of %s ms', (value, wait) => {
    expect(retryAfter(value, now)).toBe(wait);
  });
});
