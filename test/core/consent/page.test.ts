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
} as const;

describe('the texts of the unsubscribe page', () => {
  it('name the scope in the language of the page', async () => {
    const page = createUnsubscribePage({});
    expect((await page.render(request)).html).toContain('stop receiving our newsletters at ada@example.com?');
    expect((await page.render({ ...request, locale: 'fr-FR' })).html).toContain('nos lettres d’information');
    expect((await page.render({ ...request, scope: 'topic:releases' })).html).toContain('stop receiving releases at');
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
