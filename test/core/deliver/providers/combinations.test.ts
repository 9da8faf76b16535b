import { describe, expect, it } from 'vitest';
import {
  brevo,
  createMailRelay,
  mailgun,
  type RouteSpec,
  type SmtpOptions,
  sarbacane,
  sendgrid,
  ses,
  smtp,
} from '../../../../packages/core/src/index.ts';
import { relayWith } from '../../../support/relay.ts';
import { smtpServer } from '../../../support/smtp.ts';

type Server = Partial<Omit<SmtpOptions, 'auth'>>;

/** The presets with logins of the right form; the secret of each has the word sesame. */
const PRESETS: Readonly<Record<string, (server?: Server) => RouteSpec>> = {
  ses: (server) => ses({ region: 'eu-west-3', user: 'AKIAEXAMPLE', pass: 'sesame', server }),
  sendgrid: (server) => sendgrid({ apiKey: 'SG.sesame', server }),
  mailgun: (server) => mailgun({ user: 'postmaster@mg.example.com', pass: 'sesame', server }),
  brevo: (server) => brevo({ user: 'ada@example.com', key: 'xsmtpsib-sesame', server }),
  sarbacane: (server) => sarbacane({ user: 'account', apiKey: 'sesame', server }),
};

/** The error that making a route throws, without a word of its secret. */
function refusalOf(make: () => unknown): { code: string; details: { option: string }; message: string } {
  try {
    make();
  } catch (error) {
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('sesame');
    return error as never;
  }
  throw new Error('it was not refused');
}

const host = 'mail.example.com';
const auth = { user: 'robot', pass: 'sesame' };

describe.each(Object.entries(PRESETS))('%s() and the encryption of its connection', (name, make) => {
  it.each<[string, Server, string]>([
    ['TLS is left out', { ignoreTls: true }, 'ignoreTls'],
    ['TLS is left out, at another host', { host, ignoreTls: true, requireTls: false }, 'ignoreTls'],
    ['TLS is left to the server', { requireTls: false }, 'requireTls'],
    ['TLS is asked for and left out', { requireTls: true, ignoreTls: true }, 'ignoreTls'],
    ['implicit TLS is asked for and left out', { secure: true, ignoreTls: true }, 'ignoreTls'],
    ['port 465 begins in the clear', { port: 465 }, 'port'],
    ['port 587 begins with TLS', { port: 587, secure: true }, 'port'],
    ['port 25 begins with TLS', { port: 25, secure: true }, 'port'],
  ])('is refused where %s', (_, server, option) => {
    expect(refusalOf(() => make(server))).toMatchObject({
      code: 'OPTIONS_INVALID',
      details: { option: `${name}().server.${option}` },
    });
  });

  it('is refused as well where the host changed the route by hand', () => {
    const route = make() as Extract<RouteSpec, { kind: 'smtp' }>;
    const changed = { ...route, smtp: { ...route.smtp, requireTls: false } };
    expect(refusalOf(() => createMailRelay({ store: ':memory:', routes: [changed] }))).toMatchObject({
      code: 'OPTIONS_INVALID',
      details: { option: 'smtp().requireTls' },
    });
  });

  it('takes a test server of this machine without TLS', async () => {
    const logins: string[] = [];
    const { port, mails } = await smtpServer({
      authOptional: false,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth({ password }, session, done) {
        logins.push(`${password} ${session.secure}`);
        done(null, { user: 'one' });
      },
    });
    const relay = relayWith({ thread: false, routes: [make({ host: '127.0.0.1', port, ignoreTls: true })] });
    await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' });
    await relay.stop({ drain: true });
    expect(logins).toEqual([expect.stringMatching(/sesame false$/)]);
    expect(mails).toHaveLength(1);
  });
});

describe('smtp() and the encryption of its connection', () => {
  it.each<[string | SmtpOptions, string]>([
    [{ host, requireTls: true, ignoreTls: true }, 'smtp().ignoreTls'],
    [{ host, secure: true, ignoreTls: true }, 'smtp().ignoreTls'],
    [{ host, ignoreTls: true, auth }, 'smtp().ignoreTls'],
    [{ host, port: 465 }, 'smtp().port'],
    [{ host, port: 587, secure: true }, 'smtp().port'],
    [{ host, port: 25, secure: true }, 'smtp().port'],
    [`smtp://robot:sesame@${host}:465`, 'smtp().port'],
    [`smtps://robot:sesame@${host}:587`, 'smtp().port'],
    [`smtps://robot:sesame@${host}:25`, 'smtp().port'],
  ])('refuses %j', (server, option) => {
    expect(refusalOf(() => smtp(server))).toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
  });

  it.each<[string | SmtpOptions]>([
    [{ host, port: 465, secure: true }],
    [{ host, port: 2465, secure: true, auth }],
    [{ host, port: 587, auth }],
    [{ host, port: 25 }],
    [{ host, ignoreTls: true }],
    // Said twice: it is meant.
    [{ host, ignoreTls: true, requireTls: false, auth }],
    [{ host: 'localhost', ignoreTls: true, auth }],
    [{ host: '::1', ignoreTls: true, auth }],
    [`smtps://robot:sesame@${host}`],
    [`smtp://robot:sesame@${host}:587?requireTls`],
  ])('takes %j', (server) => {
    expect(smtp(server).kind).toBe('smtp');
  });
});

describe('credentials of another kind', () => {
  const secretKey = 'sesame/K7MDENG+bPxRfiCYEXAMPLEKEYsesame1';
  it.each<[string, () => RouteSpec, string, RegExp]>([
    [
      'an API key of Brevo',
      () => brevo({ user: 'ada@example.com', key: 'xkeysib-sesame' }),
      'brevo().key',
      /xsmtpsib-/,
    ],
    [
      'a login of Mailgun without a domain',
      () => mailgun({ user: 'postmaster', pass: 'sesame' }),
      'mailgun().user',
      /@/,
    ],
    ['an id of a key of SendGrid', () => sendgrid({ apiKey: 'sesameABCDEFGHIJKLMNOP' }), 'sendgrid().apiKey', /SG\./],
    [
      'a secret access key of IAM',
      () => ses({ region: 'eu-west-3', user: 'AKIAEXAMPLE', pass: secretKey }),
      'ses().pass',
      /secret access key/,
    ],
    [
      'an access key of IAM that is temporary',
      () => ses({ region: 'eu-west-3', user: 'ASIAEXAMPLE', pass: 'sesame' }),
      'ses().user',
      /temporary/,
    ],
    [
      'the IAM user that the console made',
      () => ses({ region: 'eu-west-3', user: 'ses-smtp-user.20260101-120000', pass: 'sesame' }),
      'ses().user',
      /AKIA/,
    ],
  ])('%s is refused, with what to give instead', (_, make, option, says) => {
    expect(secretKey).toHaveLength(40);
    const error = refusalOf(make);
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
    expect(error.message).toMatch(says);
  });

  it('is taken by a server of one’s own, which has its own logins', () => {
    const server = { host: 'smtp.example.com' };
    expect(mailgun({ user: 'postmaster', pass: 'sesame', server }).kind).toBe('smtp');
    expect(sendgrid({ apiKey: 'sesame', server }).kind).toBe('smtp');
    expect(ses({ region: 'eu-west-3', user: 'robot', pass: secretKey, server }).kind).toBe('smtp');
  });

  it('a password of SES, which has four characters more, is taken', () => {
    const pass = `B${'a'.repeat(43)}`;
    expect(ses({ region: 'eu-west-3', user: 'AKIAIOSFODNN7EXAMPLE', pass }).kind).toBe('smtp');
  });
});
