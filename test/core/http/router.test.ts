import { describe, expect, it } from 'vitest';
import { bench } from './support.ts';

describe('the router', () => {
  it.each([
    '/',
    '/mailing',
    '/mail/settings',
    '/mail/o',
    '/mail/o/',
    '/mail/o/a/b',
    '/mail/o/%41',
    '/api/mail/health',
    '/MAIL/health',
    '/mailXo/abc',
    '/mail/u/a.b',
  ])('leaves %s to the host', async (path) => {
    const { ask, router } = bench();
    expect(router.matches(path)).toBe(false);
    expect(await ask(path)).toBeUndefined();
  });

  it('has no inbox in production', async () => {
    const { ask, router } = bench();
    for (const path of ['/mail', '/mail/', '/mail/inbox/a', '/mail/inbox/a/source']) {
      expect(router.matches(path)).toBe(false);
      expect(await ask(path)).toBeUndefined();
    }
  });

  it('serves under the path of the public URL, and without it for proxies that cut it off', async () => {
    const { ask } = bench({ publicUrl: 'https://app.example/shop' });
    expect((await ask('/shop/mail/health'))?.status).toBe(200);
    expect((await ask('/mail/health'))?.status).toBe(200);
    expect(await ask('/other/mail/health')).toBeUndefined();
  });

  it('serves under another path where the host wants one', async () => {
    const { ask } = bench({ path: '/api/post', publicUrl: 'https://app.example/shop', environment: 'development' });
    expect((await ask('/shop/api/post/health'))?.status).toBe(200);
    expect((await ask('/api/post/health'))?.status).toBe(200);
    expect((await ask('/api/post'))?.headers.get('location')).toBe('./post/');
    expect(await ask('/mail/health')).toBeUndefined();
  });

  it('names the methods that a path has', async () => {
    const { ask, tokens } = bench();
    const wrong = await ask(`/mail/o/${tokens.delivery('o', 7)}.gif`, { method: 'POST' });
    expect(wrong?.status).toBe(405);
    expect(wrong?.headers.get('allow')).toBe('GET, HEAD');
    const page = await ask('/mail/u/abc', { method: 'DELETE' });
    expect(page?.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('keeps every answer out of search engines and sniffing', async () => {
    const { ask, tokens } = bench();
    const unsubscribe = tokens.unsubscribe({
      deliveryId: 7,
      address: 'ada@example.com',
      scope: 'broadcast',
      locale: 'en',
    });
    const paths = [
      `/mail/o/${tokens.delivery('o', 7)}.gif`,
      `/mail/u/${unsubscribe}`,
      `/mail/v/${tokens.delivery('v', 7)}`,
      '/mail/health',
      '/mail/o/x',
    ];
    for (const path of paths) {
      const response = await ask(path);
      expect(response?.headers.get('x-robots-tag')).toBe('noindex, nofollow');
      expect(response?.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response?.headers.get('cache-control')).toContain('no-store');
    }
  });
});

describe('view in browser', () => {
  it('shows the mail in a sandbox', async () => {
    const { ask, tokens } = bench();
    const response = await ask(`/mail/v/${tokens.delivery('v', 7)}`);
    expect(await response?.text()).toBe('<p>Mail 7</p>');
    expect(response?.headers.get('content-security-policy')).toMatch(/^sandbox .*default-src 'none'/);
    expect(response?.headers.get('content-security-policy')).not.toMatch(/allow-scripts|script-src/);
  });

  it('is 404 where the mail is no longer kept', async () => {
    const { ask, tokens } = bench();
    expect((await ask(`/mail/v/${tokens.delivery('v', 8)}`))?.status).toBe(404);
  });
});

describe('health', () => {
  it('says ok, and nothing about the mail', async () => {
    const response = await bench().ask('/mail/health');
    expect(await response?.json()).toEqual({ status: 'ok' });
  });

  it.each([
    [
      'says no',
      async () => ({
        ok: false,
        store: { ok: false, bytes: 0 },
        queue: { waiting: 0, sending: 0, oldestMs: 0 },
        lanes: [],
        failing: [],
        breakers: {},
        alerts: [],
        warnings: [],
      }),
    ],
    ['does not answer', () => Promise.reject(new Error('the secret place /var/x is gone'))],
  ] as const)('is 503 where the engine %s', async (_name, health) => {
    const response = await bench({ engine: { health } }).ask('/mail/health');
    expect(response?.status).toBe(503);
    expect(await response?.json()).toEqual({ status: 'failing' });
  });
});
