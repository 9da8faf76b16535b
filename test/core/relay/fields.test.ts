import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { simpleParser } from 'mailparser';
import { describe, expect, it, vi } from 'vitest';
import { type SendMessage, smtp } from '../../../packages/core/src/index.ts';
import { NO_RECIPIENT, UNSUPPORTED } from '../../../packages/core/src/submit/unsupported.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';

const mail = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' } as const;

function refusal(message: object): Promise<unknown> {
  return relayWith({ thread: false }).send({ ...mail, ...message } as SendMessage);
}

describe('a field that is not supported is refused, with what to do instead', () => {
  it.each(Object.entries(UNSUPPORTED))('%s', async (field, advice) => {
    for (const value of [true, false, { some: 'thing' }])
      await expect(refusal({ [field]: value })).rejects.toMatchObject({
        code: 'OPTION_UNSUPPORTED',
        details: { field },
        message: `This option is not supported: \`${field}\` is not supported: ${advice}`,
      });
  });

  it('counts every field that nodemailer has', () => {
    const types = createRequire(import.meta.url)
      .resolve('nodemailer/lib/mail-composer')
      .replace(/\.js$/, '.d.ts');
    const body = /interface MailComposerOptions \{(.*?)\n\}/s.exec(readFileSync(types, 'utf8'))?.[1] ?? '';
    const fields = [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, field]) => field as string);
    const supported = [
      ...['from', 'sender', 'to', 'cc', 'bcc', 'replyTo', 'inReplyTo', 'references', 'subject', 'messageId', 'date'],
      ...['text', 'html', 'icalEvent', 'attachments', 'alternatives', 'headers', 'list', 'envelope', 'priority'],
    ];
    expect(fields.length).toBeGreaterThan(30);
    expect(fields.filter((field) => !supported.includes(field) && !(field in UNSUPPORTED))).toEqual([]);
  });

  it.each<[object, string]>([
    [{ tracking: { open: true } }, 'tracking.open'],
    [{ attachments: [{ href: 'https://a.example/', httpHeaders: {} }] }, 'attachments[0].httpHeaders'],
    [{ attachments: [{ raw: 'x' }] }, 'attachments[0].raw'],
    [{ alternatives: [{ content: 'x', contentType: 'text/x', path: '/x' }] }, 'alternatives[0].path'],
    [{ icalEvent: { content: 'x', href: 'https://a.example/' } }, 'icalEvent.href'],
    [{ envelope: { from: 'a@b.example', to: 'c@d.example' } }, 'envelope.to'],
    [{ headers: [{ key: 'X-A', value: 'b', prepared: true }] }, 'headers[0].prepared'],
    [{ list: { help: { url: 'a@b.example', text: 'x' } } }, 'list.help.text'],
    [{ too: 'bob@example.com' }, 'too'],
  ])('%j', async (bad, field) => {
    await expect(refusal(bad)).rejects.toMatchObject({ code: 'OPTION_UNSUPPORTED', details: { field } });
  });
});

