import type { SMTPServerOptions } from 'smtp-server';
import { describe, expect, it, vi } from 'vitest';
import type { DirectMxSettings } from '../../../packages/core/src/deliver/mx/port.ts';
import type { OutgoingMail } from '../../../packages/core/src/deliver/port.ts';
import { smtp } from '../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { fakeDns } from '../../support/dns.ts';
import { relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';
import { direct, mailHost, mailTo, policyServer } from './mx/support.ts';
import { mail, transportTo } from './transports.ts';

const trusted = localhostCertificate(['localhost', 'mx1.strict.test', 'mx2.strict.test', 'mta-sts.strict.test']);
const tls = { ca: trusted.cert, servername: 'localhost' };
const STARTTLS = { disabledCommands: [], ...trusted };
const PROMISES = { ...STARTTLS, hideREQUIRETLS: false };

/** What is still quick for a message, and longer than this server takes to greet. */
const ANSWER_MS = 170;
const demanding = (of: OutgoingMail): OutgoingMail => ({ ...of, envelope: { ...of.envelope, requireTls: true } });

describe('a mail with requireTls, over a mail server', () => {
  it('goes to one that promises it, and asks for it', async () => {
    const asked: unknown[] = [];
    const inbox = await smtpServer({
      ...PROMISES,
      onData(stream, session, done) {
        asked.push(session.envelope.requireTLS);
        stream.resume().on('end', () => done());
      },
    });
    const transport = transportTo(inbox.port, { tls });
    expect((await transport.send(demanding(mail()))).outcome.type).toBe('sent');
    expect((await transport.send(mail())).outcome.type).toBe('sent');
    expect(asked).toEqual([true, false]);
  });

  it('comes back from one that does not promise it', async () => {
    const inbox = await smtpServer(STARTTLS);
    const { outcome } = await transportTo(inbox.port, { tls }).send(demanding(mail()));
    expect(outcome).toMatchObject({ type: 'bounced', kind: 'soft', status: '5.7.30', reason: 'tls', suppress: false });
    expect(inbox.mails).toEqual([]);
  });

  it('comes back from one without TLS, and from one whose certificate nobody vouches for', async () => {
    const plain = await smtpServer({ hideREQUIRETLS: false });
    const stranger = await smtpServer(PROMISES);
    const attempts = [
      await transportTo(plain.port).send(demanding(mail())),
      await transportTo(stranger.port, { tls: { rejectUnauthorized: false } }).send(demanding(mail())),
    ];
    for (const { outcome } of attempts)
      expect(outcome).toMatchObject({
        type: 'bounced',
        kind: 'soft',
        status: '5.7.10',
        reason: 'tls',
        suppress: false,
      });
    expect([...plain.mails, ...stranger.mails]).toEqual([]);
  });

  it('is asked for with send(), sendMany() and nodemailer, and told where it cannot be had', async () => {
    const inbox = await smtpServer(STARTTLS);
    const relay = relayWith({ routes: [smtp({ host: '127.0.0.1', port: inbox.port, tls })] });
    const message = { subject: 'Hi', text: 'Hello' };
    await relay.send({ ...message, to: 'a@example.com', requireTls: true });
    await relay.sendMany(['b@example.com'], { ...message, requireTls: true });
    await relay.transport().send(
      // As nodemailer hands it over.
      { data: { ...message, from: 'app@example.com', to: 'c@example.com', requireTLSExtensionEnabled: true } } as never,
      () => {},
    );
    await relay.send({ ...message, to: 'd@example.com' });
    await vi.waitFor(async () => {
      const { items } = await relay.messages.list();
      expect(items.map(({ recipient, state }) => `${recipient} ${state}`).sort()).toEqual([
        'a@example.com bounced',
        'b@example.com bounced',
        'c@example.com bounced',
        'd@example.com sent',
      ]);
    });
    expect((await relay.suppressions.list()).items).toEqual([]);
  });
});

describe('a mail with requireTls, straight to the mail servers of its domain', () => {
  async function setUp(first: object, second: object, settings: Partial<DirectMxSettings> = {}) {
    const host = await mailHost('127.0.0.2', 0, first);
    const other = await mailHost('127.0.0.3', host.port, second);
    const policies = { 'strict.test': 'version: STSv1\nmode: enforce\nmx: *.strict.test\nmax_age: 604800\n' };
    const policyHost = await policyServer('127.0.0.2', trusted, policies);
    const dns = await fakeDns({
      'strict.test': {
        MX: [
          [10, 'mx1.strict.test'],
          [20, 'mx2.strict.test'],
        ],
      },
      'easy.test': { MX: [[10, 'mx2.strict.test']] },
      'mx1.strict.test': { A: ['127.0.0.2'] },
      'mx2.strict.test': { A: ['127.0.0.3'] },
      '_mta-sts.strict.test': { TXT: ['v=STSv1; id=1;'] },
      'mta-sts.strict.test': { A: ['127.0.0.2'] },
    });
    const ports = { smtp: host.port, https: policyHost.port };
    return { host, other, transport: direct(dns, host.port, { ports, ca: trusted.cert, ...settings }) };
  }

  it('goes to the first that promises it, also past a connection that is open', async () => {
    const { host, other, transport } = await setUp(STARTTLS, PROMISES);
    expect((await transport.send(mailTo('a@strict.test'))).outcome.type).toBe('sent');
    expect((await transport.send(demanding(mailTo('b@strict.test')))).outcome.type).toBe('sent');
    expect([host.taken.length, other.taken.length]).toEqual([1, 1]);
  });

  it('looks for it once the message that it was to go behind is answered', async () => {
    const events: string[] = [];
    const calling = (options: SMTPServerOptions, which: string): SMTPServerOptions => ({
      ...options,
      onConnect(_, done) {
        events.push(`called ${which}`);
        done();
      },
      onData(stream, { envelope }, done) {
        stream.resume().on('end', () =>
          setTimeout(() => {
            events.push(`${which} took ${envelope.rcptTo[0]?.address}`);
            done();
          }, ANSWER_MS),
        );
      },
    });
    const { transport } = await setUp(calling(STARTTLS, 'mx1'), calling(PROMISES, 'mx2'), { connectionsPerSite: 1 });
    await transport.send(mailTo('a@strict.test'));
    const mails = [mailTo('b@strict.test'), demanding(mailTo('c@strict.test'))];
    const attempts = await Promise.all(mails.map((one) => transport.send(one)));
    expect(attempts.map(({ outcome }) => outcome.type)).toEqual(['sent', 'sent']);
    expect(events).toEqual([
      'called mx1',
      'mx1 took a@strict.test',
      'mx1 took b@strict.test',
      'called mx1',
      'called mx2',
      'mx2 took c@strict.test',
    ]);
  });

  it('comes back where none does', async () => {
    const { host, other, transport } = await setUp(STARTTLS, STARTTLS);
    const { outcome } = await transport.send(demanding(mailTo('a@strict.test')));
    expect(outcome).toMatchObject({ type: 'bounced', kind: 'soft', status: '5.7.30', reason: 'tls', suppress: false });
    expect([...host.taken, ...other.taken]).toEqual([]);
  });

  it('waits where no policy says that they are its servers', async () => {
    const { other, transport } = await setUp(PROMISES, PROMISES);
    const { outcome } = await transport.send(demanding(mailTo('a@easy.test')));
    expect(outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect(other.clients).toEqual([]);
    expect((await transport.send(mailTo('b@easy.test'))).outcome.type).toBe('sent');
  });
});
