import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { capture, createMailRelay, type MailRelay } from '@mailrelay/core';
import {
  getMailRelayToken,
  InjectMailRelay,
  MailRelayModule,
  type MailRelayModuleOptions,
  type MailRelayOptionsFactory,
  MailRelayService,
} from '@mailrelay/nestjs';
import { MailerModule } from '@mailrelay/nestjs/compat';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { eventually, IN_MEMORY, moduleOf, started } from './support.ts';

const hello = { to: 'ada@example.com', subject: 'Hello', text: 'Hello' };

@Injectable()
class SignupService {
  constructor(readonly mail: MailRelayService) {}
}

@Module({ providers: [SignupService], exports: [SignupService] })
class SignupModule {}

@Injectable()
class Settings implements MailRelayOptionsFactory {
  createMailRelayOptions(): MailRelayModuleOptions {
    return { ...IN_MEMORY, publicUrl: 'https://settings.example' };
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

/** The relay of an application that only has this module. */
async function relayOf(imports: Parameters<typeof moduleOf>[0]['imports']): Promise<MailRelayService> {
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [...(imports ?? [])] }), {
    logger: false,
    abortOnError: false,
  });
  onTestFinished(() => app.close());
  return app.get(MailRelayService);
}

describe('MailRelayModule.forRoot()', () => {
  it('gives every module the relay, under a class that is injected by its type', async () => {
    const { app } = await started(moduleOf({ imports: [MailRelayModule.forRoot(IN_MEMORY), SignupModule] }));
    const { mail } = app.get(SignupService);
    const { deliveries } = await mail.send(hello);
    expect(deliveries).toMatchObject([{ recipient: 'ada@example.com' }]);
    expectTypeOf(mail).toExtend<MailRelay>();
  });

  it('needs no options in development', async () => {
    const folder = scratchFolder();
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const relay = await relayOf([MailRelayModule.forRoot()]).finally(() => vi.restoreAllMocks());
    expect(relay.publicUrl).toBe('http://localhost:3000');
  });

  it('is for its importers alone where it is not global', async () => {
    const closed = moduleOf({ imports: [MailRelayModule.forRoot({ ...IN_MEMORY, isGlobal: false }), SignupModule] });
    await expect(NestFactory.createApplicationContext(closed, { logger: false, abortOnError: false })).rejects.toThrow(
      /can't resolve dependencies of the SignupService/,
    );
  });

  it.each([
    ['an option that it does not know', { tracing: true }, 'tracing'],
    ['an option of the wrong kind', { autoMount: 'no' }, 'autoMount'],
    ['an option of the wrong kind', { stop: true }, 'stop'],
    ['a secret that is too short', { secret: 'xyzzy' }, 'secret'],
    ['a URL for a store', { store: 'postgres://user:xyzzy@db.example/mail' }, 'store'],
    ['a route that is none', { routes: ['smtp//user:xyzzy@host'] }, 'routes'],
    ['a name that is no name', { name: '../billing' }, 'name'],
    ['templates that are none', { templates: 5 }, 'templates'],
  ])('refuses %s at the start, names the option and shows no secret', async (_what, wrong, option) => {
    const options = { ...IN_MEMORY, secret: 'a secret of enough length', ...wrong } as MailRelayModuleOptions;
    const error: unknown = await (async () => relayOf([MailRelayModule.forRoot(options)]))().catch((e: unknown) => e);
    expect(error).toMatchObject({ message: expect.stringContaining(option), details: { option } });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/xyzzy|enough length/);
  });

  it.each<[string, () => Parameters<typeof relayOf>[0]]>([
    ['forRoot(null)', () => [MailRelayModule.forRoot(null as never)]],
    ['forRoot() of a list', () => [MailRelayModule.forRoot([] as never)]],
    ['forRootAsync() of nothing', () => [MailRelayModule.forRootAsync(undefined as never)]],
    ['a factory that answers nothing', () => [MailRelayModule.forRootAsync({ useFactory: () => undefined as never })]],
    ['forFeature(null)', () => [MailRelayModule.forRoot(IN_MEMORY), MailRelayModule.forFeature(null as never)]],
    ['MailerModule.forRoot(null)', () => [MailerModule.forRoot(null as never)]],
  ])('refuses what are no options: %s', async (_what, imports) => {
    await expect((async () => relayOf(imports()))()).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      details: { option: 'options' },
    });
  });

  it.each([
    ['stop.timeoutMs', { stop: { timeoutMs: -1 } }],
    ['stop.drain', { stop: { drain: 'yes' } }],
    ['stop.drian', { stop: { drian: true } }],
    ['isGlobal', { isGlobal: 'yes' }],
  ])('refuses at the start what would fail later, or never: %s', async (option, given) => {
    await expect(
      (async () => relayOf([MailRelayModule.forRoot({ ...IN_MEMORY, ...(given as object) })]))(),
    ).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      details: { option },
    });
  });

  it('has no templates where the variable for them is empty', async () => {
    vi.stubEnv('MAIL_RELAY_TEMPLATES', ' ');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(relayOf([MailRelayModule.forRoot(IN_MEMORY)])).resolves.toMatchObject({});
  });

  it('does not start in production without a secret, and says so', async () => {
    await expect(relayOf([MailRelayModule.forRoot({ environment: 'production' })])).rejects.toMatchObject({
      code: 'SECRET_MISSING',
    });
  });
});

