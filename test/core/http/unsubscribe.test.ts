import { describe, expect, it } from 'vitest';
import { MailRelayError } from '../../../packages/core/src/errors.ts';
import { bench } from './support.ts';

const claim = { deliveryId: 7, address: 'ada+news@example.com', scope: 'topic:releases', locale: 'fr' } as const;
const form = (body: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

describe('the unsubscribe page', () => {
  it('asks, and unsubscribes nobody, for GET and HEAD', async () => {
    const { ask, tokens, unsubscribed } = bench();
    const path = `/mail/u/${tokens.unsubscribe(claim)}`;
    const response = await ask(path);
    const page = await response?.text();
    expect(page).toContain('<form method="post"');
    expect(page).toContain(claim.address);
    expect((await ask(path, { method: 'HEAD' }))?.body).toBeNull();
    expect(unsubscribed).toEqual([]);
  });

  it('runs no scripts, is framed by nobody and tells nobody where the reader was', async () => {
    const { ask, tokens } = bench();
    const headers = (await ask(`/mail/u/${tokens.unsubscribe(claim)}`))?.headers;
    expect(headers?.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers?.get('x-frame-options')).toBe('DENY');
    expect(headers?.get('referrer-policy')).toBe('no-referrer');
  });

  it('speaks the language of the mail, else of the reader, else English', async () => {
    const { ask, tokens } = bench();
    const language = async (locale: string | undefined, accept: string) => {
      const response = await ask(`/mail/u/${tokens.unsubscribe({ ...claim, locale })}`, {
        headers: { 'accept-language': accept },
      });
      return response?.headers.get('content-language');
    };
    expect(await language('fr', 'en')).toBe('fr');
    expect(await language(undefined, 'de, fr-CA;q=0.8, en;q=0.5')).toBe('fr');
    expect(await language(undefined, 'de')).toBe('en');
  });

  it('unsubscribes with its button, for the scope of the link, before it says so', async () => {
    const { ask, tokens, unsubscribed } = bench();
    const response = await ask(`/mail/u/${tokens.unsubscribe(claim)}`, form('confirm=yes'));
    expect(response?.status).toBe(200);
    expect(await response?.text()).toContain('Vous êtes désabonné');
    expect(unsubscribed).toMatchObject([
      { deliveryId: 7, address: claim.address, scope: 'topic:releases', evidence: 'page' },
    ]);
  });

  it('suppresses the address in the form that suppressions are matched by', async () => {
    const { ask, tokens, unsubscribed } = bench();
    await ask(`/mail/u/${tokens.unsubscribe({ ...claim, address: 'Ada.Lovelace@example.com' })}`, form('confirm=yes'));
    expect(unsubscribed).toMatchObject([{ address: 'ada.lovelace@example.com' }]);
  });

  it('takes the look of the host', async () => {
    const { ask, tokens } = bench({
      unsubscribe: { page: (view) => `<h1>${view.step} ${view.locale} ${view.texts.button}</h1>` },
    });
    const response = await ask(`/mail/u/${tokens.unsubscribe(claim)}`);
    expect(await response?.text()).toBe('<h1>confirm fr Me désabonner</h1>');
    expect(response?.headers.get('content-security-policy')).toContain("img-src 'self' https: data:");
  });
});

describe('one-click unsubscribe (RFC 8058)', () => {
  it('takes the pair urlencoded', async () => {
    const { ask, tokens, unsubscribed } = bench();
    const response = await ask(`/mail/u/${tokens.unsubscribe(claim)}`, form('List-Unsubscribe=One-Click'));
    expect(response?.status).toBe(200);
    expect(await response?.text()).toBe('Unsubscribed');
    expect(unsubscribed).toMatchObject([{ evidence: 'one-click' }]);
  });

  it('takes the pair as multipart/form-data', async () => {
    const { ask, tokens, unsubscribed } = bench();
    const body = new FormData();
    body.set('List-Unsubscribe', 'One-Click');
    const response = await ask(`/mail/u/${tokens.unsubscribe(claim)}`, { method: 'POST', body });
    expect(await response?.text()).toBe('Unsubscribed');
    expect(unsubscribed).toMatchObject([{ evidence: 'one-click' }]);
  });

  it('takes a body of 65536 bytes and refuses one of 65537', async () => {
    const { ask, tokens, unsubscribed } = bench();
    const path = `/mail/u/${tokens.unsubscribe(claim)}`;
    expect((await ask(path, form('x'.repeat(65_536))))?.status).toBe(200);
    expect((await ask(path, form('x'.repeat(65_537))))?.status).toBe(413);
    expect(unsubscribed).toHaveLength(1);
  });

  it('does not claim success where nothing was stored', async () => {
    for (const [error, status] of [
      [new MailRelayError('STORE_FULL'), 503],
      [new MailRelayError('STORE_READ_ONLY'), 500],
    ] as const) {
      const { ask, tokens, errors } = bench({ engine: { unsubscribe: () => Promise.reject(error) } });
      const response = await ask(`/mail/u/${tokens.unsubscribe(claim)}`, form('List-Unsubscribe=One-Click'));
      expect(response?.status).toBe(status);
      expect(errors).toEqual([error]);
    }
  });
});
