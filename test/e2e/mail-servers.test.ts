/** Against programs that others wrote: Postfix, Cyrus SASL, OpenDKIM, dkimpy, mailauth, SpamAssassin. */
import { Resolver } from 'node:dns/promises';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  directMx,
  type MailRelay,
  type MailRelayOptions,
  type MessageEvent,
  type RouteSpec,
  type SmtpOptions,
  smtp,
} from '../../packages/core/src/index.ts';
import { dkimpyVerdicts, ED25519, hasDkimpy, RSA } from '../support/dkim.ts';
import { type FakeDns, fakeDns } from '../support/dns.ts';
import { relayWith } from '../support/relay.ts';
import { smtpServer } from '../support/smtp.ts';
import {
  DKIM_ZONE,
  type HandedOn,
  LOGIN,
  type MailServers,
  MOST_BYTES,
  MX_ADDRESS,
  startMailServers,
  whyNoMailServers,
} from './mail-servers.ts';
import { hasSpamAssassin, spamVerdicts } from './spamassassin.ts';

const why = whyNoMailServers();
const CLIENT = '127.0.1.1';
let servers: MailServers;

beforeAll(async () => {
  if (why === undefined) servers = await startMailServers();
});
afterAll(() => servers?.stop());

it.runIf(process.env.CI)('all programs are here', () => {
  expect({ why, hasDkimpy, hasSpamAssassin }).toEqual({ why: undefined, hasDkimpy: true, hasSpamAssassin: true });
});

const KEYS = [
  { domain: 'sender.test', selector: 'r1', privateKey: RSA },
  { domain: 'sender.test', selector: 'e1', privateKey: ED25519 },
];

function relayOver(
  route: RouteSpec,
  over: MailRelayOptions = {},
): { readonly relay: MailRelay; next(to: string): Promise<MessageEvent> } {
  const relay = relayWith({
    from: 'App <app@sender.test>',
    dkim: { keys: KEYS },
    routes: [route],
    thread: false,
    tracking: { opens: true, clicks: true },
    ...over,
  });
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  return {
    relay,
    async next(to) {
      const { id } = await relay.send({
        to,
        subject: 'Ééé 🌷',
        html: `<p>Dear ${to}: <a href="https://sender.test">é</a></p>`,
      });
      const isAnswer = (event: MessageEvent): boolean =>
        event.messageId === id && !['accepted', 'queued'].includes(event.type);
      await expect.poll(() => events.find(isAnswer), { timeout: 20_000 }).toBeDefined();
      return events.find(isAnswer) as MessageEvent;
    },
  };
}

async function handedOn(to: string): Promise<HandedOn> {
  await expect.poll(() => servers.handedOn.find((mail) => mail.to === to), { timeout: 20_000 }).toBeDefined();
  return servers.handedOn.find((mail) => mail.to === to) as HandedOn;
}

const smarthost = (more: Partial<SmtpOptions> = {}): RouteSpec =>
  smtp({
    host: 'localhost',
    port: servers.smarthost.port,
    auth: LOGIN,
    requireTls: true,
    tls: { ca: servers.smarthost.ca },
    ...more,
  });

