import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../packages/core/src/clock.ts';
import { createComposer } from '../../../packages/core/src/compose/composer.ts';
import { createMessageIds } from '../../../packages/core/src/compose/message-id.ts';
import { resolveDkim } from '../../../packages/core/src/dkim-options.ts';
import { defineTemplate, type MailRelay } from '../../../packages/core/src/index.ts';
import type { Content } from '../../../packages/core/src/message.ts';
import { createTokens } from '../../../packages/core/src/token.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { relayWith } from '../../support/relay.ts';

const LIMIT = 100_000;
const TEMPLATE =
  '<p>{{name}} {{#each words}}{{this}} <a href="https://a.example/{{@index}}">x</a>{{/each}} <a href="{{unsubscribeUrl}}">u</a> <a href="{{viewUrl}}">v</a></p>';

/** A composer with a limit, and the attachments that it finds. */
async function composerWith(maxMessageBytes: number, files: readonly Buffer[] = []) {
  const tokens = createTokens(['a secret of enough length']);
  const blobs = new Map(files.map((file) => [hashOf(file), file as Uint8Array]));
  const composer = createComposer({
    folders: [],
    declared: [{ name: 't', format: 'html', source: TEMPLATE, subject: '{{name}}', text: undefined }],
    watch: false,
    tokens,
    linkBase: 'https://mail.example.com/mail',
    messageIdOf: createMessageIds(tokens),
    maxMessageBytes,
    dkim: resolveDkim(undefined, {}),
    clock: systemClock,
    log() {},
    blobs: { get: async (_, key) => blobs.get(key), put: async (_, key, bytes) => void blobs.set(key, bytes) },
  });
  await composer.start();
  return composer;
}

const hashOf = (file: Buffer): string => createHash('sha256').update(file).digest('hex');
const delivery = { id: 7, messageId: 5, acceptedAt: 0, sentAt: undefined };

const words = fc.string({ unit: fc.constantFrom('a', 'é', '=', ' ', '\n', '字', '🌷', '<', '&'), maxLength: 60 });
const link = fc.constant('<a href="https://shop.example/a?b=c">x</a> https://shop.example/d ');
const body = fc.array(fc.oneof(words, link), { maxLength: 30 }).map((parts) => parts.join(''));
const file = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
const mail = fc.record({
  html: fc.option(body, { nil: undefined }),
  text: body,
  subject: words.map((text) => text.replaceAll('\n', ' ')),
  data: fc.option(fc.record({ name: words, words: fc.array(words, { maxLength: 20 }) }), { nil: undefined }),
  files: fc.array(fc.tuple(file, fc.constantFrom(undefined, 'quoted-printable', 'base64')), { maxLength: 2 }),
  others: fc.array(fc.tuple(file, fc.constantFrom(undefined, 'REQUEST')), { maxLength: 1 }),
  tracking: fc.record({
    opens: fc.boolean(),
    clicks: fc.boolean(),
    utm: fc.constantFrom(undefined, { utm_source: 'é & ü' }),
  }),
  stream: fc.constantFrom('transactional' as const, 'broadcast' as const),
});

function contentFor(
  { html, text, subject, data, files, others, tracking, stream }: MailShape,
  version: string,
): Content {
  return contentOf({
    ...(data === undefined ? { html, text, subject } : { template: 't', version, subject: undefined, text: undefined }),
    tracking,
    stream,
    attachments: files.map(([bytes, contentTransferEncoding]) => ({
      hash: hashOf(bytes),
      bytes: bytes.length,
      filename: 'a.txt',
      contentType: undefined,
      contentDisposition: undefined,
      cid: undefined,
      contentTransferEncoding: contentTransferEncoding as 'base64' | undefined,
      headers: undefined,
    })),
    alternatives: others.map(([bytes, method]) => ({
      hash: hashOf(bytes),
      bytes: bytes.length,
      contentType: method === undefined ? 'text/x-own' : 'text/calendar',
      filename: 'b',
      method,
    })),
  });
}

/** A route that marks links makes them longer. */
const demands = fc.constantFrom(undefined, { head: '', maxBytes: undefined, linkMark: 'ses:no-track' });

type MailShape = typeof mail extends fc.Arbitrary<infer T> ? T : never;

describe('a mail that is accepted', () => {
  it('is never too large when it is composed, and one that is refused nearly is', async () => {
    await fc.assert(
      fc.asyncProperty(mail, demands, fc.double({ min: 0.8, max: 3, noNaN: true }), async (shape, asked, share) => {
        const files = [...shape.files, ...shape.others].map(([bytes]) => bytes);
        const open = await composerWith(Number.MAX_SAFE_INTEGER, files);
        const content = contentFor(shape, open.version('t'));
        const recipient = { ...recipientOf('ada@example.com'), data: shape.data };
        const { raw } = await open.compose(content, { ...recipient, ...delivery }, asked);
        const limited = await composerWith(Math.floor(raw.length * share), files);
        const accepted = await limited.check({ ...content }, recipient, asked).then(
          () => true,
          (error: { code?: string }) => {
            expect(error.code).toBe('MESSAGE_TOO_LARGE');
            return false;
          },
        );
        if (accepted) await limited.compose(content, { ...recipient, ...delivery }, asked);
        // What is not known yet, such as numbers and what attachments look like, is taken to be at its longest.
        else if (files.length === 0) expect(share).toBeLessThan(1.3);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

describe('a mail that is too large', () => {
  const big = 'é'.repeat(40_000);
  const templates = [
    defineTemplate({ name: 't', subject: 'S', html: '<p>{{text}}</p>' }),
    defineTemplate({ name: 'f', render: ({ text }: { text: string }) => ({ subject: 'S', text }) }),
  ];
  const limited = (): MailRelay =>
    relayWith({ thread: false, templates, limits: { maxMessageBytes: LIMIT }, queue: { deliver: false } });

  it.each<[string, object]>([
    ['raw', { text: big }],
    ['raw in HTML', { html: `<p>${big}</p>` }],
    ['a template', { template: 't', data: { text: big } }],
    ['a function as a template', { template: 'f', data: { text: big } }],
    ['its attachment', { text: 'x', attachments: [{ filename: 'a', content: Buffer.alloc(80_000) }] }],
    ['its calendar', { text: 'x', icalEvent: 'x'.repeat(60_000) }],
  ])('is refused as it is sent: %s', async (_, message) => {
    const relay = limited();
    await expect(relay.send({ to: 'ada@example.com', subject: 'S', ...message } as never)).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
    expect((await relay.messages.list()).items).toEqual([]);
  });

  it('is taken where it just fits', async () => {
    const relay = limited();
    await relay.send({ to: 'ada@example.com', subject: 'S', text: 'x\n'.repeat(30_000) });
    const attachments = [{ filename: 'a', content: Buffer.alloc(70_000) }];
    await relay.send({ to: 'ada@example.com', subject: 'S', text: 'x', attachments });
    expect((await relay.messages.list()).items).toHaveLength(2);
  });

  it.each(['t', 'f'])('is reported with its index by sendMany(): %s', async (template) => {
    const people = ['short', big, 'short'].map((text, index) => ({ to: `r${index}@example.com`, data: { text } }));
    const { rejections, accepted } = await limited().sendMany(people, { template });
    expect(accepted).toBe(2);
    expect(rejections).toMatchObject([{ index: 1, code: 'MESSAGE_TOO_LARGE' }]);
  });
});
