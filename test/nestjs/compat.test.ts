import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { MailRelayService } from '@mailrelay/nestjs';
import {
  HandlebarsAdapter,
  type MailerAsyncOptions,
  MailerModule,
  type MailerOptions,
  MailerService,
  MjmlAdapter,
} from '@mailrelay/nestjs/compat';
import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { simpleParser } from 'mailparser';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { type Inbox, smtpServer } from '../support/smtp.ts';
import { IN_MEMORY, moduleOf } from './support.ts';

const { from: _, ...relay } = IN_MEMORY;
const defaults = { from: 'No Reply <noreply@example.com>' };

function templates(): string {
  const dir = scratchFolder();
  const files = {
    'welcome.hbs': '<html><body><p>Hello {{name}}</p>{{#each items}}<i>{{this}}</i>{{/each}}</body></html>',
    'orders/order.mjml':
      '<mjml><mj-body><mj-section><mj-column><mj-text>Order {{number}}</mj-text></mj-column></mj-section></mj-body></mjml>',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

async function mailer(module: ReturnType<typeof MailerModule.forRoot>) {
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [module] }), {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => app.close());
  return { app, mailer: app.get(MailerService), relay: app.get<MailRelayService>(MailRelayService) };
}

const transport = ({ port }: Inbox) => ({
  host: '127.0.0.1',
  port,
  secure: false,
  pool: true,
  ignoreTLS: true,
  maxConnections: 2,
});

async function arrived({ mails }: Inbox, index = 0) {
  await expect.poll(() => mails.length).toBeGreaterThan(index);
  return simpleParser(mails[index]?.source ?? '');
}