describe.skipIf(why !== undefined)('Postfix as a smarthost', () => {
  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)('takes a mail over STARTTLS with AUTH %s', async (method) => {
    const to = `${method.toLowerCase()}@elsewhere.test`;
    const event = await relayOver(smarthost({ auth: { ...LOGIN, method } })).next(to);
    expect(event).toMatchObject({ type: 'sent', reply: expect.stringMatching(/^250 2\.0\.0 Ok: queued as/) });
    const { transcript } = event as Extract<MessageEvent, { type: 'sent' }>;
    expect(transcript?.tls).toBe(true);
    const mail = await handedOn(to);
    expect(mail.source).toMatch(/by mx\.receiver\.test \(Postfix\) with ESMTPSA id/);
    expect(dkimpyVerdicts(Buffer.from(mail.source, 'latin1'), DKIM_ZONE)).toEqual([true, true]);
  });

  it('answers 4xx and 5xx to recipients, and each means what it says', async () => {
    const { relay, next } = relayOver(smarthost());
    expect(await next('full@elsewhere.test')).toMatchObject({
      type: 'deferred',
      status: '4.2.2',
      reason: 'mailbox-full',
    });
    expect(await next('gone@elsewhere.test')).toMatchObject({
      type: 'bounced',
      kind: 'hard',
      status: '5.1.1',
      reason: 'no-such-mailbox',
    });
    expect((await relay.suppressions.list()).items.map(({ address }) => address)).toEqual(['gone@elsewhere.test']);
  });

  it('says its SIZE, and a longer mail is refused before it is sent', async () => {
    const { relay } = relayOver(smarthost());
    const bounced = new Promise<MessageEvent>((resolve) => relay.on('bounced', resolve));
    await relay.send({ to: 'ada@elsewhere.test', subject: 'Long', text: 'long '.repeat(MOST_BYTES / 5) });
    const event = await bounced;
    expect(event).toMatchObject({ type: 'bounced', kind: 'soft', reason: 'message-too-big' });
    expect('transcript' in event && event.transcript?.steps.map(({ step }) => step)).not.toContain('DATA');
  });

  it('verifies, and says what fails: a wrong password, no AUTH without TLS, a certificate of nobody', async () => {
    const check = async (more: Partial<SmtpOptions>) => (await relayOver(smarthost(more)).relay.routes.verify())[0];
    expect(await check({})).toMatchObject({ ok: true, tls: true });
    const wrong = await check({ auth: { ...LOGIN, pass: 'wrong' } });
    expect(wrong).toMatchObject({
      ok: false,
      failure: { step: 'AUTH', reason: 'auth-failure', reply: expect.stringMatching(/^535 5\.7\.8/) },
    });
    expect(JSON.stringify(wrong)).not.toContain('wrong"');
    expect(await check({ requireTls: false, ignoreTls: true })).toMatchObject({ ok: false, failure: { step: 'AUTH' } });
    expect(await check({ tls: {} })).toMatchObject({ ok: false, failure: { step: 'STARTTLS', reason: 'tls' } });
    expect((await relayOver(smarthost()).next('afterwards@elsewhere.test')).type).toBe('sent');
  });
});

describe.skipIf(why !== undefined)("Postfix as the recipient's MX", () => {
  async function direct(more: FakeDns['zone'] = {}): Promise<{ readonly route: RouteSpec; readonly dns: FakeDns }> {
    const dns = await fakeDns({
      'receiver.test': {
        MX: [
          [10, 'down.receiver.test'],
          [20, 'mx.receiver.test'],
        ],
      },
      'down.receiver.test': { A: ['127.0.0.8'] },
      'mx.receiver.test': { A: [MX_ADDRESS] },
      'sender.test': { TXT: [`v=spf1 ip4:${CLIENT} -all`], MX: [[10, 'mx.receiver.test']] },
      '_dmarc.sender.test': { TXT: ['v=DMARC1; p=reject; adkim=s; aspf=s'] },
      ...Object.fromEntries(Object.entries(DKIM_ZONE).map(([name, record]) => [name, { TXT: [record] }])),
      ...more,
    });
    const route = directMx({
      hostname: 'out.sender.test',
      localAddresses: [CLIENT],
      ports: { smtp: servers.mxPort },
      dns: { servers: [dns.server], timeoutMs: 1000, tries: 1 },
      allowPrivateAddresses: true,
    });
    return { route, dns };
  }

  it('takes the mail; OpenDKIM and dkimpy find its signatures good, mailauth its SPF and DMARC', async () => {
    const { route, dns } = await direct();
    const event = await relayOver(route).next('ada@receiver.test');
    expect(event).toMatchObject({
      type: 'sent',
      transcript: { host: 'mx.receiver.test', address: MX_ADDRESS, localAddress: CLIENT, tls: true },
    });
    const source = Buffer.from((await handedOn('ada@receiver.test')).source, 'latin1');
    const results = /^Authentication-Results: mx\.receiver\.test;(?:.*\r\n[ \t])*.*$/m.exec(
      source.toString('latin1'),
    )?.[0];
    expect(results?.match(/dkim=pass/g)).toHaveLength(2);
    expect(dkimpyVerdicts(source, DKIM_ZONE)).toEqual([true, true]);

    const resolver = new Resolver();
    resolver.setServers([dns.server]);
    const { dkim, spf, dmarc } = await authenticate(source, {
      ip: CLIENT,
      helo: 'out.sender.test',
      sender: 'app@sender.test',
      resolver: (name, type) => resolver.resolve(name, type as 'TXT') as Promise<string[][]>,
    });
    expect(dkim.results.map(({ status }) => status.result)).toEqual(['pass', 'pass']);
    expect(spf).toMatchObject({ status: { result: 'pass' } });
    expect(dmarc).toMatchObject({
      status: { result: 'pass' },
      policy: 'reject',
      alignment: { spf: { result: 'sender.test' } },
    });
  });

  it('sees a mail whose bounces have a domain of their own: SPF there, and DMARC by it alone, as check() says', async () => {
    const { route, dns } = await direct({
      'sender.test': { TXT: ['v=spf1 -all'] },
      '_dmarc.sender.test': { TXT: ['v=DMARC1; p=reject'] },
      'bounces.sender.test': { TXT: [`v=spf1 ip4:${CLIENT} -all`], MX: [[10, 'mx.receiver.test']] },
    });
    const resolver = new Resolver();
    resolver.setServers([dns.server]);
    const bounceDomain = { 'other.test': 'bounces.other.test', 'sender.test': 'bounces.sender.test' };
    const { relay, next } = relayOver(route, { dkim: { keys: [] }, bounceDomain });
    expect(await next('bob@receiver.test')).toMatchObject({ type: 'sent' });
    const { from, source } = await handedOn('bob@receiver.test');
    expect(from).toMatch(/^bounce\+[0-9a-z]+@bounces\.sender\.test$/);
    const { dkim, spf, dmarc } = await authenticate(Buffer.from(source, 'latin1'), {
      ip: CLIENT,
      helo: 'out.sender.test',
      sender: from,
      resolver: (name, type) => resolver.resolve(name, type as 'TXT') as Promise<string[][]>,
    });
    expect(dkim.results.map(({ status }) => status.result)).toEqual(['none']);
    expect(spf).toMatchObject({ status: { result: 'pass' }, domain: 'bounces.sender.test' });
    expect(dmarc).toMatchObject({
      status: { result: 'pass' },
      policy: 'reject',
      alignment: { spf: { result: 'bounces.sender.test' }, dkim: { result: undefined } },
    });
    const { findings } = await relay.domains.check('sender.test', { resolver });
    expect(findings.map(({ code, name }) => [code, name])).toEqual(
      expect.arrayContaining([
        ['spf-ok', 'bounces.sender.test'],
        ['return-path-ok', 'bounces.sender.test'],
        ['dmarc-spf-alone', '_dmarc.sender.test'],
      ]),
    );
  });

  it('refuses recipients for good and for now, and greylists; nobody but the unknown one is suppressed', async () => {
    const { relay, next } = relayOver((await direct()).route);
    expect(await next('nobody@receiver.test')).toMatchObject({
      type: 'bounced',
      reason: 'no-such-mailbox',
      status: '5.1.1',
    });
    expect(await next('later@receiver.test')).toMatchObject({
      type: 'deferred',
      reason: 'greylisted',
      status: '4.7.1',
    });
    expect((await relay.suppressions.list()).items.map(({ address }) => address)).toEqual(['nobody@receiver.test']);
  });
});

