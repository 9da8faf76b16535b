import { describe, expect, it } from 'vitest';
import { brevo, mailgun, type RouteSpec, sarbacane, sendgrid, ses, smtp } from '../../../../packages/core/src/index.ts';
import { RSA, recordOf, verdicts } from '../../../support/dkim.ts';
import { relayWith } from '../../../support/relay.ts';
import { type Inbox, smtpServer } from '../../../support/smtp.ts';
import { certificate, header, json, type Server, server } from './setting.ts';

interface Case {
  readonly route: (server: Server) => RouteSpec;
  readonly user: string;
  readonly reply: string;
  readonly id: string | undefined;
  /** As it gets there. @default as it was given */
  readonly campaign?: string;
  readonly tags: readonly (string | undefined)[];
  /** What the provider is told, as it reads it. */
  told(source: string): { readonly delivery: unknown; readonly campaign: unknown; readonly tags: unknown };
}

const CAMPAIGN = 'Printemps été 🌷';
const named = (all: Record<string, unknown>, tags: unknown) => ({
  delivery: all.mail_relay_delivery,
  campaign: all.mail_relay_campaign,
  tags,
});

const CASES: Readonly<Record<string, Case>> = {
  ses: {
    route: (server) => ses({ region: 'eu-west-3', user: 'AKIA', pass: 'secret', configurationSet: 'news', server }),
    user: 'AKIA',
    reply: 'Ok 010001727bf05c7f-8ff7cc5f-aea3-4284-91ea-51f2f82c4469-000000',
    id: '010001727bf05c7f-8ff7cc5f-aea3-4284-91ea-51f2f82c4469-000000',
    // One stands for the space, and one for the flower.
    campaign: 'Printemps_ete__',
    tags: ['welcome', 'ete', 'ete'],
    told(source) {
      expect(header(source, 'X-SES-CONFIGURATION-SET')).toBe('news');
      const tags = header(source, 'X-SES-MESSAGE-TAGS').split(/,\s*/);
      for (const tag of tags) expect(tag).toMatch(/^[\w-]{1,256}=[\w-]{1,256}$/);
      const all = Object.fromEntries(tags.map((tag) => tag.split('=')));
      expect(all.stream).toBe('transactional');
      return named(all, [all.tag_1, all.tag_2, all.tag_3]);
    },
  },
  sendgrid: {
    route: (server) => sendgrid({ apiKey: 'secret', server }),
    user: 'apikey',
    reply: 'Ok: queued as 1kFYqBqwRrOZ1F6dzPVZwA',
    id: '1kFYqBqwRrOZ1F6dzPVZwA',
    tags: ['welcome', 'ete'],
    told(source) {
      const api = json(source, 'X-SMTPAPI');
      const off = { settings: { enable: 0 } };
      expect(api.filters).toEqual({ opentrack: off, clicktrack: off });
      return named(api.unique_args as Record<string, string>, api.category);
    },
  },
  mailgun: {
    route: (server) => mailgun({ user: 'postmaster@mg.example.com', pass: 'secret', server }),
    user: 'postmaster@mg.example.com',
    reply: 'Great success',
    id: undefined,
    tags: ['welcome', 'ete'],
    told(source) {
      for (const name of ['Track', 'Track-Opens', 'Track-Clicks'])
        expect(header(source, `X-Mailgun-${name}`)).toBe('no');
      return named(
        json(source, 'X-Mailgun-Variables'),
        [...source.matchAll(/^X-Mailgun-Tag: (.*)\r$/gm)].map(([, tag]) => tag),
      );
    },
  },
  brevo: {
    route: (server) => brevo({ user: 'ada@example.com', key: 'secret', server }),
    user: 'ada@example.com',
    reply: '2.0.0 OK: queued as <202508020358.47907466195@smtp-relay.sendinblue.com>',
    id: '202508020358.47907466195@smtp-relay.sendinblue.com',
    tags: ['welcome', 'ete'],
    told(source) {
      const custom = header(source, 'X-Mailin-custom').split('|');
      const all = Object.fromEntries(custom.map((one) => one.split(':').map(decodeURIComponent)));
      return named(all, header(source, 'X-Mailin-Tag').split(','));
    },
  },
  sarbacane: {
    route: (server) => sarbacane({ user: 'account', apiKey: 'secret', server }),
    user: 'account',
    reply: '2.0.0 Ok: queued as 4F3A1C0042',
    id: '4F3A1C0042',
    tags: ['welcome', 'été', 'ete'],
    told(source) {
      expect(json(source, 'X-TM-TRACKING')).toEqual({ html: { open: 0, click: 0 }, text: { click: 0 } });
      return named(json(source, 'X-TM-META'), json(source, 'X-TM-TAGS'));
    },
  },
};

