import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { rewriteHtml } from '../../../packages/core/src/compose/links.ts';
import { type BulkOptions, defineTemplate, type MailRelay } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const BASE = 'https://mail.example.com/mail';

async function sent(
  relay: MailRelay,
  options: Partial<BulkOptions<string>>,
  to: object = {},
): Promise<{ html: string; text: string; source: string }> {
  await relay.sendMany([{ to: 'ada@example.com', ...to }], {
    campaign: 'c',
    subject: 'S',
    ...options,
  } as BulkOptions<string>);
  const [source = ''] = await capturedMails(relay, 1);
  const { html, text = '' } = await simpleParser(source);
  return { html: html || '', text, source };
}

async function target(relay: MailRelay, link: string): Promise<string | null | undefined> {
  const url = link.replaceAll('&amp;', '&');
  return (await relay.handle(new Request(url, { redirect: 'manual' })))?.headers.get('location');
}

const hrefs = (html: string): string[] => [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href as string);

const LINKS = [
  ['https://shop.example/?a=1&amp;b=2', 'https://shop.example/?a=1&b=2'],
  ['http://plain.example', 'http://plain.example'],
  ['https://shop.example/été?q=ö#x', 'https://shop.example/été?q=ö#x'],
] as const;
const ALONE = [
  'mailto:a@example.com',
  'tel:+33',
  '#top',
  'cid:logo',
  '/relative',
  'sms:1',
  'ftp://f.example/',
  '//host.example/',
  'javascript:void 0',
  '',
];
const BODY = `<body>${[...LINKS.map(([href]) => href), ...ALONE].map((href) => `<a href="${href}">x</a>`).join('')}<a data-track="off" href="https://private.example/">y</a></body>`;

describe('tracked links', () => {
  it.each(['a template', 'raw HTML'])('in %s lead to exactly their target; others are left alone', async (kind) => {
    const relay = relayWith({ templates: [defineTemplate({ name: 't', subject: 'S', html: BODY })] });
    const { html } = await sent(relay, kind === 'a template' ? { template: 't' } : { html: BODY, text: 'x' });
    const found = hrefs(html);
    expect(found.slice(LINKS.length)).toEqual([...ALONE, 'https://private.example/']);
    for (const [index, [, url]] of LINKS.entries()) {
      expect(found[index]).toMatch(new RegExp(`^${BASE}/c/`));
      expect(decodeURI((await target(relay, found[index] ?? '')) ?? '')).toBe(
        decodeURI(new URL(url).href === url ? url : encodeURI(url)),
      );
    }
    expect(html.match(new RegExp(`<img src="${BASE}/o/[^"]*"[^>]*></body>`, 'g'))).toHaveLength(1);
  });

  it('with values are signed as they are rendered', async () => {
    const source =
      '<a href="{{url}}">1</a><a href="https://a.example/{{id}}?q={{q}}">2</a><a href="{{mail}}">3</a><a href="{{unsubscribeUrl}}">4</a><a href="{{viewUrl}}">5</a>';
    const relay = relayWith({ templates: [defineTemplate({ name: 't', subject: 'S', html: source })] });
    const data = { url: 'https://b.example/?x=1&y=2', id: 7, q: '<"&>', mail: 'mailto:a@example.com' };
    const { html } = await sent(relay, { template: 't' }, { data });
    const [url = '', own = '', mail, unsubscribe, view] = hrefs(html);
    expect(await target(relay, url)).toBe(data.url);
    expect(decodeURIComponent((await target(relay, own)) ?? '')).toBe('https://a.example/7?q=<"&>');
    expect(mail).toBe(data.mail);
    expect([unsubscribe, view].map((link) => link?.slice(0, BASE.length + 3))).toEqual([`${BASE}/u/`, `${BASE}/v/`]);
  });

  it('of the relay, and its name for the recipient, win over data', async () => {
    const source =
      '<a href="{{unsubscribeUrl}}">1</a><a href="{{viewUrl}}">2</a><b>{{recipient.email}}, {{recipient.name}}</b>';
    const relay = relayWith({ templates: [defineTemplate({ name: 't', subject: 'S', html: source })], thread: false });
    const data = {
      unsubscribeUrl: 'https://evil.example/',
      viewUrl: 'https://evil.example/',
      recipient: { email: 'x', name: 'x' },
    };
    const to = { to: { address: 'ada@example.com', name: 'Ada' }, data };
    const { html } = await sent(relay, { template: 't', data }, to);
    expect(html).not.toContain('evil');
    expect(html).toContain('<b>ada@example.com, Ada</b>');
    expect(hrefs(html).map((link) => link.slice(0, BASE.length + 3))).toEqual([`${BASE}/u/`, `${BASE}/v/`]);
  });

  it('are in the text as well', async () => {
    const html = '<p><a href="https://a.example/x">A</a> <a href="{{url}}">B</a></p>';
    const relay = relayWith({ templates: [defineTemplate({ name: 't', subject: 'S', html })] });
    const { text } = await sent(relay, { template: 't' }, { data: { url: 'https://b.example/y?z=1' } });
    const links = text.match(/https:[^\s)]+/g) ?? [];
    expect(await Promise.all(links.map((link) => target(relay, link)))).toEqual([
      'https://a.example/x',
      'https://b.example/y?z=1',
    ]);
    const raw = relayWith();
    const plain = await sent(raw, { text: 'Look: https://c.example/a?b=1, or (https://d.example/).' });
    const found = plain.text.match(/https:[^\s),]+/g) ?? [];
    expect(await target(raw, found[0]?.replace(/[.,]$/, '') ?? '')).toMatch(/^https:\/\/c\.example\/a\?b=1/);
    expect(plain.text).not.toContain('c.example');
  });

  it('carry UTM parameters where asked, and keep those that they have', async () => {
    const relay = relayWith();
    const utm = { utm_source: 'news', utm_campaign: 'spring & co' };
    const body =
      '<a href="https://a.example/">1</a><a href="https://a.example/?utm_source=own#x">2</a><a href="mailto:a@b.c">3</a>';
    const { html } = await sent(relay, { html: body, text: 'x', tracking: { utm } });
    const [one = '', two = '', three] = hrefs(html);
    expect(await target(relay, one)).toBe('https://a.example/?utm_source=news&utm_campaign=spring+%26+co');
    expect(await target(relay, two)).toBe('https://a.example/?utm_source=own&utm_campaign=spring+%26+co#x');
    expect(three).toBe('mailto:a@b.c');
    const untracked = await sent(relayWith(), { html: body, text: 'x', tracking: { utm, clicks: false } });
    expect(hrefs(untracked.html)[0]).toBe('https://a.example/?utm_source=news&amp;utm_campaign=spring+%26+co');
  });
});

