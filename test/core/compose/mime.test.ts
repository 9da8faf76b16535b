import fc from 'fast-check';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { createComposeMime } from '../../../packages/core/src/compose/mime/compose.ts';
import type { MailParts } from '../../../packages/core/src/compose/mime/parts.ts';
import type { Content, SpooledAttachment } from '../../../packages/core/src/message.ts';
import { contentOf } from '../../support/content.ts';
import { composedByNodemailer } from './nodemailer.ts';

const FILES = new Map<string, Buffer>([
  ['pdf', Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 256))],
  ['csv', Buffer.from('name;city\nJosé;Évian\n')],
]);
const attachments = { get: async (_kind: string, hash: string) => FILES.get(hash) };

function attachment(hash: string, over: Partial<SpooledAttachment> = {}): SpooledAttachment {
  const bytes = FILES.get(hash)?.length ?? 0;
  const base = { hash, bytes, filename: `file.${hash}`, contentType: undefined, contentDisposition: undefined };
  return { ...base, cid: undefined, contentTransferEncoding: undefined, headers: undefined, ...over };
}

function mailOf(content: Partial<Content> = {}, over: Partial<MailParts> = {}): MailParts {
  return {
    content: contentOf({ individually: true, ...content }),
    to: [{ address: 'anna@example.com', name: 'Anna' }],
    subject: 'Spring is here',
    html: '<h1>Hello</h1>\r\n<p>Spring</p>',
    text: 'Hello\r\n\r\nSpring',
    messageId: '<1.abc@example.com>',
    date: Date.UTC(2026, 2, 1, 9, 30),
    boundary: 'b0undary',
    headers: [
      ['List-Unsubscribe', '<https://mail.example.com/mail/u/abc>'],
      ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
    ],
    ...over,
  };
}

/** The mail, the same by MailComposer, and whether ours came out of a skeleton. */
async function bothWays(parts: MailParts): Promise<{ own: Buffer; theirs: Buffer; filled: boolean }> {
  const { raw } = await createComposeMime(attachments)(parts);
  return { own: raw, theirs: await composedByNodemailer(parts, attachments), filled: !raw.includes('NmP') };
}

/** Content types as they nest, read from the source: `multipart/mixed[text/plain,application/pdf]`. */
function treeOf(source: string): string {
  const [head = '', ...rest] = source.split('\r\n\r\n');
  const type = /^content-type:\s*([\w.+-]+\/[\w.+-]+)/im.exec(head)?.[1]?.toLowerCase() ?? 'text/plain';
  const boundary = /boundary="?([^";\r\n]+)"?/i.exec(head)?.[1];
  if (!type.startsWith('multipart/') || boundary === undefined) return type;
  const parts = `\r\n${rest.join('\r\n\r\n')}`.split(`\r\n--${boundary}`).slice(1, -1);
  return `${type}[${parts.map((part) => treeOf(part.replace(/^\r\n/, ''))).join(',')}]`;
}

const addresses = (list: AddressObject | AddressObject[] | undefined): unknown =>
  [list ?? []].flat().flatMap(({ value }) => value);

function read(mail: ParsedMail): unknown {
  return {
    from: addresses(mail.from),
    to: addresses(mail.to),
    cc: addresses(mail.cc),
    replyTo: addresses(mail.replyTo),
    sender: mail.headers.get('sender'),
    subject: mail.subject,
    messageId: mail.messageId,
    inReplyTo: mail.inReplyTo,
    references: mail.references,
    date: mail.date,
    list: mail.headers.get('list'),
    own: mail.headers.get('x-own'),
    html: mail.html,
    text: mail.text?.trimEnd(),
    attachments: mail.attachments.map(({ filename, contentType, contentDisposition, content }) => ({
      filename,
      contentType,
      contentDisposition,
      content: content.toString('base64'),
    })),
  };
}

async function expectSame(parts: MailParts, options: { filled: boolean }): Promise<void> {
  const { own, theirs, filled } = await bothWays(parts);
  expect(filled).toBe(options.filled);
  expect(treeOf(own.toString('latin1'))).toBe(treeOf(theirs.toString('latin1')));
  expect(read(await simpleParser(own))).toEqual(read(await simpleParser(theirs)));
}