/** Mails come in any order. */
function withSubject(mails: Inbox['mails'], subject: string): string {
  return mails.find(({ source }) => header(source, 'Subject') === subject)?.source ?? '';
}

describe('a mail that changes between Amazon SES and another route', () => {
  const send = async (routes: readonly RouteSpec[]): Promise<void> => {
    const relay = relayWith({ thread: false, routes, tracking: { clicks: true } });
    const html = '<p><a href="https://a.example/">A</a></p>';
    await relay.send({ to: 'ada@example.com', subject: 'Hi', html, tracking: { clicks: true } });
    await relay.stop({ drain: true });
  };
  const nowhere: Server = { host: 'localhost', port: 1, tls: { ca: certificate.cert } };
  const region = { region: 'eu-west-3', user: 'AKIA', pass: 'secret' };

  it('has the attribute of SES on its links there alone', async () => {
    const other = await smtpServer();
    const plain = (port: number) => smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name: 'plain' });
    await send([ses({ ...region, server: nowhere }), plain(other.port)]);
    expect(other.mails[0]?.source).toContain('<a href="https://mail.example.com/mail/c/');
    const amazon = await server('Ok 0100-000000');
    await send([plain(1), ses({ ...region, server: amazon.options })]);
    expect(amazon.mails[0]?.source).toContain('<a ses:no-track href="https://mail.example.com/mail/c/');
  });
});

describe.each(Object.entries(CASES))('%s', (name, { route, user, reply, id, told, campaign = CAMPAIGN, tags }) => {
  it('logs in, gets the delivery id and hands its own id back', async () => {
    const { users, mails, options } = await server(reply);
    const relay = relayWith({ thread: false, routes: [route(options)], tracking: { opens: true, clicks: true } });
    const sent: unknown[] = [];
    relay.on('sent', ({ providerId }) => void sent.push(providerId));
    const { deliveries } = await relay.send({
      to: 'ada@example.com',
      subject: 'Hi',
      html: '<p>Hi</p>',
      campaign: CAMPAIGN,
      tags: ['welcome', 'été', 'ete'],
    });
    await relay.stop({ drain: true });
    expect(users).toEqual([user]);
    expect(mails[0]?.session.secure).toBe(true);
    expect(told(mails[0]?.source ?? '')).toEqual({ delivery: deliveries[0]?.id, campaign, tags });
    expect(sent).toEqual([id]);
  });

  it('has on tracked links that they are not to be tracked where no header says so, and nothing signs it', async () => {
    const { mails, options } = await server(reply);
    const dkim = { keys: [{ domain: 'signed.example', selector: 's1', privateKey: RSA }] };
    const relay = relayWith({ thread: false, routes: [route(options)], dkim, tracking: { opens: true } });
    const html = '<p><a href="https://a.example/">A</a></p>';
    const mail = { to: 'ada@example.com', html, text: 'See https://a.example/' };
    await relay.send({ ...mail, subject: 'Tracked', tracking: { clicks: true } });
    await relay.send({ ...mail, subject: 'Signed', tracking: { clicks: true }, from: 'app@signed.example' });
    await relay.send({ ...mail, subject: 'Untracked' });
    await relay.stop({ drain: true });
    const tracked = withSubject(mails, 'Tracked');
    const signed = withSubject(mails, 'Signed');
    const untracked = withSubject(mails, 'Untracked');
    const mark = name === 'ses' ? ' ses:no-track' : '';
    expect(tracked).toContain(`<a${mark} href="https://mail.example.com/mail/c/`);
    expect(tracked.split('ses:no-track')).toHaveLength(name === 'ses' ? 2 : 1);
    expect(signed).toContain('<a href="https://mail.example.com/mail/c/');
    expect(await verdicts(signed, { 's1._domainkey.signed.example': recordOf(RSA) })).toEqual([
      'pass rsa-sha256 s1.signed.example',
    ]);
    expect(untracked).toContain('<a href="https://a.example/">');
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

  it('gives each recipient of a message a transaction of its own', async () => {
    const { envelopes, options } = await server(reply);
    const relay = relayWith({ thread: false, routes: [route(options)] });
    const people = ['ada', 'bob', 'cleo', 'dan', 'eve'].map((person) => `${person}@example.com`);
    const [first = '', second = '', third = '', ...bcc] = people;
    await relay.send({ to: [first, second], cc: third, bcc, subject: 'Hi', text: 'Hi' });
    await relay.stop({ drain: true });
    expect(envelopes.toSorted()).toEqual(people.map((person) => [person]));
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