describe('switches of tracking', () => {
  const html = '<body><a href="https://a.example/">1</a></body>';
  const what = ({ html: body }: { html: string }): string =>
    `${body.includes('/mail/c/') ? 'clicks' : '-'} ${body.includes('/mail/o/') ? 'opens' : '-'}`;

  it('are per stream, per message and per recipient', async () => {
    expect(what(await sent(relayWith(), { html }))).toBe('clicks opens');
    expect(what(await sent(relayWith(), { html, stream: 'transactional' } as never))).toBe('- -');
    expect(what(await sent(relayWith({ tracking: { streams: { broadcast: { opens: false } } } }), { html }))).toBe(
      'clicks -',
    );
    expect(what(await sent(relayWith(), { html, tracking: { clicks: false } }))).toBe('- opens');
    expect(what(await sent(relayWith(), { html }, { tracking: false }))).toBe('- -');
    expect(what(await sent(relayWith(), { html }, { tracking: { opens: false } }))).toBe('clicks -');
  });

  it('leave mail that is not tracked to the byte', async () => {
    const { html: body } = await sent(relayWith(), { html, tracking: { clicks: false, opens: false } });
    expect(body.trimEnd()).toBe(html);
  });
});

describe('raw HTML', () => {
  const word = fc.string({
    unit: fc.constantFrom('a', 'é', ' ', '"', "'", '&', '&amp;', '<', '>', '=', '/', '\n', '{{x}}'),
    maxLength: 8,
  });
  const wellFormed = fc.constantFrom(
    '<!-- <a href="https://no.example/"> -->',
    '<script>var a = "<a href=\'https://no.example/\'>";</script>',
    '<style>a{color:red}</style>',
    '<!DOCTYPE html>',
    '<A HREF=https://up.example/a>u</A>',
    "<a title='>' href='https://one.example/?a=1&amp;b=2' class=x>o</a>",
    '<a\n  href = "https://two.example/"\n>t</a>',
    '<a href="mailto:x@y.example">m</a>',
    '<area href="https://area.example/">',
    '<link href="https://no.example/">',
    '<a data-track="off" href="https://no.example/">',
    '<p><br/></p><b>unclosed',
    '</body>',
  );

  /** Replaces every address by its number, and puts the addresses back. */
  function thereAndBack(html: string): { restored: string; links: string[] } {
    const links: string[] = [];
    const rewritten = rewriteHtml(html, (href) => `link-${links.push(href) - 1}-link`, '<pixel>');
    expect(rewritten.split('<pixel>')).toHaveLength(2);
    const restored = rewritten
      .replace('<pixel>', '')
      .replace(/link-(\d+)-link/g, (_, index) => links[Number(index)] ?? '');
    return { restored, links };
  }

  it('stays the same to the byte but for the addresses and the pixel, however broken it is', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(word, wellFormed, fc.constant('<![CDATA[x]]>')), { maxLength: 15 }), (pieces) => {
        expect(thereAndBack(pieces.join('')).restored).toBe(pieces.join(''));
      }),
      { numRuns: 1000 },
    );
  });

  it('has no other addresses rewritten than those of links that are tracked', () => {
    fc.assert(
      fc.property(fc.array(wellFormed, { maxLength: 15 }), (pieces) => {
        const { links } = thereAndBack(pieces.join(''));
        expect(links.join(' ')).not.toContain('no.example');
        const expected = pieces.filter((one) => /^<(?:A|a|area)\b/.test(one) && !one.includes('data-track'));
        expect(links).toHaveLength(expected.length);
      }),
    );
  });

  it('finds the links that a browser would find', () => {
    const found: string[] = [];
    rewriteHtml(
      '<A HREF=https://up.example/a>u</A><a title=\'>\' href=\'https://one.example/\'>o</a><a\n href = "https://two.example/"\n>t</a><area href="https://area.example/">',
      (href) => void found.push(href) as undefined,
      '',
    );
    expect(found).toEqual([
      'https://up.example/a',
      'https://one.example/',
      'https://two.example/',
      'https://area.example/',
    ]);
  });
});
