import { describe, expect, it } from 'vitest';
import { createUnsubscribePage } from '../../../packages/core/src/consent/page.ts';
import { chooseLanguage } from '../../../packages/core/src/consent/texts.ts';

const request = {
  step: 'confirm',
  address: 'ada@example.com',
  scope: 'broadcast',
  locale: 'en',
  acceptLanguage: undefined,
  action: './t',
  sender: { name: 'Acme', address: 'hello@acme.example' },
  host: 'app.example',
  maySubscribe: false,
} as const;

describe('the texts of the unsubscribe page', () => {
  it('name the scope in the language of the page', async () => {
    const page = createUnsubscribePage({});
    expect((await page.render(request)).html).toContain('stop receiving newsletters from Acme at ada@example.com?');
    expect((await page.render({ ...request, locale: 'fr-FR' })).html).toContain('les lettres d’information de Acme');
    expect((await page.render({ ...request, scope: 'topic:releases' })).html).toContain(
      'stop receiving “releases” mail from Acme at',
    );
  });

  it('name a topic as people write it, or as the texts say, and never by its slug', async () => {
    const page = createUnsubscribePage({ texts: { fr: { scopes: { 'release-notes': 'les nouveautés' } } } });
    const topic = { ...request, scope: 'topic:release-notes' };
    expect((await page.render(topic)).html).toContain('stop receiving “release notes” mail from');
    expect((await page.render({ ...topic, locale: 'fr' })).html).toContain('ne plus recevoir les nouveautés de Acme');
  });

  it('name the sender by name, else address, else the host', async () => {
    const page = createUnsubscribePage({});
    expect((await page.render(request)).html).toContain(
      '<strong><bdi>Acme</bdi></strong> <bdi>hello@acme.example</bdi>',
    );
    const nameless = { ...request, sender: { name: undefined, address: 'hello@acme.example' } };
    expect((await page.render(nameless)).html).toContain('newsletters from hello@acme.example at');
    expect((await page.render({ ...request, sender: undefined })).html).toContain('newsletters from app.example at');
  });

  it('offer the way back only where there is one', async () => {
    const page = createUnsubscribePage({});
    const offered = async (step: 'done' | 'already', maySubscribe: boolean) =>
      (await page.render({ ...request, step, maySubscribe })).html.includes('name="subscribe"');
    expect([await offered('done', true), await offered('already', true)]).toEqual([true, true]);
    expect([await offered('done', false), await offered('already', false)]).toEqual([false, false]);
  });

  it('can be replaced one by one', async () => {
    const page = createUnsubscribePage({
      texts: { en: { button: 'Stop {scope}', scopes: { releases: 'Release notes' } } },
    });
    const { html } = await page.render({ ...request, scope: 'topic:releases' });
    expect(html).toContain('>Stop Release notes</button>');
    expect(html).toContain('Do you want to stop receiving Release notes');
  });

  it('can be added in a further language, with English in the gaps', async () => {
    const page = createUnsubscribePage({ texts: { de: { title: 'Abmelden' } } });
    const { html, locale } = await page.render({ ...request, locale: 'de-AT' });
    expect(locale).toBe('de');
    expect(html).toContain('<html lang="de">');
    expect(html).toContain('<h1>Abmelden</h1>');
    expect(html).toContain('>Unsubscribe</button>');
  });

  it('are escaped, and placeholders inside of an address are left alone', async () => {
    const page = createUnsubscribePage({});
    const { html } = await page.render({ ...request, address: '"<b>{scope}"@example.com', scope: 'topic:<script>' });
    expect(html).toContain('&quot;&lt;b&gt;{scope}&quot;@example.com');
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/<b>|<script/);
  });

  it('may come from a function that takes its time', async () => {
    const page = createUnsubscribePage({ page: async (view) => `${view.step} ${view.action}` });
    expect((await page.render(request)).html).toBe('confirm ./t');
    expect(page.custom).toBe(true);
  });
});

describe('the language of the page', () => {
  const known = new Set(['en', 'fr', 'pt-br']);
  it.each([
    ['fr', undefined, 'fr'],
    ['fr_CA', undefined, 'fr'],
    ['pt-BR', undefined, 'pt-br'],
    ['de', 'fr', 'fr'],
    [undefined, 'en;q=0.1, fr;q=0.9', 'fr'],
    [undefined, 'fr;q=0, en', 'en'],
    [undefined, '*', 'en'],
    [undefined, ';;,q=,', 'en'],
    [undefined, undefined, 'en'],
    ['constructor', '__proto__', 'en'],
  ])('is, for a mail in %s and a reader of %s, %s', (locale, accept, chosen) => {
    expect(chooseLanguage(known, locale, accept)).toBe(chosen);
  });
});
