import { describe, expect, it } from 'vitest';
import { brevo, mailgun, type RouteSpec, sarbacane, sendgrid, ses } from '../../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../../support/certificate.ts';
import { RSA, recordOf, verdicts } from '../../../support/dkim.ts';
import { relayWith } from '../../../support/relay.ts';
import { type Inbox, smtpServer } from '../../../support/smtp.ts';

const certificate = localhostCertificate();
type Server = { host: string; port: number; tls: { ca: string } };

/** What a provider reads out of a header, by its documentation. */
const header = (source: string, name: string): string =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(source)?.[1]?.replace(/\r\n/g, '') ?? '';

const json = (source: string, name: string): Record<string, unknown> => JSON.parse(header(source, name));

interface Case {
  readonly route: (server: Server) => RouteSpec;
  readonly user: string;
  readonly reply: string;
  readonly id: string | undefined;
  delivery(source: string): unknown;
}

const CASES: Readonly<Record<string, Case>> = {
  ses: {
    route: (server) => ses({ region: 'eu-west-3', user: 'AKIA', pass: 'secret', configurationSet: 'news', server }),
    user: 'AKIA',
    reply: 'Ok 010001727bf05c7f-8ff7cc5f-aea3-4284-91ea-51f2f82c4469-000000',
    id: '010001727bf05c7f-8ff7cc5f-aea3-4284-91ea-51f2f82c4469-000000',
    delivery(source) {
      expect(header(source, 'X-SES-CONFIGURATION-SET')).toBe('news');
      const tags = header(source, 'X-SES-MESSAGE-TAGS').split(/,\s*/);
      for (const tag of tags) expect(tag).toMatch(/^[\w-]{1,256}=[\w-]{1,256}$/);
      return Object.fromEntries(tags.map((tag) => tag.split('='))).mail_relay_delivery;
    },
  },
  sendgrid: {
    route: (server) => sendgrid({ apiKey: 'secret', server }),
    user: 'apikey',
    reply: 'Ok: queued as 1kFYqBqwRrOZ1F6dzPVZwA',
    id: '1kFYqBqwRrOZ1F6dzPVZwA',
    delivery(source) {
      const api = json(source, 'X-SMTPAPI');
      expect(api.category).toEqual(['welcome', 'ete']);
      const off = { settings: { enable: 0 } };
      expect(api.filters).toEqual({ opentrack: off, clicktrack: off });
      const { mail_relay_delivery, mail_relay_campaign } = api.unique_args as Record<string, string>;
      expect(mail_relay_campaign).toBe('Printemps été 🌷');
      return mail_relay_delivery;
    },
  },
  mailgun: {
    route: (server) => mailgun({ user: 'postmaster@mg.example.com', pass: 'secret', server }),
    user: 'postmaster@mg.example.com',
    reply: 'Great success',
    id: undefined,
    delivery(source) {
      expect(source.match(/^X-Mailgun-Tag: .*$/gm)).toEqual(['X-Mailgun-Tag: welcome', 'X-Mailgun-Tag: ete']);
      for (const name of ['Track', 'Track-Opens', 'Track-Clicks'])
        expect(header(source, `X-Mailgun-${name}`)).toBe('no');
      return json(source, 'X-Mailgun-Variables').mail_relay_delivery;
    },
  },
  brevo: {
    route: (server) => brevo({ user: 'ada@example.com', key: 'secret', server }),
    user: 'ada@example.com',
    reply: '2.0.0 OK: queued as <202508020358.47907466195@smtp-relay.sendinblue.com>',
    id: '202508020358.47907466195@smtp-relay.sendinblue.com',
    delivery(source) {
      expect(header(source, 'X-Mailin-Tag')).toBe('welcome,ete');
      const custom = header(source, 'X-Mailin-custom').split('|');
      return Object.fromEntries(custom.map((one) => one.split(':'))).mail_relay_delivery;
    },
  },
  sarbacane: {
    route: (server) => sarbacane({ user: 'account', apiKey: 'secret', server }),
    user: 'account',
    reply: '2.0.0 Ok: queued as 4F3A1C0042',
    id: '4F3A1C0042',
    delivery(source) {
      expect(json(source, 'X-TM-TAGS')).toEqual(['welcome', 'été']);
      expect(json(source, 'X-TM-TRACKING')).toEqual({ html: { open: 0, click: 0 }, text: { click: 0 } });
      return json(source, 'X-TM-META').mail_relay_delivery;
    },
  },
};

