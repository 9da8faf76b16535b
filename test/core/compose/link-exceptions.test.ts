import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { decodeAttribute } from '../../../packages/core/src/compose/links.ts';
import { type BulkOptions, defineTemplate, type MailRelay } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const BASE = 'https://mail.example.com/mail';

interface Bodies {
  readonly html: string;
  readonly text: string;
}

async function sent(relay: MailRelay, options: Partial<BulkOptions>, data?: object): Promise<Bodies> {
  const recipient = data === undefined ? 'ada@example.com' : { to: 'ada@example.com', data };
  await relay.sendMany([recipient], { campaign: 'c', ...options } as BulkOptions);
  const { html, text = '' } = await simpleParser((await capturedMails(relay, 1))[0] ?? '');
  return { html: html || '', text };
}

function withTemplate(html: string, text?: string): MailRelay {
  return relayWith({ thread: false, templates: [defineTemplate({ name: 't', subject: 'S', html, text })] });
}

async function target(relay: MailRelay, link = ''): Promise<string | null | undefined> {
  const url = link.replaceAll('&amp;', '&');
  return (await relay.handle(new Request(url, { redirect: 'manual' })))?.headers.get('location');
}

const hrefs = (html: string): string[] => [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href as string);

describe('links with data-track="off"', () => {
  const html =
    '<a data-track="off" href="https://private.example/?a=1&amp;b=2">P</a> <a href="https://shop.example/">S</a>';

  it('are left alone also in the text that is derived', async () => {
    const { html: body, text } = await sent(withTemplate(html), { template: 't' });
    expect(hrefs(body)[0]).toBe('https://private.example/?a=1&amp;b=2');
    expect(text).toContain('(https://private.example/?a=1&b=2)');
    expect(text).not.toContain('shop.example');
  });

  it('are left alone also in a text that the host wrote, with a template and without', async () => {
    const text = 'P: https://private.example/?a=1&b=2. S: https://shop.example/';
    for (const bodies of [
      await sent(withTemplate(html, text), { template: 't' }),
      await sent(relayWith({ thread: false }), { subject: 'S', html, text }),
    ]) {
      expect(bodies.text).toContain('https://private.example/?a=1&b=2.');
      expect(bodies.text).not.toContain('shop.example');
    }
  });

  it('are left alone also where their address is a value', async () => {
    const source = '<a data-track="off" href="{{url}}">P</a> <a data-track="off" href="https://p.example/{{id}}">Q</a>';
    const { text } = await sent(withTemplate(source), { template: 't' }, { url: 'https://private.example/', id: 7 });
    expect(text).toBe('P (https://private.example/) Q (https://p.example/7)');
  });
});

describe('links to the relay itself', () => {
  const OWN = [
    '{{unsubscribeUrl}}',
    '{{{unsubscribeUrl}}}',
    '{{@root.unsubscribeUrl}}',
    '{{#each people}}{{../unsubscribeUrl}}{{/each}}',
    '{{#with person}}{{@root.viewUrl}}{{/with}}',
    '{{unsubscribeUrl}}?x=1',
    '{{viewUrl}}#top',
    `${BASE}/health`,
  ];
  const data = { people: ['ada'], person: { name: 'Ada' } };

  it.each(OWN)('are left alone in a template: %s', async (address) => {
    const relay = withTemplate(`<a href="${address}">here</a>`, `Here: ${address}`);
    const { html, text } = await sent(relay, { template: 't' }, data);
    for (const link of [hrefs(html)[0], text.slice(6)]) expect(link).toMatch(new RegExp(`^${BASE}/(?:u|v|health)`));
  });

  it('are left alone in mail without a template', async () => {
    const link = `${BASE}/u/token`;
    const { html, text } = await sent(relayWith({ thread: false }), {
      subject: 'S',
      html: `<a href="${link}">x</a> <a href="https://mail.example.com/mailing">y</a>`,
      text: `Unsubscribe: ${link}, or read https://mail.example.com/mailing.`,
    });
    expect(hrefs(html)[0]).toBe(link);
    expect(text).toContain(`Unsubscribe: ${link}, or`);
    for (const body of [html, text]) expect(body).not.toContain('/mailing');
  });
});

describe('the address of a link', () => {
  it.each([
    ['https://a.example/?x=1&#38;y=2', 'https://a.example/?x=1&y=2'],
    ['https://a.example/?x=1&#x26;y=2', 'https://a.example/?x=1&y=2'],
    ['https://a.example/?x=1&amp;y=2', 'https://a.example/?x=1&y=2'],
    ['https://a.example/?x=1&y=2', 'https://a.example/?x=1&y=2'],
    ['https://a.example/?x=1&copy=2&notit=3', 'https://a.example/?x=1&copy=2&notit=3'],
    ['https&colon;&sol;&sol;a.example/&eacute;t&eacute;', 'https://a.example/été'],
    ['https://a.example/&amp;amp;', 'https://a.example/&amp;'],
    ['\n https://a.example/?q=&quot;&#39;&lt; ', 'https://a.example/?q="\'<'],
  ])('is read as a browser reads it: %j', async (href, url) => {
    expect(decodeAttribute(href)).toBe(url);
    for (const [relay, options] of [
      [withTemplate(`<a href="${href}">x</a>`), { template: 't' }],
      [relayWith({ thread: false }), { subject: 'S', html: `<a href="${href}">x</a>` }],
    ] as const) {
      const { html } = await sent(relay, options);
      const location = await target(relay, hrefs(html)[0]);
      expect(location && new URL(location).href).toBe(new URL(url).href);
    }
  });

  it('in a text ends before the mark that ends the sentence', async () => {
    const relay = relayWith({ thread: false });
    const { text } = await sent(relay, { subject: 'S', text: 'See https://a.example/x?y=1. Or https://b.example/!' });
    const links = text.match(/https:\S+[^\s.!]/g) ?? [];
    expect(await Promise.all(links.map((link) => target(relay, link)))).toEqual([
      'https://a.example/x?y=1',
      'https://b.example/',
    ]);
    expect(text).toMatch(/\. Or .*!\s*$/);
  });
});
