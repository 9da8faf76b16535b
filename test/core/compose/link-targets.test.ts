import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withUtm } from '../../../packages/core/src/compose/links.ts';
import { splitAddress } from '../../../packages/core/src/compose/text-address.ts';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { sourceBodies } from './support.ts';

const wiki = 'https://en.wikipedia.org/wiki/Foo_(bar)';

describe('an address in a text', () => {
  it.each([
    ['https://e.org/pricing.', 'https://e.org/pricing'],
    ['https://e.org/a,', 'https://e.org/a'],
    ['https://e.org/q?', 'https://e.org/q'],
    ['https://e.org/c!!', 'https://e.org/c'],
    ['https://e.org/x;', 'https://e.org/x'],
    ['https://e.org/b**', 'https://e.org/b'],
    ['https://e.org/b).', 'https://e.org/b'],
    ['https://e.org/a.b/?c=d.e', 'https://e.org/a.b/?c=d.e'],
    ['https://e.org/', 'https://e.org/'],
    [wiki, wiki],
    [`${wiki}).`, wiki],
    [`${wiki},`, wiki],
    ['https://e.org/a(', 'https://e.org/a'],
  ])('that is found as %s is %s', (found, address) => {
    expect(splitAddress(found)).toEqual([address, found.slice(address.length)]);
  });

  it('is followed at once by what stood behind it, with a template and without', async () => {
    const text = `See https://e.org/pricing. Wiki (${wiki}), **https://e.org/b** and https://.`;
    const template = defineTemplate({ name: 't', subject: 'S', html: '<p>x</p>', text });
    for (const message of [{ template }, { subject: 'S', text }]) {
      const { body, target } = await sourceBodies(message as never);
      const links = body.match(/https:\/\/mail\.example\.com\/mail\/c\/[\w-]+\.[\w-]+/g) ?? [];
      expect(await Promise.all(links.map(target))).toEqual(['https://e.org/pricing', wiki, 'https://e.org/b']);
      expect(links.reduce((rest, link) => rest.replace(link, '#'), body).trim()).toBe(
        'See #. Wiki (#), **#** and https://.',
      );
    }
  });
});

describe('an address that no token can hold', () => {
  it('is left alone, and one that it can hold works', async () => {
    const long = (length: number) => `https://e.org/?q=${'x'.repeat(length)}`;
    const html = `<a href="${long(6500)}">1</a><a href="${long(5000)}">2</a><a href="{{url}}">3</a>`;
    const template = defineTemplate({ name: 't', subject: 'S', html, text: 'x' });
    for (const message of [
      { template, data: { url: long(6501) } },
      { subject: 'S', html: html.replace('{{url}}', long(6501)) },
    ]) {
      const { html: sent, target } = await sourceBodies(message as never);
      const [first = '', second = '', third = ''] = [...sent.matchAll(/href="([^"]*)"/g)].map(([, href]) =>
        (href as string).replaceAll('&#x3D;', '='),
      );
      expect([first, third]).toEqual([long(6500), long(6501)]);
      expect(await target(second)).toBe(long(5000));
    }
  });
});

describe('further query parameters', () => {
  const utm = { utm_source: 'news', utm_campaign: 'spring & co' };
  const added = 'utm_source=news&utm_campaign=spring+%26+co';

  it.each([
    ['https://e.org/?q=a%20b&flag&sig=a+b%2F', `https://e.org/?q=a%20b&flag&sig=a+b%2F&${added}`],
    ['https://e.org', `https://e.org?${added}`],
    ['https://e.org/x?#top?x', `https://e.org/x?${added}#top?x`],
    ['https://e.org/?a=1&#top', `https://e.org/?a=1&${added}#top`],
    ['https://e.org/é?ö=ü', `https://e.org/é?ö=ü&${added}`],
    ['https://e.org/?utm_source=own', 'https://e.org/?utm_source=own&utm_campaign=spring+%26+co'],
    ['https://e.org/?utm_source=own&utm_campaign', 'https://e.org/?utm_source=own&utm_campaign'],
  ])('come behind those of %s', (url, expected) => {
    expect(withUtm(url, utm)).toBe(expected);
  });

  it('leave all else as it is', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const [before = '', ...fragment] = url.split('#');
        const [after = '', ...same] = withUtm(url, utm).split('#');
        expect(same).toEqual(fragment);
        expect(after.startsWith(before)).toBe(true);
        expect(new URL(after).searchParams.get('utm_campaign')).toBe(utm.utm_campaign);
      }),
    );
  });
});
