import { afterEach, describe, expect, it, vi } from 'vitest';
import { brevo, mailgun, type RouteSpec, sarbacane, sendgrid, ses } from '../../../../packages/core/src/index.ts';
import { relayWith } from '../../../support/relay.ts';

interface Preset {
  readonly make: (options?: object) => RouteSpec;
  /** Options beside the credentials. */
  readonly options?: object;
  readonly host: string;
  /** Where the login comes from: option, environment variable, a value. */
  readonly credentials: readonly (readonly [option: string, variable: string, value: string])[];
  readonly user: string;
  readonly maxTags: number;
  readonly maxName: number;
  readonly maxMegabytes: number;
  /** A header that is the preset's own. */
  readonly owns: string;
}

const PRESETS: Readonly<Record<string, Preset>> = {
  ses: {
    make: ses as Preset['make'],
    options: { region: 'eu-west-3' },
    host: 'email-smtp.eu-west-3.amazonaws.com',
    credentials: [
      ['user', 'SES_SMTP_USER', 'AKIAEXAMPLE'],
      ['pass', 'SES_SMTP_PASSWORD', 'sesame-open'],
    ],
    user: 'AKIAEXAMPLE',
    maxTags: 20,
    maxName: 256,
    maxMegabytes: 40,
    owns: 'X-SES-MESSAGE-TAGS',
  },
  sendgrid: {
    make: sendgrid as Preset['make'],
    host: 'smtp.sendgrid.net',
    credentials: [['apiKey', 'SENDGRID_API_KEY', 'SG.sesame-open']],
    user: 'apikey',
    maxTags: 10,
    maxName: 255,
    maxMegabytes: 30,
    owns: 'X-SMTPAPI',
  },
  mailgun: {
    make: mailgun as Preset['make'],
    host: 'smtp.mailgun.org',
    credentials: [
      ['user', 'MAILGUN_SMTP_LOGIN', 'postmaster@mg.example.com'],
      ['pass', 'MAILGUN_SMTP_PASSWORD', 'sesame-open'],
    ],
    user: 'postmaster@mg.example.com',
    maxTags: 10,
    maxName: 128,
    maxMegabytes: 25,
    owns: 'X-Mailgun-Variables',
  },
  brevo: {
    make: brevo as Preset['make'],
    host: 'smtp-relay.brevo.com',
    credentials: [
      ['user', 'BREVO_SMTP_LOGIN', 'ada@example.com'],
      ['key', 'BREVO_SMTP_KEY', 'xsmtpsib-sesame-open'],
    ],
    user: 'ada@example.com',
    maxTags: 10,
    maxName: 200,
    maxMegabytes: 20,
    owns: 'X-Mailin-custom',
  },
  sarbacane: {
    make: sarbacane as Preset['make'],
    host: 'smtp.tipimail.com',
    credentials: [
      ['user', 'SARBACANE_SMTP_USER', 'account-user'],
      ['apiKey', 'SARBACANE_API_KEY', 'sesame-open'],
    ],
    user: 'account-user',
    maxTags: 10,
    maxName: 200,
    maxMegabytes: 20,
    owns: 'X-TM-META',
  },
};

afterEach(() => void vi.unstubAllEnvs());

/** The error that making a route throws. */
function refusalOf(make: () => unknown): { code: string; text: string } {
  try {
    make();
  } catch (error) {
    return { code: (error as { code: string }).code, text: `${(error as Error).message} ${JSON.stringify(error)}` };
  }
  throw new Error('it was not refused');
}