async function server(reply: string): Promise<Inbox & { readonly users: string[]; readonly options: Server }> {
  const users: string[] = [];
  const mails: Inbox['mails'] = [];
  const inbox = await smtpServer({
    ...certificate,
    authOptional: false,
    disabledCommands: [],
    onAuth({ username, password }, _session, done) {
      users.push(username ?? '');
      done(password === 'secret' ? null : new Error('no'), { user: username });
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({
          to: session.envelope.rcptTo[0]?.address ?? '',
          source: Buffer.concat(chunks).toString(),
          session,
        });
        done(null, reply);
      });
    },
  });
  return { ...inbox, mails, users, options: { host: 'localhost', port: inbox.port, tls: { ca: certificate.cert } } };
}

describe.each(Object.entries(CASES))('%s', (name, { route, user, reply, id, delivery }) => {
  it('logs in, gets the delivery id and hands its own id back', async () => {
    const { users, mails, options } = await server(reply);
    const relay = relayWith({ thread: false, routes: [route(options)], tracking: { opens: true, clicks: true } });
    const sent: unknown[] = [];
    relay.on('sent', ({ providerId }) => void sent.push(providerId));
    const { deliveries } = await relay.send({
      to: 'ada@example.com',
      subject: 'Hi',
      html: '<p>Hi</p>',
      campaign: 'Printemps été 🌷',
      tags: ['welcome', 'été'],
    });
    await relay.stop({ drain: true });
    expect(users).toEqual([user]);
    expect(mails[0]?.session.secure).toBe(true);
    expect(delivery(mails[0]?.source ?? '')).toBe(deliveries[0]?.id);
    expect(sent).toEqual([id]);
  });

  it('signs what the provider leaves as it is', async () => {
    const { mails, options } = await server(reply);
    const dkim = { keys: [{ domain: 'example.com', selector: 's1', privateKey: RSA }] };
    const relay = relayWith({ thread: false, routes: [route(options)], dkim });
    await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' });
    await relay.stop({ drain: true });
    const source = mails[0]?.source ?? '';
    // SES writes both anew (https://docs.aws.amazon.com/ses/latest/dg/header-fields.html).
    const passed = name === 'ses' ? source.replace(/^(Message-ID|Date): .*$/gm, '$1: another') : source;
    expect(passed === source).toBe(name !== 'ses');
    expect(await verdicts(passed, { 's1._domainkey.example.com': recordOf(RSA) })).toEqual([
      'pass rsa-sha256 s1.example.com',
    ]);
    expect(header(source, 'DKIM-Signature').includes('Message-ID')).toBe(name !== 'ses');
  });

  it('is verified without a mail', async () => {
    const { mails, options } = await server(reply);
    const relay = relayWith({ thread: false, routes: [route(options)] });
    const [check] = await relay.routes.verify();
    expect(check).toMatchObject({ ok: true, tls: true, failure: undefined });
    expect(check?.steps.map(({ step }) => step)).toEqual(expect.arrayContaining(['EHLO', 'STARTTLS', 'AUTH']));
    expect(mails).toEqual([]);
  });

  it('refuses too many tags before anything is stored', async () => {
    const relay = relayWith({
      thread: false,
      routes: [route({ host: 'localhost', port: 1, tls: { ca: certificate.cert } })],
    });
    const tags = Array.from({ length: 30 }, (_, index) => `tag${index}`);
    await expect(relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi', tags })).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
    });
    expect((await relay.messages.list()).items).toEqual([]);
  });
});
