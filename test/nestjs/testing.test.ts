import { createTestRelay, type MailMatchers, mailMatchers } from '@mailrelay/core/testing';
import { getMailRelayToken, InjectMailRelay, MailRelayModule, MailRelayService, OnMailEvent } from '@mailrelay/nestjs';
import { MailRelayInbox, MailRelayTestModule, mailRelayKit } from '@mailrelay/nestjs/testing';
import { Injectable, Module } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { IN_MEMORY, moduleOf, PLATFORMS } from './support.ts';

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void>, T> extends MailMatchers {}
}

expect.extend(mailMatchers);

const DAY = 86_400_000;
/** Nothing of it may be touched by a test. */
const REAL = {
  ...IN_MEMORY,
  store: '/dev/null/relay.db',
  routes: ['smtp://127.0.0.1:1'],
  environment: 'production',
  thread: true,
  queue: { deliver: false, retryFirstMs: DAY },
} as const;

@Injectable()
class Signup {
  readonly told: string[] = [];
  constructor(readonly mail: MailRelayService) {}

  async greet(to: string): Promise<string> {
    return (await this.mail.send({ to, template: 'welcome', data: { name: 'Ada' } })).id;
  }

  @OnMailEvent('sent')
  note({ recipient }: { recipient: string }): void {
    this.told.push(recipient);
  }
}

const welcome = {
  name: 'welcome',
  subject: 'Welcome, {{name}}',
  html: '<a href="https://acme.example/{{name}}">Go</a>',
};

@Module({
  imports: [MailRelayModule.forFeature({ templates: [welcome] })],
  providers: [Signup],
  exports: [Signup],
})
class SignupModule {}

@Injectable()
class Invoices {
  constructor(@InjectMailRelay('billing') readonly billing: MailRelayService) {}
}

const billing = MailRelayModule.forRoot({ ...REAL, name: 'billing', from: 'Billing <billing@acme.example>' });
const real = MailRelayModule.forRootAsync({ useFactory: async () => ({ ...REAL, tracking: { clicks: true } }) });
const AppModule = moduleOf({ imports: [SignupModule, real, billing], providers: [Invoices] });

async function compiled(builder: TestingModuleBuilder) {
  const module = await builder.compile();
  onTestFinished(() => module.close());
  return module;
}

const replaced = (): TestingModuleBuilder =>
  Test.createTestingModule({ imports: [AppModule] })
    .overrideModule(MailRelayModule)
    .useModule(MailRelayTestModule);

const beside = (...imports: Parameters<typeof moduleOf>[0]['imports'] & object): TestingModuleBuilder =>
  Test.createTestingModule({ imports: [AppModule, ...imports] });

const WAYS = [
  ['by overrideModule()', replaced],
  ['by a module beside it', () => beside(MailRelayTestModule)],
  ['by a module beside it, with options', () => beside(MailRelayTestModule.forRoot())],
  [
    'by overrideModule() with options',
    () =>
      Test.createTestingModule({ imports: [AppModule] })
        .overrideModule(MailRelayModule)
        .useModule(MailRelayTestModule.forRoot()),
  ],
] as const;

