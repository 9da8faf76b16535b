import { describe, expect, it } from 'vitest';
import { bench } from './support.ts';

const AGENT = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

describe('the pixel', () => {
  it('is a GIF of 43 bytes that nobody keeps', async () => {
    const { ask, tokens } = bench();
    const response = await ask(`/mail/o/${tokens.delivery('o', 7)}.gif`);
    expect(response?.status).toBe(200);
    expect(response?.headers.get('content-type')).toBe('image/gif');
    expect(response?.headers.get('cache-control')).toBe('no-store, no-cache, must-revalidate, private, max-age=0');
    expect(response?.headers.get('x-robots-tag')).toBe('noindex, nofollow');
    const body = Buffer.from((await response?.arrayBuffer()) ?? new ArrayBuffer());
    expect(body).toHaveLength(43);
    expect(body.toString('latin1', 0, 6)).toBe('GIF89a');
  });

  it('records the open before it answers', async () => {
    const order: string[] = [];
    const durable = Promise.withResolvers<void>();
    const { ask, tokens } = bench({
      engine: { read: () => durable.promise.then(() => void order.push('durable')) },
    });
    const answered = ask(`/mail/o/${tokens.delivery('o', 7)}`).then(() => order.push('answered'));
    await new Promise((turn) => setTimeout(turn, 20));
    expect(order).toEqual([]);
    durable.resolve();
    await answered;
    expect(order).toEqual(['durable', 'answered']);
  });

  it('tells the engine the delivery, the method and the program', async () => {
    const { ask, tokens, readings } = bench();
    await ask(`/mail/o/${tokens.delivery('o', 7)}`, { headers: AGENT });
    await ask(`/mail/o/${tokens.delivery('o', 8)}.gif`, { method: 'HEAD' });
    expect(readings).toMatchObject([
      { type: 'opened', deliveryId: 7, method: 'GET', userAgent: AGENT['user-agent'] },
      { type: 'opened', deliveryId: 8, method: 'HEAD', userAgent: undefined },
    ]);
  });

  it('has no body and the same headers for HEAD', async () => {
    const { ask, tokens } = bench();
    const response = await ask(`/mail/o/${tokens.delivery('o', 7)}.gif`, { method: 'HEAD' });
    expect(response?.body).toBeNull();
    expect(response?.headers.get('content-length')).toBe('43');
  });

  it('is also served while the store is down, and the failure is reported', async () => {
    const down = new Error('disk on fire');
    const { ask, tokens, errors } = bench({ engine: { read: () => Promise.reject(down) } });
    const response = await ask(`/mail/o/${tokens.delivery('o', 7)}.gif`);
    expect(response?.status).toBe(200);
    expect(errors).toEqual([down]);
  });
});

describe('a tracked link', () => {
  it('leads to its target and records the click', async () => {
    const { ask, tokens, readings } = bench();
    const url = 'https://shop.example/spring?a=1&b=2#top';
    const response = await ask(`/mail/c/${tokens.link('t:1', 3, url)}.${tokens.clicker('t:1', 7)}`, { headers: AGENT });
    expect(response?.status).toBe(302);
    expect(response?.headers.get('location')).toBe(url);
    expect(response?.headers.get('cache-control')).toBe('no-store');
    expect(readings).toMatchObject([{ type: 'clicked', deliveryId: 7, url, link: 3, method: 'GET' }]);
  });

  it('leads on while the store is down', async () => {
    const { ask, tokens, errors } = bench({ engine: { read: () => Promise.reject(new Error('down')) } });
    const response = await ask(`/mail/c/${tokens.link('t:1', 0, 'https://shop.example/')}.${tokens.clicker('t:1', 7)}`);
    expect(response?.status).toBe(302);
    expect(errors).toHaveLength(1);
  });

  it('leads to addresses beyond ASCII in their encoded form', async () => {
    const { ask, tokens } = bench();
    const response = await ask(
      `/mail/c/${tokens.link('t:1', 0, 'https://müller.example/été')}.${tokens.clicker('t:1', 7)}`,
    );
    expect(response?.headers.get('location')).toBe('https://xn--mller-kva.example/%C3%A9t%C3%A9');
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://files.example/',
    '//other.example/',
    'https://',
    'https://a\r\nX: y',
  ])('never leads to %j, although it is signed', async (url) => {
    const { ask, tokens } = bench();
    const response = await ask(`/mail/c/${tokens.link('t:1', 0, url)}.${tokens.clicker('t:1', 7)}`);
    const location = response?.headers.get('location') ?? '';
    expect(location === '' || /^https:\/\/[\x21-\x7e]*$/.test(location)).toBe(true);
  });

  it('does not join halves of different scopes', async () => {
    const { ask, tokens, readings } = bench();
    const response = await ask(`/mail/c/${tokens.link('t:1', 0, 'https://shop.example/')}.${tokens.clicker('t:2', 7)}`);
    expect(response?.status).toBe(404);
    expect(readings).toEqual([]);
  });
});

describe('a forged token', () => {
  const { tokens } = bench();
  const flip = (token: string) => `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`;
  it.each([
    ['pixel', `/mail/o/${flip(tokens.delivery('o', 7))}.gif`],
    ['pixel of another kind', `/mail/o/${tokens.delivery('v', 7)}.gif`],
    ['click', `/mail/c/${tokens.link('t:1', 0, 'https://a.example/')}.${flip(tokens.clicker('t:1', 7))}`],
    [
      'unsubscribe',
      `/mail/u/${flip(tokens.unsubscribe({ deliveryId: 7, address: 'ada@example.com', scope: 'broadcast', locale: 'en' }))}`,
    ],
    ['view', `/mail/v/${flip(tokens.delivery('v', 7))}`],
    ['short', '/mail/o/x'],
  ])('of a %s gets 404 without detail and without a record', async (_name, path) => {
    const { ask, readings, unsubscribed } = bench();
    for (const method of ['GET', 'HEAD']) {
      const response = await ask(path, { method });
      expect(response?.status).toBe(404);
      expect(await response?.text()).toBe(method === 'GET' ? 'Not found' : '');
      expect(response?.headers.get('cache-control')).toBe('no-store');
    }
    expect([...readings, ...unsubscribed]).toEqual([]);
  });
});