describe('a mail out of a skeleton', () => {
  it('is the mail that MailComposer makes', async () => {
    await expectSame(mailOf(), { filled: true });
  });

  it.each([
    [
      'names and subjects with accents',
      mailOf({ from: { address: 'a@b.example', name: 'Émilie, née Ö"' } }, { subject: 'Où est l’été ? 🌷 '.repeat(6) }),
    ],
    ['bodies with accents', mailOf({}, { html: '<p>été 🌷</p>\r\n'.repeat(200), text: 'été 🌷' })],
    ['bodies with long lines', mailOf({}, { html: `<p>${'x'.repeat(3000)}</p>`, text: 'y'.repeat(1200) })],
    [
      'bare line feeds and dots at the start of lines',
      mailOf({}, { html: '<p>\n.\n..two</p>\n', text: '.\n.hidden\n' }),
    ],
    [
      'copies, replies and threads',
      mailOf({
        cc: [
          { address: 'c@example.com', name: undefined },
          { address: 'd@example.com', name: 'D; D' },
        ],
        replyTo: [{ address: 'r@example.com', name: 'R' }],
        sender: { address: 's@example.com', name: 'S' },
        inReplyTo: '<parent@example.com>',
        references: ['<root@example.com>', '<parent@example.com>'],
        headers: [['X-Own', 'yes; a=b']],
      }),
    ],
    [
      'attachments',
      mailOf({
        attachments: [
          attachment('pdf'),
          attachment('csv'),
          attachment('pdf', { filename: 'noten 2026.bin', contentType: 'application/x-own' }),
        ],
      }),
    ],
    ['a priority', mailOf({ priority: 'high' })],
    ['a long header', mailOf({ headers: [['X-Own', 'word '.repeat(300).trim()]] })],
  ])('is the same with %s', async (_, parts) => {
    await expectSame(parts, { filled: true });
  });

  it('is the same where it has one body', async () => {
    await expectSame(mailOf({ attachments: [attachment('pdf')] }, { html: undefined }), { filled: true });
    await expectSame(mailOf({ attachments: [attachment('pdf')] }, { text: undefined }), { filled: true });
  });

  it.each([
    [
      'an inline image',
      mailOf(
        {
          attachments: [attachment('pdf', { cid: 'logo@example.com', contentType: 'image/png', filename: 'logo.png' })],
        },
        { html: '<img src="cid:logo@example.com">' },
      ),
    ],
    ['a file name with accents', mailOf({ attachments: [attachment('pdf', { filename: 'été.pdf' })] })],
  ])('leaves %s to MailComposer', async (_, parts) => {
    await expectSame(parts, { filled: false });
  });

  it('never has a bare CR or LF, and reads back what went in', async () => {
    const compose = createComposeMime(attachments);
    const bodies = fc.string({
      unit: fc.constantFrom('a', '.', '\n', '\r', '\r\n', 'é', '=', '-', ' ', '\0'),
      maxLength: 200,
    });
    await fc.assert(
      fc.asyncProperty(bodies, bodies, async (html, text) => {
        const { raw } = await compose(mailOf({}, { html: `<p>${html}</p>`, text: `t${text}` }));
        expect(raw.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
        const parsed = await simpleParser(raw);
        const lines = (body: string): string => body.replace(/\r\n|\r|\n/g, '\n').trimEnd();
        expect(lines(parsed.html || '')).toBe(lines(`<p>${html}</p>`));
        expect(lines(parsed.text ?? '')).toBe(lines(`t${text}`));
      }),
      { numRuns: 200 },
    );
  });

  it('is the same to the byte each time, whether out of a skeleton or not', async () => {
    for (const content of [{}, { attachments: [attachment('pdf', { filename: 'été.pdf' })] }]) {
      const parts = mailOf(content);
      const compose = createComposeMime(attachments);
      expect(await compose(parts)).toEqual(await compose(parts));
      expect(await compose(parts)).toEqual(await createComposeMime(attachments)(parts));
    }
  });
});