describe('a field that cannot be right is refused, and named', () => {
  it.each<[object, string]>([
    [{ tags: 'abc' }, 'tags'],
    [{ tags: [5] }, 'tags[0]'],
    [{ attachments: {} }, 'attachments'],
    [{ attachments: [null] }, 'attachments[0]'],
    [{ attachments: [{ content: 5 }] }, 'attachments[0].content'],
    [{ attachments: [{ content: 'x', encoding: 'base65' }] }, 'attachments[0].encoding'],
    [{ attachments: [{ content: 'x', contentDisposition: 'both' }] }, 'attachments[0].contentDisposition'],
    [{ attachments: [{ content: 'x', filename: false }] }, 'attachments[0].filename'],
    [{ attachments: [{ content: 'x', filename: 'x'.repeat(256) }] }, 'attachments[0].filename'],
    [{ tracking: { utm: { utm_source: 'x'.repeat(501) } } }, 'tracking.utm.utm_source'],
    [{ alternatives: [{ content: 'x' }] }, 'alternatives[0].contentType'],
    [{ icalEvent: {} }, 'icalEvent.content'],
    [{ headers: null }, 'headers'],
    [{ headers: new Map([['X-A', 'b']]) }, 'headers'],
    [{ headers: [{ value: 'x' }] }, 'headers[0].key'],
    [{ list: { help: 5 } }, 'list.help'],
    [{ references: [5] }, 'references[0]'],
    [{ envelope: null }, 'envelope'],
    [{ tracking: true }, 'tracking'],
    [{ tracking: { opens: 1 } }, 'tracking.opens'],
    [{ template: null, text: undefined }, 'template'],
    [{ template: { name: 'x' }, text: undefined }, 'template'],
    [{ data: 5 }, 'data'],
    [{ metadata: [] }, 'metadata'],
    [{ stream: 'news' }, 'stream'],
    [{ priority: 'urgent' }, 'priority'],
    [{ date: Number.MAX_VALUE }, 'date'],
    [{ sendAt: 'some day' }, 'sendAt'],
    [{ locale: '../fr' }, 'locale'],
  ])('%j', async (bad, field) => {
    await expect(refusal(bad)).rejects.toMatchObject({ code: 'MESSAGE_INVALID', details: { field } });
  });

  it('data without a template, of a message and of a recipient', async () => {
    await expect(refusal({ data: { name: 'Ada' } })).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      message: expect.stringMatching(/data.*template/),
    });
    const relay = relayWith({ thread: false });
    const { rejections } = await relay.sendMany([{ to: mail.to, data: { name: 'Ada' } }], { subject: 'S', text: 'T' });
    expect(rejections).toMatchObject([{ index: 0, recipient: mail.to, code: 'MESSAGE_INVALID' }]);
  });

  it('what is no message', async () => {
    const relay = relayWith({ thread: false });
    for (const bad of [undefined, null, 5, 'x', [], () => {}])
      await expect(relay.send(bad as never)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
    for (const bad of [undefined, null, 5, 'ada@example.com', {}])
      await expect(relay.sendMany(bad as never, { subject: 'S', text: 'T' })).rejects.toMatchObject({
        code: 'MESSAGE_INVALID',
      });
    await expect(relay.sendMany([], undefined as never)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
  });
});

describe('a recipient of sendMany()', () => {
  it('has no fields but its own', async () => {
    const relay = relayWith({ thread: false });
    const others = [...Object.keys(NO_RECIPIENT), 'too'];
    const people = others.map((field) => ({ to: mail.to, [field]: 'x' }));
    const { rejections } = await relay.sendMany(people, { subject: 'S', text: 'T' });
    expect(rejections.map(({ index, code }) => [index, code])).toEqual(
      others.map((_, index) => [index, 'OPTION_UNSUPPORTED']),
    );
    expect(rejections[0]?.message).toContain('each recipient gets a mail of its own');
  });

  it('switches its tracking on and off', async () => {
    const relay = relayWith({ thread: false });
    const people = [
      { to: 'on@example.com', tracking: { opens: true, clicks: true } },
      { to: 'opens@example.com', tracking: { opens: true } },
      'off@example.com',
    ];
    const html = '<a href="https://a.example/">x</a>';
    await relay.sendMany(people, { subject: 'S', html, stream: 'transactional' });
    const mails = await capturedMails(relay, 3);
    const tracked = (name: string): boolean[] => {
      const source = mails.find((one) => one.includes(`To: ${name}@`)) ?? '';
      return [source.includes('/mail/o/'), source.includes('/mail/c/')];
    };
    expect([tracked('on'), tracked('opens'), tracked('off')]).toEqual([
      [true, true],
      [true, false],
      [false, false],
    ]);
  });

  it('has an unsubscribe page in its language also without a template', async () => {
    const relay = relayWith({ thread: false });
    await relay.sendMany([{ to: mail.to, locale: 'fr' }], { subject: 'S', text: 'T' });
    const url = /List-Unsubscribe: <([^>]+)>/.exec((await capturedMails(relay, 1))[0] ?? '')?.[1] ?? '';
    expect(await (await relay.handle(new Request(url)))?.text()).toContain('Me désabonner');
  });
});

