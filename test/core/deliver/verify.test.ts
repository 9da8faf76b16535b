import { describe, expect, it } from 'vitest';
import {
  brevo,
  directMx,
  mailgun,
  type RouteSpec,
  type SmtpOptions,
  sarbacane,
  sendgrid,
  ses,
  smtp,
} from '../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { fakeDns, patienceWith, type Zone } from '../../support/dns.ts';
import { relayWith } from '../../support/relay.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';

const certificate = localhostCertificate();
type Server = Omit<SmtpOptions, 'auth'>;

/** A way to a server with the login of each preset, and of smtp(). */
const WAYS: Readonly<Record<string, (server: Server) => RouteSpec>> = {
  'smtp()': (server) => smtp({ ...server, auth: { user: 'app', pass: 'secret word' } }),
  'ses()': (server) => ses({ region: 'eu-west-3', user: 'AKIA', pass: 'secret word', server }),
  'sendgrid()': (server) => sendgrid({ apiKey: 'secret word', server }),
  'mailgun()': (server) => mailgun({ user: 'postmaster@mg.example.com', pass: 'secret word', server }),
  'brevo()': (server) => brevo({ user: 'ada@example.com', key: 'secret word', server }),
  'sarbacane()': (server) => sarbacane({ user: 'account', apiKey: 'secret word', server }),
};

const failure = async (route: RouteSpec): Promise<{ step: string; reply: string; reason: string; hint: string }> => {
  const [check] = await relayWith({ thread: false, routes: [route] }).routes.verify();
  expect(check).toMatchObject({ ok: false, checked: true });
  // Neither as it is, nor as AUTH writes it.
  for (const secret of ['secret word', Buffer.from('secret word').toString('base64')])
    expect(JSON.stringify(check)).not.toContain(secret);
  return check?.failure as never;
};

const trusting = { host: 'localhost', tls: { ca: certificate.cert } } as const;

describe.each(Object.entries(WAYS))('verify() of %s says why it does not work:', (name, way) => {
  it('a wrong password', async () => {
    const { port } = await smtpServer({
      ...certificate,
      authOptional: false,
      disabledCommands: [],
      onAuth: ({ password }, _session, done) => done(new Error(`5.7.8 ${password} is wrong`)),
    });
    const found = await failure(way({ ...trusting, port }));
    expect(found).toMatchObject({
      step: 'AUTH',
      reason: 'auth-failure',
      reply: expect.stringMatching(/^535 .*\*\*\*/),
    });
    const words = {
      'ses()': /IAM/,
      'sendgrid()': /apikey/,
      'mailgun()': /postmaster@/,
      'brevo()': /xsmtpsib/,
      'sarbacane()': /API keys/,
    };
    expect(found.hint).toMatch(words[name as keyof typeof words] ?? /auth\.pass/);
  });

  it('AUTH is not offered', async () => {
    const { port } = await smtpServer({ ...certificate, disabledCommands: ['AUTH'] });
    expect(await failure(way({ ...trusting, port }))).toMatchObject({ step: 'AUTH', reason: 'auth-failure' });
  });

  it('TLS is not offered, and was asked for', async () => {
    const { port } = await smtpServer();
    expect(await failure(way({ ...trusting, port, requireTls: true }))).toMatchObject({
      step: 'STARTTLS',
      reason: 'tls',
      hint: expect.stringContaining('`requireTls: false`'),
    });
  });

  it('a certificate that nobody vouches for', async () => {
    const { port } = await smtpServer({ ...certificate, disabledCommands: [] });
    const found = await failure(way({ host: 'localhost', port }));
    expect(found).toMatchObject({
      step: 'STARTTLS',
      reason: 'tls',
      hint: expect.stringMatching(/tls\.ca.*`ignoreTls: true`/),
    });
  });

  it('a greeting that turns away', async () => {
    const { port } = await rawServer(
      (socket, line) => void (line === undefined && socket.end('554 5.7.1 Go away\r\n')),
    );
    expect(await failure(way({ ...trusting, port }))).toMatchObject({
      step: 'CONN',
      reply: expect.stringContaining('554 5.7.1 Go away'),
      hint: expect.stringContaining('refuses this machine'),
    });
  });

  it('nobody listens, and a host that does not exist', async () => {
    const { port, server } = await smtpServer();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(await failure(way({ ...trusting, port }))).toMatchObject({
      step: 'CONN',
      hint: expect.stringContaining('nothing listens'),
    });
    const nowhere = await failure(way({ ...trusting, host: 'nowhere.invalid', port: 587 }));
    expect(nowhere).toMatchObject({ step: 'CONN', hint: expect.stringContaining('host name is not found') });
  });

  it('EHLO is refused', async () => {
    const { port } = await rawServer(
      politely((line) => (/^(EHLO|HELO)/.test(line) ? '550 5.7.1 Not with that name' : undefined)),
    );
    expect(await failure(way({ ...trusting, port }))).toMatchObject({ reply: expect.stringContaining('550 5.7.1') });
  });
});

describe('verify() of directMx()', () => {
  const direct = async (zone: Zone, localAddresses?: string[]): Promise<RouteSpec> => {
    const { server } = await fakeDns(zone);
    const dns = { servers: [server], timeoutMs: patienceWith(zone), tries: 1 };
    return directMx({ hostname: 'out.sender.test', dns, localAddresses });
  };

  it('finds its addresses on this machine and its name in the DNS', async () => {
    const route = await direct({ 'out.sender.test': { A: ['192.0.2.1'] } }, ['127.0.1.1', '127.0.1.2']);
    const [check] = await relayWith({ thread: false, routes: [route] }).routes.verify();
    expect(check).toMatchObject({ ok: true, checked: true, failure: undefined });
    expect(check?.steps.map(({ step, reply }) => `${step} ${reply}`)).toEqual([
      'BIND this machine has 127.0.1.1',
      'BIND this machine has 127.0.1.2',
      'DNS 192.0.2.1',
    ]);
  });

  it('says why it does not work: an address of another machine, a name without address, a DNS that does not answer', async () => {
    const zone: Zone = { 'out.sender.test': { A: ['192.0.2.1'] } };
    expect(await failure(await direct(zone, ['192.0.2.7']))).toMatchObject({
      step: 'BIND',
      reason: 'system',
      hint: expect.stringContaining('localAddresses'),
    });
    expect(await failure(await direct({}))).toMatchObject({
      step: 'DNS',
      reason: 'dns',
      reply: 'out.sender.test has no address',
    });
    expect(await failure(await direct({ 'out.sender.test': 'silence' }))).toMatchObject({
      step: 'DNS',
      reason: 'dns',
      hint: expect.stringContaining('dns.servers'),
    });
  });
});