describe.each(WAYS)('the relays of an application are replaced %s', (_way, builder) => {
  it('with its options and templates, and without its store, routes and time', async () => {
    const module = await compiled(builder());
    await module.init();
    await module.get(Signup).greet('ada@example.com');
    await expect(module.get(MailRelayInbox)).toHaveReceived({ to: 'ada@example.com', template: 'welcome', times: 1 });
    const mail = await module.get(MailRelayInbox).last();
    expect([mail.from, mail.subject]).toEqual(['App <app@example.com>', 'Welcome, Ada']);
    expect(mail.link('Go').url).toMatch(/^https:\/\/mail\.example\.com\/mail\/c\//);
    const { click, relay, clock } = mailRelayKit(module);
    expect(await click(mail, 'Go')).toBe('https://acme.example/Ada');
    expect((await relay.messages.get(mail.id))?.stream).toBe('transactional');
    const id = await module.get(Signup).greet('busy@simulator.example');
    await relay.when(id, 'deferred');
    await clock.advance(2 * DAY);
    await relay.when(id, 'sent');
    // Each handler hears of each mail once.
    expect(module.get(Signup).told).toEqual(['ada@example.com', 'busy@simulator.example']);
  });

  it('also those with a name, each with an inbox of its own', async () => {
    const module = await compiled(builder());
    await module.init();
    await module.get(Invoices).billing.send({ to: 'ada@example.com', subject: 'Invoice', text: 'Pay.' });
    const { inbox } = mailRelayKit(module, 'billing');
    await expect(inbox).toHaveReceived({ subject: 'Invoice' });
    expect((await inbox.last()).from).toBe('Billing <billing@acme.example>');
    await expect(module.get(MailRelayInbox)).not.toHaveReceived();
  });

  it('works before the application is initialised, and ends with it', async () => {
    const module = await builder().compile();
    const { mail } = module.get(Signup);
    await module.get(Signup).greet('ada@example.com');
    await expect(module.get(MailRelayInbox)).toHaveReceived({ times: 1 });
    await module.close();
    await expect(mail.send({ to: 'a@example.com', subject: 's', text: 't' })).rejects.toMatchObject({
      code: 'RELAY_STOPPED',
    });
  });

  it.each(PLATFORMS)('and are served over HTTP on %s', async (_name, adapter) => {
    const module = await builder().compile();
    const app = module.createNestApplication(adapter(), { logger: false });
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    await app.get(Signup).greet('ada@example.com');
    const { url } = (await app.get(MailRelayInbox).last()).link('Go');
    const response = await fetch(url.replace('https://mail.example.com', await app.getUrl()), { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://acme.example/Ada']);
    expect((await fetch(`${await app.getUrl()}/mail-billing/health`)).status).toBe(200);
  });
});

describe('MailRelayTestModule.forRoot()', () => {
  it('makes a relay for modules that are tested alone', async () => {
    const imports = [SignupModule, MailRelayTestModule.forRoot({ from: 'Alone <alone@acme.example>' })];
    const module = await compiled(Test.createTestingModule({ imports }));
    await module.init();
    await module.get(Signup).greet('ada@example.com');
    expect(await module.get(MailRelayInbox).last({ template: 'welcome' })).toMatchObject({
      from: 'Alone <alone@acme.example>',
    });
    expect(module.get(Signup).told).toEqual(['ada@example.com']);
  });

  it('gives the inbox to providers of the test, and forgets on demand', async () => {
    @Injectable()
    class Probe {
      constructor(readonly inbox: MailRelayInbox) {}
    }
    const imports = [SignupModule, MailRelayTestModule.forRoot()];
    const module = await compiled(Test.createTestingModule({ imports, providers: [Probe] }));
    const { inbox } = module.get(Probe);
    await module.get(Signup).greet('ada@example.com');
    expect((await inbox.find({ to: 'ada@example.com' }))?.subject).toBe('Welcome, Ada');
    expect(await inbox.all()).toHaveLength(1);
    await inbox.clear();
    expect(await inbox.all()).toEqual([]);
  });

  it('makes relays by name', async () => {
    const imports = [MailRelayTestModule.forRoot({ name: 'billing', from: 'b@acme.example' })];
    const module = await compiled(Test.createTestingModule({ imports, providers: [Invoices] }));
    await module.get(Invoices).billing.send({ to: 'ada@example.com', subject: 'Invoice', text: 'Pay.' });
    await expect(mailRelayKit(module, 'billing').inbox).toHaveReceived({ subject: 'Invoice' });
    expect(() => mailRelayKit(module)).toThrow('there is no test relay without a name');
    await expect(module.get(MailRelayInbox).all()).rejects.toThrow('there is billing');
  });

  it('sets the clock and what else it says over the options of the application', async () => {
    const now = new Date('2027-03-01T09:00:00Z');
    const module = await compiled(
      beside(
        MailRelayTestModule.forRoot({ now, from: 'Test <t@acme.example>', templates: [{ ...welcome, name: 'other' }] }),
        MailRelayTestModule.forRoot({ name: 'billing', now: new Date(now.getTime() + DAY) }),
      ),
    );
    // Templates of features are there as well.
    await module.get(Signup).greet('ada@example.com');
    const mail = await module.get(MailRelayInbox).last({ template: 'welcome' });
    expect([mail.from, mail.header('date')]).toEqual(['Test <t@acme.example>', 'Mon, 01 Mar 2027 09:00:00 +0000']);
    expect((await module.get(Signup).mail.templates.render('other', { name: 'Ada' })).subject).toBe('Welcome, Ada');
    expect(mailRelayKit(module).clock.now()).toBe(now.getTime());
    expect(mailRelayKit(module, 'billing').clock.now()).toBe(now.getTime() + DAY);
  });
});

describe('beside MailRelayTestModule', () => {
  it('a provider that the test overrides stays as the test has it', async () => {
    const kit = await createTestRelay({ templates: [welcome] });
    onTestFinished(kit.stop);
    const module = await compiled(replaced().overrideProvider(MailRelayService).useValue(kit.relay));
    await module.init();
    await module.get(Signup).greet('ada@example.com');
    await expect(kit.inbox).toHaveReceived({ to: 'ada@example.com' });
    expect(() => mailRelayKit(module)).toThrow(/the test overrides it; there is billing/);
  });

  it('two relays of one name are refused', async () => {
    const imports = [MailRelayModule.forRoot(REAL), MailRelayModule.forRoot(REAL), MailRelayTestModule];
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toMatchObject({
      details: { option: 'name' },
    });
  });
});

describe('without MailRelayTestModule', () => {
  it('the relay of a test kit takes the place of the one of the application, by its token', async () => {
    const kit = await createTestRelay({ templates: [welcome] });
    onTestFinished(kit.stop);
    const imports = [SignupModule, MailRelayModule.forRoot(REAL)];
    const builder = Test.createTestingModule({ imports }).overrideProvider(getMailRelayToken()).useValue(kit.relay);
    const module = await compiled(builder);
    await module.init();
    await module.get(Signup).greet('ada@example.com');
    await expect(kit.inbox).toHaveReceived({ to: 'ada@example.com', times: 1 });
    expect(module.get(Signup).told).toEqual(['ada@example.com']);
  });

  it('the module class itself, without forRoot(), is refused with what to write', async () => {
    await expect(Test.createTestingModule({ imports: [MailRelayModule] }).compile()).rejects.toThrow(
      'import MailRelayModule.forRoot()',
    );
  });
});