describe('MailerService of @nestjs-modules/mailer', () => {
  it('sends templates with their context and attachments', async () => {
    const inbox = await smtpServer();
    const dir = templates();
    const options: MailerOptions = {
      transport: transport(inbox),
      defaults,
      template: { dir, adapter: new HandlebarsAdapter(), options: { strict: true } },
      relay,
    };
    const { mailer: service, relay: engine } = await mailer(MailerModule.forRoot(options));
    const info = await service.sendMail({
      to: 'Ada <ada@example.com>',
      subject: 'Welcome, {{ name }}: {{missing}}',
      template: './welcome',
      context: { name: 'Ada & Co', items: ['a', 'b'] },
      attachments: [{ filename: 'terms.txt', content: 'Be nice.' }],
    });
    expect(info).toEqual({
      id: expect.stringMatching(/^msg_/),
      messageId: expect.stringMatching(/^<.+>$/),
      accepted: ['ada@example.com'],
      rejected: [],
      pending: [],
      response: `250 2.0.0 Ok: queued as ${info.id}`,
      envelope: { from: 'noreply@example.com', to: ['ada@example.com'] },
      deliveries: [expect.objectContaining({ recipient: 'ada@example.com' })],
      repeated: false,
    });
    const mail = await arrived(inbox);
    expect(mail).toMatchObject({ subject: 'Welcome, Ada & Co: {{missing}}', messageId: info.messageId });
    expect(mail.html).toContain('<p>Hello Ada &amp; Co</p><i>a</i><i>b</i>');
    expect(mail.attachments).toMatchObject([{ filename: 'terms.txt' }]);
    expect((await engine.messages.get(info.id))?.deliveries).toHaveLength(1);
    expect(await service.verifyAllTransporters()).toBe(true);
  });

  it.each(['orders/order', './orders/order.mjml', 'DIR/orders/order'])(
    'finds the MJML template %s',
    async (template) => {
      const inbox = await smtpServer();
      const dir = templates();
      const options = {
        transport: transport(inbox),
        defaults,
        template: { dirs: [dir], adapter: new MjmlAdapter('handlebars') },
        relay,
      };
      const { mailer: service } = await mailer(MailerModule.forRoot(options));
      await service.sendMail({
        to: 'ada@example.com',
        subject: 'Order',
        template: template.replace('DIR', dir),
        context: { number: 7 },
      });
      expect((await arrived(inbox)).html).toMatch(/<table[\s\S]*Order 7/);
    },
  );

  it('puts the context into HTML of the caller, escaped', async () => {
    const { mailer: service, relay: engine } = await mailer(
      MailerModule.forRoot({ transport: { jsonTransport: true }, defaults, relay }),
    );
    const { id } = await service.sendMail({
      to: 'ada@example.com',
      subject: 'Hi',
      html: '<p>{{name}} {{constructor}}</p>',
      context: { name: '<b>' },
    });
    await expect.poll(async () => (await engine.messages.get(id))?.deliveries[0]?.state).toBe('sent');
    const source = await engine.handle(
      new Request(`${engine.publicUrl}/mail/inbox/${(await engine.messages.get(id))?.deliveries[0]?.id}/source`),
    );
    expect((await simpleParser((await source?.text()) ?? '')).html).toContain('<p>&lt;b&gt; {{constructor}}</p>');
  });

  it('takes fields in the forms that nodemailer takes, and passes over empty ones', async () => {
    const inbox = await smtpServer();
    const dir = scratchFolder();
    writeFileSync(join(dir, 'logo.png'), 'PNG');
    const { mailer: service } = await mailer(
      MailerModule.forRoot({
        transport: transport(inbox),
        defaults,
        relay: { ...relay, attachments: { paths: [dir] } },
      }),
    );
    const empty = { cc: '', bcc: null, replyTo: '', context: null, subject: null };
    const info = await service.sendMail({
      ...(empty as object),
      to: 'ada@example.com',
      envelope: { from: 'bounces@example.com', to: 'ada@example.com' } as object,
      html: Readable.from(['<img src="cid:logo">']) as never,
      attachments: [
        { path: join(dir, 'logo.png'), cid: 'logo' },
        { filename: 'dot.txt', path: 'data:text/plain;base64,ZG90' },
        { filename: 'stream.txt', content: Readable.from(['streamed']) },
        { filename: 'latin.txt', content: '\u00ff', encoding: 'latin1' as never },
      ],
    });
    expect(info.envelope).toEqual({ from: 'bounces@example.com', to: ['ada@example.com'] });
    const { attachments, html } = await arrived(inbox);
    expect(html).toMatch(/<img src="(?:cid:|data:)/);
    expect(attachments.map(({ content }) => content.toString('latin1'))).toEqual(['PNG', 'dot', 'streamed', '\u00ff']);
    await expect(
      service.sendMail({ to: 'a@example.com', text: 'A', attachments: [{ path: 'https://x.example/a.png' }] }),
    ).rejects.toThrow(/attachments\.hosts/);
  });

  it('sends by named transports, and refuses one that is not there', async () => {
    const [first, second] = [await smtpServer(), await smtpServer()];
    const options = {
      transport: `smtp://127.0.0.1:${first.port}`,
      transports: { news: transport(second) },
      defaults,
      relay,
    };
    const { mailer: service } = await mailer(MailerModule.forRoot(options));
    await service.sendMail({ to: 'ada@example.com', subject: 'A', text: 'A' });
    await service.sendMail({ to: 'bob@example.com', subject: 'B', text: 'B', transporterName: 'news' });
    expect([(await arrived(first)).subject, (await arrived(second)).subject]).toEqual(['A', 'B']);
    await expect(
      service.sendMail({ to: 'a@example.com', subject: 'C', text: 'C', transporterName: 'other' }),
    ).rejects.toThrow(/other/);
  });

  it('reports suppressed recipients as rejected', async () => {
    const { mailer: service, relay: engine } = await mailer(
      MailerModule.forRoot({ transport: { streamTransport: true }, defaults, relay }),
    );
    await engine.suppressions.add('gone@example.com');
    const info = await service.sendMail({ to: ['ada@example.com', 'gone@example.com'], subject: 'Hi', text: 'Hi' });
    expect(info).toMatchObject({ accepted: ['ada@example.com'], rejected: ['gone@example.com'] });
  });

  it('takes options from a factory, a class or a provider', async () => {
    @Injectable()
    class Settings {
      createMailerOptions(): MailerOptions {
        return { transport: { jsonTransport: true }, defaults, relay };
      }
    }
    const settings = moduleOf({ providers: [Settings], exports: [Settings] });
    const ways: MailerAsyncOptions[] = [
      { imports: [settings], inject: [Settings], useFactory: async (from: Settings) => from.createMailerOptions() },
      { useClass: Settings },
      { imports: [settings], useExisting: Settings },
    ];
    for (const way of ways) {
      const { mailer: service } = await mailer(MailerModule.forRootAsync(way));
      expect(await service.sendMail({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' })).toMatchObject({
        rejected: [],
      });
    }
  });

  it.each([
    ['helpers', () => new HandlebarsAdapter({ shout: () => '' })],
    ['MjmlAdapter', () => new MjmlAdapter('pug')],
    ['options', () => MailerModule.forRoot({ options: { layout: 'main' } } as MailerOptions)],
    ['preview', () => MailerModule.forRoot({ preview: true } as MailerOptions)],
    ['verifyTransporters', () => MailerModule.forRoot({ verifyTransporters: true } as MailerOptions)],
    ['defualts', () => MailerModule.forRoot({ defualts: {} } as MailerOptions)],
    ['template.resolver', () => MailerModule.forRoot({ template: { resolver: {} } } as MailerOptions)],
    [
      'template.options.layout',
      () => MailerModule.forRoot({ template: { options: { layout: 'a' } } } as MailerOptions),
    ],
    ['template.options.strict', () => MailerModule.forRoot({ template: { options: { strict: false } } })],
    ['template.adapter', () => MailerModule.forRoot({ template: { adapter: { compile() {} } } } as never)],
    ['transport', () => MailerModule.forRoot({ transport: { service: 'gmail' } } as MailerOptions)],
    ['transport.rateDelta', () => MailerModule.forRoot({ transport: { host: 'a', rateLimit: 5, rateDelta: 1500 } })],
  ])('refuses what it cannot do, and says what to do instead: %s', (option, make) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION_UNSUPPORTED', details: expect.objectContaining({ option }) }),
    );
  });

  it('takes what is switched off', () => {
    expect(() => MailerModule.forRoot({ preview: false, verifyTransporters: false } as MailerOptions)).not.toThrow();
  });

  it('verifies transports by asking their servers', async () => {
    const inbox = await smtpServer();
    const { mailer: service } = await mailer(
      MailerModule.forRoot({ transport: transport(inbox), transports: { test: { jsonTransport: true } }, relay }),
    );
    expect(await service.verifyAllTransporters()).toBe(true);
    await new Promise<void>((resolve) => inbox.server.close(() => resolve()));
    expect(await service.verifyAllTransporters()).toBe(false);
    expect(inbox.mails).toEqual([]);
  });

  it('is strict where templates were lenient: a variable that is missing is an error with its name', async () => {
    const options = { transport: { jsonTransport: true }, defaults, template: { dir: templates() }, relay };
    const { mailer: service } = await mailer(MailerModule.forRoot(options));
    await expect(
      service.sendMail({ to: 'ada@example.com', subject: 'Hi', template: 'welcome', context: { items: [] } }),
    ).rejects.toMatchObject({
      code: 'TEMPLATE_VARIABLE_MISSING',
    });
  });
});
