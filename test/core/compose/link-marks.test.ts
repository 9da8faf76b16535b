import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../packages/core/src/clock.ts';
import { createComposer } from '../../../packages/core/src/compose/composer.ts';
import { rewriteHtml } from '../../../packages/core/src/compose/links.ts';
import { createMessageIds } from '../../../packages/core/src/compose/message-id.ts';
import type { RouteDemands } from '../../../packages/core/src/compose/port.ts';
import { resolveDkim } from '../../../packages/core/src/dkim-options.ts';
import type { Content } from '../../../packages/core/src/message.ts';
import type { StoredDelivery } from '../../../packages/core/src/store/port.ts';
import { createTokens } from '../../../packages/core/src/token.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { RSA } from '../../support/dkim.ts';

const MARK = 'ses:no-track';
const PLAIN: RouteDemands = { head: '', maxBytes: undefined };
const MARKING: RouteDemands = { ...PLAIN, linkMark: MARK };
const BOTH = { opens: true, clicks: true, utm: undefined };
const HTML =
  '<body><a href="https://a.example/1">1</a><A class=x HREF=\'https://a.example/2\'>2</A><a href=https://a.example/3>3</a><a href="{{unsubscribeUrl}}">u</a><a href="{{viewUrl}}">v</a><a data-track="off" href="https://a.example/4">4</a><a href="mailto:ada@example.com">m</a><a name="top">t</a><map name="m"><area href="https://a.example/5"></map></body>';
/** How many of the links above lead to the web. */
const WEB = 6;

/** A composer with the template, which counts how often it signs a link. */
async function composing({ signs = false, bodies = {} }: { signs?: boolean; bodies?: Partial<Content> } = {}) {
  const tokens = createTokens(['a secret of enough length']);
  let signed = 0;
  const counting: typeof tokens = {
    ...tokens,
    link(...link) {
      signed += 1;
      return tokens.link(...link);
    },
  };
  const keys = signs ? [{ domain: 'example.com', selector: 's1', privateKey: RSA }] : [];
  const blobs = new Map<string, Uint8Array>();
  const composer = createComposer({
    folders: [],
    declared: [{ name: 't', format: 'html', source: HTML, subject: 'Hello', text: undefined }],
    watch: false,
    tokens: counting,
    linkBase: 'https://mail.example.com/mail',
    messageIdOf: createMessageIds(tokens),
    maxMessageBytes: Number.MAX_SAFE_INTEGER,
    dkim: resolveDkim({ keys }, {}),
    clock: systemClock,
    log() {},
    blobs: { get: async (_, key) => blobs.get(key), put: async (_, key, bytes) => void blobs.set(key, bytes) },
  });
  await composer.start();
  const content = contentOf({ stream: 'broadcast', tracking: BOTH, ...bodies });
  const filled =
    bodies.html === undefined
      ? { ...content, template: 't', version: composer.version('t'), text: undefined }
      : content;
  return {
    signed: () => signed,
    view: (id: number) => composer.view(filled, deliveryOf(id)),
    compose: async (id: number, demands?: RouteDemands, own: Partial<StoredDelivery> = {}): Promise<string> =>
      (await composer.compose(filled, { ...deliveryOf(id), ...own }, demands)).raw.toString(),
  };
}

function deliveryOf(id: number): StoredDelivery {
  return { ...recipientOf(`r${id}@example.com`), id, messageId: 5, acceptedAt: 0, sentAt: undefined };
}

const count = (source: string): number => source.split(MARK).length - 1;
const unmarked = (source: string): string => source.replaceAll(` ${MARK}`, '');
const htmlOf = async (source: string): Promise<string> => (await simpleParser(source)).html || '';

const kinds: [string, Partial<Content>][] = [
  ['a template', {}],
  ['raw HTML', { html: HTML, text: 'See https://a.example/1' }],
];