describe('every field of nodemailer', () => {
  it('arrives in the mail', async () => {
    const relay = relayWith({ thread: false });
    await relay.send({
      from: 'Ada <ada@example.com>',
      sender: 'robot@example.com',
      to: ['Bob <bob@example.com>', { name: 'Été', address: 'ete@example.com' }],
      cc: 'cc@example.com',
      bcc: 'secret@example.com',
      replyTo: ['r1@example.com', 'r2@example.com'],
      inReplyTo: '<one@example.com>',
      references: ['<zero@example.com>', 'one@example.com'],
      subject: 'Réunion',
      text: 'Bonjour',
      html: '<p>Bonjour <img src="cid:logo"></p>',
      attachments: [
        {
          filename: 'logo.png',
          content: 'iVBORw0KGgo=',
          encoding: 'base64',
          cid: 'logo',
          contentDisposition: 'inline',
        },
        { filename: 'note.txt', content: '4f6b', encoding: 'hex', headers: { 'X-Note': 'yes' } },
      ],
      icalEvent: {
        method: 'request',
        filename: 'meet.ics',
        content: Buffer.from('BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n').toString('base64'),
        encoding: 'base64',
      },
      alternatives: [
        {
          content: Buffer.from('<amp>').toString('base64'),
          encoding: 'base64',
          contentType: 'text/x-amp-html',
          filename: 'amp.html',
        },
      ],
      list: { help: 'help@example.com', id: { url: 'list.example.com', comment: 'List' } },
      priority: 'high',
      headers: { 'X-Custom': ['a', 'b'] },
      messageId: 'own@example.com',
      date: new Date('2026-03-01T12:00:00Z'),
      envelope: { from: 'bounces@example.com' },
    });
    const sources = await capturedMails(relay, 4);
    const parsed = await simpleParser(sources[0] ?? '');
    expect(parsed).toMatchObject({
      from: { text: '"Ada" <ada@example.com>' },
      to: {
        value: [
          { address: 'bob@example.com', name: 'Bob' },
          { address: 'ete@example.com', name: 'Été' },
        ],
      },
      cc: { text: 'cc@example.com' },
      replyTo: { value: [{ address: 'r1@example.com' }, { address: 'r2@example.com' }] },
      inReplyTo: '<one@example.com>',
      references: ['<zero@example.com>', '<one@example.com>'],
      subject: 'Réunion',
      text: expect.stringContaining('Bonjour'),
      html: expect.stringContaining('<p>Bonjour'),
      messageId: '<own@example.com>',
      date: new Date('2026-03-01T12:00:00Z'),
    });
    expect(sources[0]).toMatch(/^X-Priority: 1 \(Highest\)[\s\S]*^Importance: High/m);
    expect(parsed.headers.get('sender')).toMatchObject({ text: 'robot@example.com' });
    expect(parsed.headers.get('x-custom')).toEqual(['a', 'b']);
    expect(parsed.headers.get('list')).toMatchObject({
      help: { mail: 'help@example.com' },
      id: { id: 'list.example.com' },
    });
    const content = (name: string): string | undefined =>
      parsed.attachments.find(({ filename }) => filename === name)?.content.toString('latin1');
    expect(content('logo.png')).toBe(Buffer.from('iVBORw0KGgo=', 'base64').toString('latin1'));
    expect(content('note.txt')).toBe('Ok');
    expect(content('meet.ics')).toContain('BEGIN:VCALENDAR');
    expect(content('amp.html')).toBe('<amp>');
    const joined = sources.join('\n');
    expect(joined).toMatch(/text\/calendar.*method=REQUEST/);
    expect(joined).not.toContain('secret@example.com');
    expect(joined).toContain('X-Note: yes');
  });

  it('is the return path where it is envelope.from, and a bare calendar where it is icalEvent', async () => {
    const senders: string[] = [];
    const inbox = await smtpServer({
      onMailFrom({ address }, _session, done) {
        senders.push(address);
        done();
      },
    });
    const routes = [smtp({ host: '127.0.0.1', port: inbox.port })];
    const relay = relayWith({ thread: false, routes });
    await relay.send({ ...mail, envelope: { from: 'bounces@example.com' }, icalEvent: 'BEGIN:VCALENDAR' });
    await vi.waitFor(() => expect(inbox.mails).toHaveLength(1), { timeout: 10_000 });
    expect(senders).toEqual(['bounces@example.com']);
    expect(inbox.mails[0]?.source).toMatch(/text\/calendar.*method=PUBLISH/);
  });
});
