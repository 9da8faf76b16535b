import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type AddressObject, simpleParser } from 'mailparser';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { type MailRelay, type MailRelayOptions, type SentInfo, smtp } from '../../../packages/core/src/index.ts';
import { VERSION } from '../../../packages/core/src/version.ts';
import { relayWith } from '../../support/relay.ts';
import { type Inbox, smtpServer } from '../../support/smtp.ts';

interface World {
  readonly relay: MailRelay;
  readonly server: Inbox;
  readonly transporter: Transporter<SentInfo>;
}

/** A relay that sends to a real server, behind nodemailer. */
async function world(options: MailRelayOptions = {}, defaults: SendMailOptions = {}): Promise<World> {
  const server = await smtpServer();
  const relay = relayWith({ thread: false, routes: [smtp(`smtp://127.0.0.1:${server.port}`)], ...options });
  return { relay, server, transporter: createTransport(relay.transport(), defaults) };
}

async function received({ server }: World, count: number): Promise<string[]> {
  await vi.waitFor(() => expect(server.mails).toHaveLength(count), { timeout: 10_000, interval: 10 });
  return server.mails.map(({ source }) => source);
}

const mail = { to: 'ada@example.com', subject: 'Hello', text: 'Hello Ada' };

describe("nodemailer over the relay's transport", () => {
  it('delivers what sendMail() was given, and answers what its callers expect', async () => {
    const it = await world();
    const info = await it.transporter.sendMail({
      from: 'Acme <hello@acme.example>',
      to: ['Ada <ada@example.com>', { name: 'Grace', address: 'grace@example.com' }],
      cc: 'alan@example.com',
      bcc: undefined,
      replyTo: 'help@acme.example',
      subject: 'Grüße',
      text: 'Hello',
      html: '<p>Hello</p>',
      headers: { 'X-Shop': '7' },
      priority: 'high',
      attachments: [{ filename: 'invoice.txt', content: '12 EUR' }],
    });
    expect(info).toMatchObject({
      envelope: { from: 'hello@acme.example', to: ['ada@example.com', 'grace@example.com', 'alan@example.com'] },
      accepted: ['ada@example.com', 'grace@example.com', 'alan@example.com'],
      rejected: [],
      pending: [],
      messageId: expect.stringMatching(/^<[^<>\s]+@[^<>\s]+>$/),
      response: `250 2.0.0 Ok: queued as ${info.id}`,
    });
    const [first = ''] = await received(it, 3);
    const parsed = await simpleParser(first);
    expect(parsed.messageId).toBe(info.messageId);
    expect([parsed.subject, parsed.text?.trim(), parsed.html]).toEqual(['Grüße', 'Hello', '<p>Hello</p>']);
    expect(first).toContain('X-Priority: 1 (Highest)');
    expect((parsed.replyTo as AddressObject).text).toBe('help@acme.example');
    expect(parsed.headers.get('x-shop')).toBe('7');
    expect(parsed.attachments[0]?.content.toString()).toBe('12 EUR');
    expect((await it.relay.messages.get(info.id))?.deliveries).toHaveLength(3);
  });

  it('calls back as well as it resolves', async () => {
    const { transporter } = await world();
    const info = await new Promise<SentInfo>((resolve, reject) =>
      transporter.sendMail(mail, (error, sent) => (error === null ? resolve(sent) : reject(error))),
    );
    expect(info.accepted).toEqual(['ada@example.com']);
  });

  it('takes the defaults of the transporter, and the fields of the relay', async () => {
    const it = await world({}, { from: 'Shop <shop@acme.example>', headers: { 'X-Default': 'yes' } });
    const { id } = await it.transporter.sendMail({ ...mail, tags: ['receipt'], idempotencyKey: 'r-1' } as object);
    const [source = ''] = await received(it, 1);
    expect(source).toContain('From: Shop <shop@acme.example>');
    expect(source).toContain('X-Default: yes');
    expect((await it.relay.messages.get(id))?.tags).toEqual(['receipt']);
  });

  it('takes templates of the relay by name', async () => {
    const it = await world({ templates: [{ name: 'welcome', subject: 'Hi {{name}}', html: '<p>{{name}}</p>' }] });
    await it.transporter.sendMail({ to: mail.to, template: 'welcome', data: { name: 'Ada' } } as object);
    expect((await received(it, 1))[0]).toContain('Subject: Hi Ada');
  });

  it('takes bodies and attachments in the forms that nodemailer knows', async () => {
    const it = await world();
    await it.transporter.sendMail({
      ...mail,
      text: Readable.from(['from a ', 'stream']),
      html: { content: Buffer.from('<b>bold</b>').toString('base64'), encoding: 'base64' },
      attachments: [
        { filename: 'dot.txt', path: 'data:text/plain;base64,ZG90' },
        { filename: 'stream.txt', content: Readable.from(['streamed']) },
      ],
    });
    const parsed = await simpleParser((await received(it, 1))[0] as string);
    expect([parsed.text?.trim(), parsed.html]).toEqual(['from a stream', '<b>bold</b>']);
    expect(parsed.attachments.map(({ content }) => content.toString())).toEqual(['dot', 'streamed']);
  });

  it('passes over fields and headers without a value, as nodemailer does', async () => {
    const it = await world();
    const empty = { cc: '', bcc: '', replyTo: '', sender: '', inReplyTo: '', references: '', html: '' };
    await it.transporter.sendMail({ ...mail, ...empty, headers: { 'X-None': null, 'X-One': '1' } as never });
    const [source = ''] = await received(it, 1);
    expect(source).toContain('X-One: 1');
    expect(source).not.toMatch(/X-None|text\/html|Reply-To/);
  });

  it('takes streams and encodings in every part', async () => {
    const it = await world();
    await it.transporter.sendMail({
      ...mail,
      alternatives: [{ contentType: 'text/x-web-markdown', content: Readable.from(['**streamed**']) }],
      icalEvent: { content: Readable.from(['BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n']) },
      attachments: [{ filename: 'a.txt', content: 'YQ==', encoding: 'BASE64' }],
    });
    const [source = ''] = await received(it, 1);
    expect(source).toContain(Buffer.from('**streamed**').toString('base64'));
    const { attachments } = await simpleParser(source);
    const texts = attachments.map(({ content }) => content.toString());
    expect(texts).toContain('a');
    expect(texts).toContainEqual(expect.stringContaining('BEGIN:VCALENDAR'));
  });

  it('lets plugins of the step compile render the body', async () => {
    const it = await world();
    it.transporter.use('compile', ({ data }, done) => {
      const { context } = data as { context?: { name: string } };
      data.html = `<p>Hello ${context?.name}</p>`;
      done();
    });
    await it.transporter.sendMail({ to: mail.to, subject: 's', template: 'hello', context: { name: 'Ada' } } as object);
    expect((await received(it, 1))[0]).toContain('<p>Hello Ada</p>');
  });

  it('names recipients on the suppression list as rejected', async () => {
    const { relay, transporter } = await world();
    await relay.suppressions.add('grace@example.com');
    const info = await transporter.sendMail({ ...mail, to: 'ada@example.com, grace@example.com' });
    expect([info.accepted, info.rejected]).toEqual([['ada@example.com'], ['grace@example.com']]);
  });

  it('sends with the return path of the envelope', async () => {
    const sender = vi.fn();
    const server = await smtpServer({ onMailFrom: ({ address }, _, done) => done(sender(address)) });
    const it = await world({ routes: [smtp(`smtp://127.0.0.1:${server.port}`)] });
    const envelope = { from: 'bounce@acme.example', to: 'ada@example.com' };
    const info = await it.transporter.sendMail({ ...mail, envelope });
    expect(info.envelope.from).toBe('bounce@acme.example');
    await received({ ...it, server }, 1);
    expect(sender.mock.calls).toEqual([['bounce@acme.example']]);
  });

  it.each<[string, object, string, RegExp]>([
    ['raw sources', { raw: 'Subject: x\r\n\r\nx' }, 'OPTION_UNSUPPORTED', /`raw` is not supported/],
    [
      'signing',
      { dkim: { domainName: 'x', keySelector: 'x', privateKey: 'x' } },
      'OPTION_UNSUPPORTED',
      /option `dkim`/,
    ],
    ['other recipients', { envelope: { from: 'a@b.example', to: 'x@y.example' } }, 'OPTION_UNSUPPORTED', /envelope/],
    ['bodies out of files', { html: { path: '/etc/hostname' } }, 'MESSAGE_INVALID', /html is read from no file/],
    ['files', { attachments: [{ path: '/etc/hostname' }] }, 'ATTACHMENT_NOT_ALLOWED', /attachments\.paths/],
    ['addresses', { attachments: [{ path: 'https://x.example/y' }] }, 'ATTACHMENT_NOT_ALLOWED', /attachments\.hosts/],
    ['fields that nobody reads', { subjcet: 'x' }, 'OPTION_UNSUPPORTED', /subjcet/],
  ])('refuses %s with what to do instead', async (_, fields, code, message) => {
    const { transporter } = await world();
    await expect(transporter.sendMail({ ...mail, ...fields })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('refuses plugins of the step stream, which would change nothing', async () => {
    const { transporter } = await world();
    transporter.use('stream', (_, done) => done());
    await expect(transporter.sendMail(mail)).rejects.toMatchObject({ code: 'OPTION_UNSUPPORTED' });
  });

  it('verifies by starting the relay, is idle, and leaves the relay running when it closes', async () => {
    const { relay, transporter } = await world();
    expect(await transporter.verify()).toBe(true);
    expect(await new Promise((resolve) => transporter.verify((error, success) => resolve([error, success])))).toEqual([
      null,
      true,
    ]);
    expect(transporter.isIdle()).toBe(true);
    transporter.close();
    expect((await relay.send(mail)).deliveries).toHaveLength(1);
  });

  it('hands on the error of a relay that does not start', async () => {
    const { transporter } = await world({ templates: '/no/such/folder' });
    await expect(transporter.verify()).rejects.toMatchObject({ code: 'TEMPLATE_FOLDER_MISSING' });
  });

  it('is a transport in the eyes of the compiler, and tells its version', async () => {
    const { relay, transporter } = await world();
    expectTypeOf(transporter.sendMail).returns.resolves.toHaveProperty('deliveries');
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../packages/core/package.json'), 'utf8'),
    ) as { version: string };
    expect([VERSION, relay.transport().version]).toEqual([version, version]);
  });
});
