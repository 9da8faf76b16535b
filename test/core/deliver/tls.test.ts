import { networkInterfaces } from 'node:os';
import type { SMTPServerOptions } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';
import { mail, transportTo } from './transports.ts';

describe('TLS', () => {
  it('is used where the server offers it', async () => {
    const inbox = await smtpServer({ disabledCommands: [] });
    const { outcome, transcript } = await transportTo(inbox.port, { tls: { rejectUnauthorized: false } }).send(mail());
    expect([outcome.type, transcript.tls]).toEqual(['sent', true]);
    expect(inbox.mails[0]?.session.secure).toBe(true);
  });

  it('from the first byte works as well', async () => {
    const inbox = await smtpServer({ secure: true });
    const options = { secure: true, tls: { rejectUnauthorized: false } };
    const { outcome, transcript } = await transportTo(inbox.port, options).send(mail());
    expect([outcome.type, transcript.tls]).toEqual(['sent', true]);
  });

  it.each([true, false])('with a certificate that nobody vouches for is refused (implicit: %s)', async (secure) => {
    const inbox = await smtpServer({ secure, disabledCommands: [] });
    const { outcome } = await transportTo(inbox.port, { secure }).send(mail());
    expect(outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect(inbox.mails).toEqual([]);
  });

  it('that is required and not offered keeps the mail here', async () => {
    const inbox = await smtpServer();
    const { outcome } = await transportTo(inbox.port, { requireTls: true }).send(mail());
    expect(outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect(inbox.mails).toEqual([]);
  });

  it('is left alone where told so', async () => {
    const inbox = await smtpServer({ disabledCommands: [] });
    const { transcript } = await transportTo(inbox.port, { ignoreTls: true }).send(mail());
    expect([transcript.tls, inbox.mails[0]?.session.secure]).toEqual([false, false]);
  });
});

describe('AUTH', () => {
  const auth = { user: 'robot', pass: 'hunter2' };
  const onAuth: NonNullable<SMTPServerOptions['onAuth']> = ({ username, password }, _session, done) =>
    username === 'robot' && password === 'hunter2' ? done(null, { user: 'robot' }) : done(new Error('no'));

  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)('logs in by %s', async (method) => {
    const inbox = await smtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      authMethods: [method],
      onAuth(given, session, done) {
        const known = given.method === 'CRAM-MD5' ? given.validatePassword('hunter2') : given.password === 'hunter2';
        if (known && session) done(null, { user: 'robot' });
        else done(new Error('no'));
      },
    });
    expect((await transportTo(inbox.port, { auth: { ...auth, method } }).send(mail())).outcome.type).toBe('sent');
    expect(inbox.mails[0]?.session.user).toBe('robot');
  });

  it('with a wrong password keeps the mail here, blames nobody, and tells nobody the password', async () => {
    const inbox = await smtpServer({ authOptional: false, allowInsecureAuth: true, onAuth });
    const attempt = await transportTo(inbox.port, { auth: { ...auth, pass: 'hunter3' } }).send(mail());
    expect(attempt.outcome).toMatchObject({ type: 'deferred', reason: 'auth-failure' });
    const said = JSON.stringify(attempt);
    for (const secret of [
      'hunter3',
      Buffer.from('\0robot\0hunter3').toString('base64'),
      Buffer.from('hunter3').toString('base64'),
    ])
      expect(said).not.toContain(secret);
  });

  it('never goes in the clear to another machine', async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
    const offers = politely((line) => {
      if (line.startsWith('EHLO')) return '250-here\r\n250 AUTH PLAIN LOGIN';
      return line === 'STARTTLS' ? '502 5.5.1 what?' : undefined;
    });
    // An address of this machine that is none of its loopback stands for another machine.
    const server = await rawServer(offers, own ?? '127.0.0.1');
    const options = own === undefined ? { requireTls: true } : { host: own };
    const { outcome } = await transportTo(server.port, { ...options, auth }).send(mail());
    expect(outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect(server.lines.join('\n')).toMatch(/EHLO/);
    expect(server.lines.join('\n')).not.toMatch(/AUTH/);
  });

  it('that the server demands and nobody gave keeps the mail here', async () => {
    const inbox = await smtpServer({ authOptional: false, allowInsecureAuth: true, onAuth });
    const { outcome } = await transportTo(inbox.port).send(mail());
    expect(outcome).toMatchObject({ type: expect.stringMatching(/deferred|bounced/) });
    expect(outcome).not.toMatchObject({ suppress: true });
  });
});