describe.each(kinds)('the links of %s', (_, bodies) => {
  it('are marked for routes that want it, those that are not tracked as well, and are otherwise the same', async () => {
    const { compose } = await composing({ bodies });
    for (const id of [1, 2, 3]) {
      const plain = await compose(id);
      expect(count(plain)).toBe(0);
      expect(await compose(id, PLAIN)).toBe(plain);
      const marked = await htmlOf(await compose(id, MARKING));
      expect(count(marked)).toBe(WEB);
      expect(unmarked(marked)).toBe(await htmlOf(plain));
      for (const [tag] of marked.matchAll(/<a [^>]*href=["']?https:[^>]*>/gi))
        expect(tag).toMatch(/^<a ses:no-track /i);
      expect(marked).toMatch(/<a ses:no-track href="https:\/\/mail\.example\.com\/mail\/u\//);
      expect(marked).toContain('<a href="mailto:ada@example.com">');
      expect(marked).toContain('<area href="https://mail.example.com/mail/c/');
    }
  });

  it('are marked in the HTML alone', async () => {
    const { compose } = await composing({ bodies });
    const { text, html } = await simpleParser(await compose(1, MARKING));
    expect([count(text ?? ''), count(html || '')]).toEqual([0, WEB]);
  });

  it('lose the mark on another route, and have it again on the one before', async () => {
    const { compose } = await composing({ bodies });
    const sources = [await compose(1, MARKING), await compose(1, PLAIN), await compose(1, MARKING), await compose(1)];
    expect(sources[2]).toBe(sources[0]);
    expect(sources[3]).toBe(sources[1]);
    expect(sources.map((source) => source.includes(MARK))).toEqual([true, false, true, false]);
  });

  it('are prepared once for all recipients, and once more for all whose route wants marks', async () => {
    const { compose, signed } = await composing({ bodies });
    await compose(1, PLAIN);
    const once = signed();
    for (const id of [2, 3, 4]) await compose(id, PLAIN);
    expect(signed()).toBe(once);
    // Addresses of the relay's own are signed as they are rendered, and are no links that are tracked.
    for (const id of [1, 2, 3, 4]) await compose(id, MARKING);
    expect(signed()).toBe(2 * once);
  });

  it('are not marked where their clicks are not tracked, by the message or by the recipient', async () => {
    const utm = { utm_source: 'news' };
    for (const tracking of [
      { opens: true, clicks: false, utm: undefined },
      { opens: false, clicks: false, utm },
    ]) {
      const { compose } = await composing({ bodies: { ...bodies, tracking } });
      expect(await compose(1, MARKING)).toBe(await compose(1));
      expect(count(await compose(1, MARKING, { tracking: { clicks: true } }))).toBe(WEB);
    }
    const { compose } = await composing({ bodies });
    expect(count(await compose(1, MARKING, { tracking: { clicks: false } }))).toBe(0);
  });

  it('are not marked in a mail that is signed: its signature would break as the mark is taken out', async () => {
    const { compose } = await composing({ bodies, signs: true });
    const source = await compose(1, MARKING);
    expect(source).toMatch(/^DKIM-Signature: /);
    expect(count(source)).toBe(0);
  });

  it('are not marked on the page that shows the mail', async () => {
    const { compose, view } = await composing({ bodies });
    await compose(1, MARKING);
    expect(count((await view(1)) ?? '')).toBe(0);
  });
});

describe('the mark of a link', () => {
  const marked = (html: string): string => rewriteHtml(html, () => 'https://r.example/', '', { mark: MARK });

  it.each([
    ['<a href="https://a.example/">', '<a ses:no-track href="https://r.example/">'],
    ["<a href='https://a.example/'>", "<a ses:no-track href='https://r.example/'>"],
    ['<a href=https://a.example/>', '<a ses:no-track href=https://r.example/>'],
    ['<A\n  title=">" href = "https://a.example/"\n>', '<A ses:no-track\n  title=">" href = "https://r.example/"\n>'],
    ['<a/href="https://a.example/"/>', '<a ses:no-track/href="https://r.example/"/>'],
    ['<a href=" HTTPS&#58;//a.example/">', '<a ses:no-track href="https://r.example/">'],
    ['<a href="{{url}}">', '<a ses:no-track href="https://r.example/">'],
    ['<a data-track="off" href="https://a.example/">', '<a ses:no-track data-track="off" href="https://a.example/">'],
  ])('stands right behind the name: %s', (html, expected) => {
    expect(marked(`<p>${html}x</a></p>`)).toBe(`<p>${expected}x</a></p>`);
  });

  it.each([
    '<area href="https://a.example/">',
    '<a ses:no-track href="https://a.example/">',
    '<a href="https://a.example/" SES:NO-TRACK>',
  ])('is not written where it is not known, or is there: %s', (html) => {
    expect(marked(html)).toBe(html.replace('https://a.example/', 'https://r.example/'));
  });

  it.each([
    '<a href="mailto:ada@example.com">',
    '<a href="#top">',
    '<a href="">',
    '<a name="x">',
    '<!-- <a href="https://a.example/"> -->',
    '<link href="https://a.example/">',
  ])('is not written on what leads nowhere on the web: %s', (html) => {
    expect(rewriteHtml(html, () => undefined, '', { mark: MARK })).toBe(html);
  });
});