describe.skipIf(!hasSpamAssassin)('SpamAssassin', () => {
  it('has nothing against the form of the mails: text, a template, attachments, a newsletter', async () => {
    const inbox = await smtpServer();
    const relay = relayWith({
      from: 'App <app@sender.test>',
      thread: false,
      dkim: { keys: KEYS },
      routes: [smtp(`smtp://127.0.0.1:${inbox.port}`)],
      tracking: { opens: true, clicks: true },
      templates: [{ name: 'welcome', subject: 'Welcome, {{name}}', html: WELCOME }],
    });
    await relay.send({ to: 'Ada <ada@receiver.test>', subject: 'Your order', text: 'It is on its way to you.' });
    await relay.send({ to: 'ada@receiver.test', template: 'welcome', data: { name: 'Zoë 字' } });
    await relay.send({
      to: 'ada@receiver.test',
      subject: 'Ihre Rechnung für März',
      text: 'Guten Tag, anbei die Rechnung für März. '.repeat(90),
      html: `<html><body><p>${'Guten Tag, anbei die Rechnung für März. '.repeat(90)}</p></body></html>`,
      attachments: [{ filename: 'Rechnung März.pdf', content: Buffer.alloc(3000, 7), contentType: 'application/pdf' }],
    });
    await relay.sendMany([{ to: 'ada@receiver.test', data: { name: 'Ada' } }], {
      campaign: 'spring',
      template: 'welcome',
    });
    await relay.stop({ drain: true });
    const hits = await spamVerdicts(inbox.mails.map(({ source }) => source));
    // What the mails are, and that nobody has delivered them yet.
    const facts = ['HTML_MESSAGE', 'NO_RECEIVED', 'NO_RELAYS', 'T_REMOTE_IMAGE'];
    expect(hits.map(({ rules }) => rules.filter((rule) => !facts.includes(rule)))).toEqual([[], [], [], []]);
    for (const { score } of hits) expect(score).toBeLessThan(0.5);
  });
});

const WELCOME = `<html><body><h1>Hello {{name}}</h1><p>${'Good to have you with us, and many thanks for your order. '.repeat(70)}</p><p><a href="https://sender.test/start">Start here</a></p></body></html>`;
