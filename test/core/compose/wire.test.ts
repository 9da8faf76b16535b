import fc from 'fast-check';
import { type AddressObject, simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { parseMailboxes } from '../../../packages/core/src/address.ts';
import { createComposeMime } from '../../../packages/core/src/compose/mime/compose.ts';
import type { WrittenMail } from '../../../packages/core/src/compose/mime/parts.ts';
import type { Content, SpooledAttachment } from '../../../packages/core/src/message.ts';
import { listHeaders, readHeaders } from '../../../packages/core/src/submit/headers.ts';
import type { MessageFields } from '../../../packages/core/src/submit/input.ts';
import { messageIds } from '../../../packages/core/src/submit/message-ids.ts';
import { contentOf } from '../../support/content.ts';

interface Given extends Partial<Content> {
  readonly html?: string;
  readonly text?: string;
  readonly files?: readonly { readonly bytes: string | Buffer; readonly is: Partial<SpooledAttachment> }[];
}

async function written({
  html,
  text,
  subject = 'Hello',
  files = [],
  to = [],
  ...content
}: Given): Promise<WrittenMail> {
  const blobs = new Map(files.map(({ bytes }, index) => [String(index), Buffer.from(bytes as string)]));
  const attachments = files.map(
    ({ is }, index): SpooledAttachment => ({
      hash: String(index),
      bytes: 0,
      filename: `file${index}`,
      contentType: undefined,
      contentDisposition: undefined,
      cid: undefined,
      contentTransferEncoding: undefined,
      headers: undefined,
      ...is,
    }),
  );
  return createComposeMime({ get: async (_kind, hash) => blobs.get(hash) })({
    content: contentOf({ ...content, attachments: [...attachments, ...(content.attachments ?? [])] }),
    to,
    subject: subject ?? '',
    html,
    text,
    messageId: '<1@example.com>',
    date: 0,
    boundary: 'b0undary',
    headers: [],
  });
}

/** What RFC 5321 and RFC 5322 ask of the bytes of every mail. */
function expectFit({ raw, eightBit }: WrittenMail): void {
  const source = raw.toString('latin1');
  expect(source.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/);
  expect(Math.max(...source.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  const head = source.slice(0, source.indexOf('\r\n\r\n'));
  for (const line of head.split('\r\n')) expect(line).toMatch(/^[\x21-\x39\x3b-\x7e]+:|^[ \t]+\S/);
  if (!eightBit) expect(source.slice(head.length)).not.toMatch(/[\x80-\xff]/);
}

const boxes = (list: AddressObject | AddressObject[] | undefined): unknown =>
  [list ?? []].flat().flatMap(({ value }) => value.map(({ name, address }) => [name, address]));
const lines = (body: string | false | undefined): string => (body || '').replace(/\r\n|\r|\n/g, '\n').trimEnd();

const character = fc.constantFrom(
  'a',
  'B',
  '7',
  ' ',
  '  ',
  '\t',
  'é',
  '日',
  '🌷',
  '"',
  '\\',
  "'",
  ',',
  ';',
  '<',
  '(',
  '=?',
  '?=',
  '=',
  '-',
  'x'.repeat(90),
);
const oneLine = fc
  .string({ unit: character, minLength: 1, maxLength: 40 })
  .map((text) => text.replace(/\s+/g, ' ').trim())
  .filter((text) => text !== '');
const body = fc.string({
  unit: fc.constantFrom('a', '.', '\n', '\r', '\r\n', 'é', '=', '--', ' ', '\0', '--b0undary', 'x'.repeat(500)),
  maxLength: 60,
});
const name = oneLine
  .map((text) => [...text].slice(0, 60).join('').replace(/[\t=]/g, '').slice(0, 280).trim())
  .filter((text) => text !== '' && text.isWellFormed());

describe('every mail', () => {
  it('has lines of at most 998 octets that end with CRLF, and reads back as it went in', async () => {
    const mail = fc.record({
      subject: oneLine,
      names: fc.array(name, { minLength: 1, maxLength: 40 }),
      html: fc.option(body, { nil: undefined }),
      text: body,
      priority: fc.constantFrom('high' as const, 'low' as const, undefined),
      file: fc.option(fc.record({ bytes: body, filename: oneLine }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(mail, async ({ names, html, file, ...rest }) => {
        const cc = names.flatMap((one, index) =>
          parseMailboxes({ name: one, address: `cc${index}@example.com` }, 'cc'),
        );
        const files = file === undefined ? [] : [{ bytes: file.bytes, is: { filename: file.filename } }];
        const mail = await written({
          ...rest,
          ...(html === undefined ? {} : { html: `<p>${html}</p>` }),
          text: `t${rest.text}`,
          cc,
          files,
        });
        expectFit(mail);
        const parsed = await simpleParser(mail.raw);
        expect(parsed.subject).toBe(rest.subject);
        expect(boxes(parsed.cc)).toEqual(cc.map((one) => [one.name, one.address]));
        if (html !== undefined) expect(lines(parsed.html)).toBe(lines(`<p>${html}</p>`));
        expect(lines(parsed.text)).toBe(lines(`t${rest.text}`));
        if (file !== undefined) expect(parsed.attachments[0]?.content).toEqual(Buffer.from(file.bytes));
      }),
      { numRuns: 150 },
    );
  });

  it('has fit lines whatever its attachments are and ask for', async () => {
    const bytes = fc.string({
      unit: fc.constantFrom('a', '\n', '\r', '\r\n', '\0', 'é', 'x'.repeat(500), '\r\nSubject: x\r\n\r\n'),
      maxLength: 12,
    });
    const is = fc.record({
      contentType: fc.constantFrom(
        'message/rfc822',
        'message/delivery-status',
        'text/plain',
        'text/csv; charset=utf-8',
        'application/x-own',
        'multipart/mixed',
        'image/png',
      ),
      contentTransferEncoding: fc.constantFrom(
        '7bit' as const,
        'base64' as const,
        'quoted-printable' as const,
        undefined,
      ),
      contentDisposition: fc.constantFrom('inline' as const, 'attachment' as const, undefined),
      cid: fc.constantFrom('logo@example.com', undefined),
      filename: fc.option(oneLine, { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(bytes, is, fc.constantFrom('high' as const, undefined), async (content, one, priority) => {
        expectFit(await written({ text: 'x', html: '<p>x</p>', priority, files: [{ bytes: content, is: one }] }));
      }),
      { numRuns: 200 },
    );
  });

  it('has an attached message as it is where SMTP can take it, and as a file where not', async () => {
    const attached = async (bytes: string): Promise<WrittenMail> => {
      const mail = await written({
        text: 'x',
        files: [{ bytes, is: { contentType: 'message/rfc822', filename: 'original' } }],
      });
      expectFit(mail);
      return mail;
    };
    const ascii = await attached('Subject: a\n\nb\n');
    expect([ascii.eightBit, ascii.raw.toString()]).toEqual([
      false,
      expect.stringContaining('\r\n\r\nSubject: a\r\n\r\nb\r\n'),
    ]);
    const accents = await attached('Subject: été\r\n\r\né\r\n');
    expect([accents.eightBit, accents.raw.toString()]).toEqual([
      true,
      expect.stringContaining('Content-Transfer-Encoding: 8bit'),
    ]);
    for (const bytes of [`Subject: a\r\n\r\n${'x'.repeat(999)}`, 'Subject: a\r\n\r\n\0'])
      expect((await simpleParser((await attached(bytes)).raw)).attachments).toMatchObject([
        { contentType: 'application/octet-stream', filename: 'original', content: Buffer.from(bytes) },
      ]);
  });

  it('has calendars and alternatives with fit lines', async () => {
    const blobs = new Map([
      ['ics', Buffer.from('BEGIN:VCALENDAR\nSUMMARY:é\rx\nEND:VCALENDAR\n')],
      ['amp', Buffer.from(`<html amp4email>\n${'x'.repeat(2000)}\0</html>`)],
    ]);
    const alternatives = [
      { hash: 'ics', bytes: 1, contentType: 'text/calendar', filename: 'invite.ics', method: 'REQUEST' },
      { hash: 'amp', bytes: 1, contentType: 'text/x-amp-html', filename: undefined, method: undefined },
    ];
    const compose = createComposeMime({ get: async (_kind, hash) => blobs.get(hash) });
    const base = {
      to: [],
      subject: 'S',
      html: '<p>x</p>',
      text: 'a\rb',
      messageId: '<1@example.com>',
      date: 0,
      boundary: 'b',
      headers: [],
    };
    expectFit(await compose({ ...base, content: contentOf({ alternatives, priority: 'high' }) }));
  });
});

describe('headers', () => {
  const source = async (content: Given): Promise<string> => {
    const mail = await written({ text: 'x', ...content });
    expectFit(mail);
    return mail.raw.toString();
  };

  it('of any length are folded between words', async () => {
    const value = 'word '.repeat(1000).trim();
    const parsed = await simpleParser(await source({ headers: readHeaders({ 'X-Own': value }) }));
    expect(parsed.headers.get('x-own')).toBe(value);
    const references = Array.from({ length: 200 }, (_, index) => `<${index}${'x'.repeat(60)}@example.com>`);
    expect((await simpleParser(await source({ references }))).references).toEqual(references);
  });

  it('that no line can hold are refused', () => {
    const refused = expect.objectContaining({ code: 'HEADER_INVALID' });
    expect(() => readHeaders({ 'X-Own': `a ${'x'.repeat(901)}` })).toThrow(refused);
    expect(() => readHeaders({ 'X-Own': `a${' '.repeat(900)}b` })).toThrow(refused);
    expect(readHeaders({ 'X-Own': 'x'.repeat(900) })).toHaveLength(1);
    expect(() => messageIds(`<${'x'.repeat(899)}>`, 'messageId')).toThrow(refused);
    expect(() => messageIds('<été@example.com>', 'messageId')).toThrow(refused);
    expect(messageIds(`<${'x'.repeat(898)}>`, 'messageId')).toHaveLength(1);
  });

  it('of lists have their identifier and address as they are, beside comments with accents', async () => {
    const list: NonNullable<MessageFields['list']> = {
      id: { url: 'news.example.com', comment: "Nouvelles de l'été" },
      help: { url: 'mailto:help@example.com', comment: 'où ça' },
    };
    const mail = await source({ headers: listHeaders(list) });
    expect(mail).toMatch(/^List-ID: .*<news\.example\.com>\r$/m);
    expect(mail).toMatch(/^List-Help: <mailto:help@example\.com> \(=\?UTF-8\?B\?\S+\?=\)\r$/m);
    expect((await simpleParser(mail)).headers.get('list')).toMatchObject({ id: { id: 'news.example.com' } });
  });

  it('of lists have no other address than their own, whatever the comment is', () => {
    const comment = 'a) <http://evil.example> (b';
    expect(listHeaders({ help: { url: 'x@example.com', comment }, id: { url: 'a.example', comment } })).toEqual([
      ['List-Help', '<mailto:x@example.com> (a\\) <http://evil.example> \\(b)'],
      ['List-ID', 'a) http://evil.example (b <a.example>'],
    ]);
  });
});
