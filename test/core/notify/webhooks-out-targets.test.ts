import { describe, expect, it, onTestFinished } from 'vitest';
import type { WebhookOutOptions } from '../../../packages/core/src/index.ts';
import { createPoster } from '../../../packages/core/src/notify/webhooks/poster.ts';
import { resolveWebhooksOut } from '../../../packages/core/src/webhooks-out-options.ts';
import { relayWith } from '../../support/relay.ts';
import { endpoint, status } from './support.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

describe('addresses that are not public', () => {
  const event = {
    id: 'evt_1',
    type: 'accepted',
    at: new Date(),
    messageId: 'msg_1',
    deliveryId: 'dlv_1',
    recipient: 'a@example.com',
    stream: 'transactional',
    campaign: undefined,
    tags: [],
  } as const;
  const post = (url: string, find?: (host: string) => Promise<string[]>) => {
    const [resolved] = resolveWebhooksOut([{ url, secret: SECRET, allowHttp: true }]);
    const poster = createPoster(resolved as NonNullable<typeof resolved>, { now: Date.now }, find);
    onTestFinished(() => poster.close());
    return poster.post(event, { attempt: 1, signal: new AbortController().signal });
  };

  it.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '[64:ff9b::7f00:1]', 'localhost'])(
    'are refused where a URL has %s, and nothing is asked',
    async (host) => {
      const { url, received } = await endpoint(status(200));
      const verdict = await post(url.replace('localhost', host));
      expect(verdict).toMatchObject({ ok: false, error: expect.stringContaining('not public') });
      expect(received).toEqual([]);
    },
  );

  it.each([['169.254.169.254'], ['10.0.0.1'], ['::ffff:10.0.0.1'], ['fd00::1'], ['93.184.216.34', '127.0.0.1']])(
    'are refused where a name leads to %s',
    async (...addresses) => {
      expect(await post('http://hooks.example.com/', async () => addresses)).toMatchObject({
        ok: false,
        error: expect.stringContaining('not public'),
      });
    },
  );

  it('cannot come in by a second look-up: the connection goes to the address that was checked', async () => {
    const { url, received } = await endpoint(status(200));
    const { port } = new URL(url);
    let asked = 0;
    // A public address first, this machine afterwards.
    const find = async () => (asked++ === 0 ? ['192.0.1.1'] : ['127.0.0.1']);
    const [resolved] = resolveWebhooksOut([
      { url: `http://rebind.example.com:${port}/`, secret: SECRET, allowHttp: true, timeoutMs: 300 },
    ]);
    const poster = createPoster(resolved as NonNullable<typeof resolved>, { now: Date.now }, find);
    onTestFinished(() => poster.close());
    const verdict = await poster.post(event, { attempt: 1, signal: new AbortController().signal });
    expect(verdict.ok).toBe(false);
    expect(asked).toBe(1);
    expect(received).toEqual([]);
  });
});

describe('options', () => {
  const url = 'https://hooks.example.com/mail';
  it.each([
    ['an http URL', { url: 'http://hooks.example.com/', secret: SECRET }, /allowHttp/],
    ['credentials', { url: 'https://a:b@hooks.example.com/', secret: SECRET }, /credentials/],
    ['no URL', { url: 'hooks', secret: SECRET }, /https URL/],
    ['a secret that is none', { url, secret: 'very secret words' }, /whsec_/],
    ['no secret', { url }, /secret/],
    ['an unknown type', { url, secret: SECRET, types: ['bonced'] }, /bounced/],
    ['an option that nobody reads', { url, secret: SECRET, retries: 3 }, /retries/],
  ])('with %s are refused without showing it', (_, given, message) => {
    let failure: Error | undefined;
    try {
      relayWith({ webhooksOut: [given as WebhookOutOptions] });
    } catch (error) {
      failure = error as Error;
    }
    expect(failure?.message).toMatch(message);
    expect(failure?.message).not.toMatch(/very secret words|a:b@/);
  });

  it('of two endpoints need two names', () => {
    expect(() =>
      relayWith({
        webhooksOut: [
          { url, secret: SECRET },
          { url, secret: SECRET },
        ],
      }),
    ).toThrow(/another one/);
  });
});