describe.each(Object.entries(PRESETS))('%s()', (name, preset) => {
  const { make, options = {}, host, credentials, user } = preset;
  const given = Object.fromEntries(credentials.map(([option, , value]) => [option, value]));

  it('names host, port and login, and asks for TLS', () => {
    expect(make({ ...options, ...given })).toMatchObject({
      kind: 'smtp',
      name,
      provider: { name },
      smtp: { host, port: 587, requireTls: true, auth: { user, pass: credentials.at(-1)?.[2] } },
    });
  });

  it('takes credentials from the environment, and options before it', () => {
    for (const [, variable, value] of credentials) vi.stubEnv(variable, value);
    expect(make(options)).toMatchObject({ smtp: { auth: { user, pass: credentials.at(-1)?.[2] } } });
    const [option = ''] = credentials.at(-1) ?? [];
    expect(make({ ...options, [option]: 'SG.another' })).toMatchObject({
      smtp: { auth: { user, pass: 'SG.another' } },
    });
  });

  it('refuses a missing credential and names its variable', () => {
    for (const [option, variable] of credentials) {
      vi.stubEnv(variable, '');
      const { code, text } = refusalOf(() => make({ ...options, ...given, [option]: undefined }));
      expect(code).toBe('OPTIONS_INVALID');
      expect(text).toContain(variable);
    }
  });

  it.each(['sesame-open\n', ' sesame-open', 'sésame', ''])('refuses the credential %j, and never says it', (value) => {
    for (const [option, variable] of credentials) {
      vi.stubEnv(variable, '');
      const byOption = refusalOf(() => make({ ...options, ...given, [option]: value }));
      vi.stubEnv(variable, value);
      const byVariable = refusalOf(() => make({ ...options, ...given, [option]: undefined }));
      for (const { code, text } of [byOption, byVariable]) {
        expect(code).toBe('OPTIONS_INVALID');
        expect(text).not.toMatch(/s[eé]same/);
      }
    }
  });

  it('refuses options that it does not have', () => {
    expect(refusalOf(() => make({ ...options, ...given, password: 'sesame-open' })).code).toBe('OPTION_UNSUPPORTED');
  });

  it('has its limits checked before anything is stored', async () => {
    const { maxTags, maxName, maxMegabytes, owns } = preset;
    const relay = relayWith({
      thread: false,
      routes: [make({ ...options, ...given, server: { host: '127.0.0.1', port: 1 } })],
    });
    const mail = { to: 'ada@example.com', subject: 'Hi', text: 'Hi' };
    const code = (more: object): Promise<unknown> =>
      relay.send({ ...mail, ...more }).then(
        () => 'taken',
        (error) => error.code,
      );
    const sendAt = new Date(Date.now() + 3_600_000);
    const tags = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}`);
    expect(await code({ sendAt, tags: tags(maxTags) })).toBe('taken');
    expect(await code({ tags: tags(maxTags + 1) })).toBe('MESSAGE_INVALID');
    expect(await code({ sendAt, tags: ['t'.repeat(Math.min(maxName, 100))] })).toBe('taken');
    expect(await code({ headers: { [owns]: 'mine' } })).toBe('HEADER_INVALID');
    // As base64 a third longer.
    const attachments = [{ filename: 'a.bin', content: Buffer.alloc(maxMegabytes * 0.74 * (1 << 20)) }];
    expect(await code({ attachments })).toBe('MESSAGE_TOO_LARGE');
    expect((await relay.messages.list()).items).toHaveLength(2);
  });
});

describe('regions', () => {
  it.each([
    [() => mailgun({ region: 'eu', user: 'u@mg.example', pass: 'p' }), 'smtp.eu.mailgun.org'],
    [() => sendgrid({ region: 'eu', apiKey: 'SG.k' }), 'smtp.eu.sendgrid.net'],
    [() => ses({ region: 'us-east-1', user: 'u', pass: 'p' }), 'email-smtp.us-east-1.amazonaws.com'],
    [() => ses({ region: 'il-central-1', user: 'u', pass: 'p' }), 'email-smtp.il-central-1.amazonaws.com'],
  ])('have hosts of their own: %#', (make, host) => {
    expect(make()).toMatchObject({ smtp: { host } });
  });

  it('come from the environment for SES, and one that nobody knows needs a host', () => {
    vi.stubEnv('AWS_REGION', 'eu-north-1');
    expect(ses({ user: 'u', pass: 'p' })).toMatchObject({ smtp: { host: 'email-smtp.eu-north-1.amazonaws.com' } });
    const login = { user: 'u', pass: 'p' };
    for (const region of ['moon-1', 'eu-central-2', 'mx-central-1'])
      expect(refusalOf(() => ses({ ...login, region })).code, region).toBe('OPTIONS_INVALID');
    expect(ses({ ...login, region: 'moon-1', server: { host: 'smtp.moon.example' } })).toMatchObject({
      smtp: { host: 'smtp.moon.example' },
    });
    expect(refusalOf(() => mailgun({ ...login, region: 'moon' as 'eu' })).code).toBe('OPTIONS_INVALID');
    expect(refusalOf(() => sendgrid({ apiKey: 'k', region: 'moon' as 'eu' })).code).toBe('OPTIONS_INVALID');
  });
});