describe('MailRelayModule.forRootAsync()', () => {
  it('takes options from a factory that injects', async () => {
    const useFactory = async (settings: Settings) => settings.createMailRelayOptions();
    const module = MailRelayModule.forRootAsync({ imports: [SettingsModule], inject: [Settings], useFactory });
    expect((await relayOf([module])).publicUrl).toBe('https://settings.example');
  });

  it('takes them from a class', async () => {
    const relay = await relayOf([MailRelayModule.forRootAsync({ useClass: Settings })]);
    expect(relay.publicUrl).toBe('https://settings.example');
  });

  it('takes them from a provider that exists', async () => {
    const module = MailRelayModule.forRootAsync({ imports: [SettingsModule], useExisting: Settings });
    expect((await relayOf([module])).publicUrl).toBe('https://settings.example');
  });
});

describe('several relays', () => {
  @Injectable()
  class BillingService {
    constructor(
      readonly mail: MailRelayService,
      @InjectMailRelay('billing') readonly billing: MailRelayService,
    ) {}
  }
  const billing = { ...IN_MEMORY, name: 'billing', routes: [capture({ name: 'invoices' })] };

  it('are injected by name, and each serves a path of its own', async () => {
    const imports = [MailRelayModule.forRoot(IN_MEMORY), MailRelayModule.forRoot(billing)];
    const { app, url } = await started(moduleOf({ imports, providers: [BillingService] }));
    const service = app.get(BillingService);
    expect(service.billing).toBe(app.get(getMailRelayToken('billing')));
    await service.billing.send({
      ...hello,
      html: '<a href="https://shop.example/">Shop</a>',
      tracking: { clicks: true },
    });
    expect((await service.billing.messages.list()).items).toHaveLength(1);
    expect((await service.mail.messages.list()).items).toHaveLength(0);
    expect((await service.billing.lanes.list()).map(({ route }) => route)).toContain('invoices');
    for (const path of ['/mail/health', '/mail-billing/health']) expect((await fetch(url + path)).status).toBe(200);
    const { html } = await eventually(async () => {
      const list = await (await fetch(`${url}/mail-billing/`)).text();
      const id = /href="inbox\/([\w-]+)"/.exec(list)?.[1] ?? expect.unreachable('nothing is captured');
      return { html: await (await fetch(`${url}/mail-billing/inbox/${id}/source`)).text() };
    });
    expect(html).toContain('https://mail.example.com/mail-billing/c/');
  });

  it('keep their mail in the folder that MAIL_RELAY_STORE names, each in a file of its own', async () => {
    const folder = scratchFolder();
    vi.stubEnv('MAIL_RELAY_STORE', join(folder, 'relay.db'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const { store: _, ...kept } = IN_MEMORY;
    const imports = [undefined, 'billing'].map((name) => MailRelayModule.forRoot({ ...kept, name }));
    await started(moduleOf({ imports }));
    expect(readdirSync(folder).filter((file) => file.endsWith('.db'))).toEqual(['billing.db', 'relay.db']);
  });

  it.each([
    ['missing', {}],
    ['billing', { name: 'billing' }],
  ])('must not have the same name, nor without HTTP: %s', async (says, name) => {
    const imports = [
      MailRelayModule.forRoot({ ...IN_MEMORY, ...name }),
      MailRelayModule.forRoot({ ...IN_MEMORY, ...name, path: '/b' }),
    ];
    const error = { details: { option: 'name' }, message: expect.stringContaining(`is ${says} for two relays`) };
    await expect(relayOf(imports)).rejects.toMatchObject(error);
    await expect(started(moduleOf({ imports }))).rejects.toMatchObject(error);
  });

  it('must not serve the same path', async () => {
    const imports = [MailRelayModule.forRoot(IN_MEMORY), MailRelayModule.forRoot({ ...billing, path: '/mail' })];
    await expect(started(moduleOf({ imports }))).rejects.toMatchObject({ details: { option: 'path' } });
  });
});

describe('in a test of the host', () => {
  it('the relay is replaced by a stand-in that has only what the test needs, and nothing is opened', async () => {
    const send = vi.fn(async () => ({ id: 'msg_1' }));
    const store = '/dev/null/relay.db';
    const imports = [MailRelayModule.forRoot({ ...IN_MEMORY, store }), SignupModule];
    const module = await Test.createTestingModule({ imports })
      .overrideProvider(MailRelayService)
      .useValue({ send })
      .compile();
    const app = await module.createNestApplication().init();
    onTestFinished(() => app.close());
    await app.get(SignupService).mail.send(hello);
    expect(send).toHaveBeenCalledWith(hello);
  });

  it('the relay is replaced by another one', async () => {
    const other = createMailRelay({ ...(IN_MEMORY as object), publicUrl: 'https://other.example' });
    const module = await Test.createTestingModule({ imports: [MailRelayModule.forRoot(IN_MEMORY)] })
      .overrideProvider(getMailRelayToken())
      .useValue(other)
      .compile();
    await module.init();
    await other.send(hello);
    await module.close();
    await expect(other.send(hello)).rejects.toMatchObject({ code: 'RELAY_STOPPED' });
  });
});
