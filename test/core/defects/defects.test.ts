/**
 * What goes wrong in other systems, each defect as a test that is named after it: whole relays, and real servers on the
 * loopback. The parts of the engine have tests of their own where they are.
 */
import { describe, expect, it } from 'vitest';
import { createMessageIds } from '../../../packages/core/src/compose/message-id.ts';
import {
  directMx,
  type MailRelay,
  type MailRelayOptions,
  type MessageEvent,
  type RouteSpec,
  smtp,
  sqlite,
} from '../../../packages/core/src/index.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { createTestClock, type TestClock } from '../../../packages/core/src/testing/clock.ts';
import { createWaiting, type Waiting } from '../../../packages/core/src/testing/waiting.ts';
import { createTokens } from '../../../packages/core/src/token.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { fakeDns, patienceWith, type Zone } from '../../support/dns.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';
import { type Host, mailHost, policyServer } from '../deliver/mx/support.ts';

const HOUR = 3_600_000;
const mail = { subject: 'Hello', text: 'Hello' } as const;

interface Bench {
  readonly relay: MailRelay;
  readonly clock: TestClock;
  readonly waiting: Waiting;
  readonly events: MessageEvent[];
  /** `ada@one.test sent`, in the order of recipients. */
  states(): Promise<string[]>;
}

function bench(routes: readonly RouteSpec[], options: MailRelayOptions = {}): Bench {
  const clock: TestClock = createTestClock(Date.now(), () => waiting);
  const relay = relayWith({ routes, thread: false, clock, ...options });
  const waiting: Waiting = createWaiting(relay, async () => {}, clock.now);
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  return {
    relay,
    clock,
    waiting,
    events,
    states: async () =>
      (await relay.messages.list({ limit: 100 })).items.map(({ recipient, state }) => `${recipient} ${state}`).sort(),
  };
}

/** A direct way whose mail servers and name server are here. */
async function direct(zone: Zone, port: number, more: object = {}): Promise<{ route: RouteSpec; zone: Zone }> {
  const dns = await fakeDns(zone);
  const route = directMx({
    hostname: 'out.sender.test',
    ports: { smtp: port },
    dns: { servers: [dns.server], timeoutMs: patienceWith(zone), tries: 1 },
    allowPrivateAddresses: true,
    ...more,
  });
  return { route, zone: dns.zone };
}

const at = (port: number, name = 'out'): RouteSpec => smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name });

describe('defects seen elsewhere:', () => {
  it('a DNS failure that becomes a permanent bounce', async () => {
    const host = await mailHost('127.0.0.2');
    const { route, zone } = await direct(
      { 'one.test': 'SERVFAIL', 'two.test': 'silence', 'mx.one.test': { A: ['127.0.0.2'] } },
      host.port,
    );
    const { relay, clock, waiting, events, states } = bench([route]);
    await relay.send({ ...mail, to: ['ada@one.test', 'bob@two.test'] });
    await waiting.settled();
    await clock.advance(HOUR);
    expect(await states()).toEqual(['ada@one.test deferred', 'bob@two.test deferred']);
    zone['one.test'] = zone['two.test'] = { MX: [[10, 'mx.one.test']] };
    await clock.advance(12 * HOUR);
    expect(await states()).toEqual(['ada@one.test sent', 'bob@two.test sent']);
    expect(events.filter(({ type }) => type === 'bounced')).toEqual([]);
    expect((await relay.suppressions.list()).items).toEqual([]);
  });

  it('a bad certificate that blocks opportunistic TLS', async () => {
    const host = await mailHost('127.0.0.2', 0, { disabledCommands: [], ...localhostCertificate(['elsewhere.test']) });
    const { route } = await direct({ 'one.test': { A: ['127.0.0.2'] } }, host.port);
    const { relay, waiting, states } = bench([route]);
    await relay.send({ ...mail, to: 'ada@one.test' });
    await waiting.settled();
    expect(await states()).toEqual(['ada@one.test sent']);
    expect(host.taken).toMatchObject([{ secure: true }]);
  });

  it('null MX turned into an empty host', async () => {
    // Whoever asks for the address of "" or of the domain, or falls back to this machine, comes here.
    const hosts: Host[] = [await mailHost('127.0.0.1')];
    hosts.push(await mailHost('127.0.0.2', hosts[0]?.port));
    const { route } = await direct({ 'null.test': { MX: [[0, '.']], A: ['127.0.0.2'] } }, hosts[0]?.port ?? 0);
    const { relay, waiting, events } = bench([route]);
    await relay.send({ ...mail, to: 'ada@null.test' });
    await waiting.settled();
    expect(events.find(({ type }) => type === 'bounced')).toMatchObject({ reason: 'null-mx', status: '5.1.10' });
    expect(hosts.flatMap(({ clients }) => clients)).toEqual([]);
  });

  it("one recipient's failure that fails the others", async () => {
    const server = await rawServer(
      politely((line) => {
        if (/^RCPT TO:<gone/.test(line)) return '550 5.1.1 No such user';
        if (/^RCPT TO:<full/.test(line)) return '452 4.2.2 Mailbox full';
        return undefined;
      }),
    );
    const { relay, waiting, states } = bench([at(server.port)]);
    await relay.send({ ...mail, to: ['ada@one.test', 'gone@one.test', 'full@one.test', 'bob@one.test'] });
    await waiting.settled();
    expect(await states()).toEqual([
      'ada@one.test sent',
      'bob@one.test sent',
      'full@one.test deferred',
      'gone@one.test bounced',
    ]);
  });

  it('a mail deleted because its worker died', async () => {
    const path = `${scratchFolder()}/relay.db`;
    const inbox = await smtpServer();
    const options: MailRelayOptions = { store: sqlite(path), routes: [at(inbox.port)], thread: false };
    const first = relayWith({ ...options, routes: [at(1)] });
    const sendAt = new Date(Date.now() + 50);
    const { messageId } = await first.send({ ...mail, to: 'ada@one.test', sendAt });
    await first.stop();
    // A process that takes the mail to send it, and was last heard of an hour ago.
    const store = createSqliteStore({
      path,
      messageIdOf: createMessageIds(createTokens(['a secret of enough length'])),
    });
    await store.open();
    const died = { pid: 1, host: 'gone', rates: {}, routes: ['out'] };
    const owner = await store.queue.register(died, Date.now() - HOUR);
    const lane = { route: 'out', stream: 'transactional' } as const;
    await expect
      .poll(() => store.queue.claim({ lane, limit: 10, owner, now: Date.now() }))
      .toMatchObject([{ address: 'ada@one.test' }]);
    await store.close();

    const second = relayWith(options);
    await second.start();
    await expect
      .poll(async () => (await second.messages.list({})).items, { timeout: 20_000 })
      .toMatchObject([{ state: 'sent' }]);
    expect(inbox.mails.map(({ to }) => to)).toEqual(['ada@one.test']);
    expect(inbox.mails[0]?.source).toContain(`Message-ID: ${messageId}`);
  });

  it('a suppression after a block that was our own fault', async () => {
    const blocks = [
      '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org',
      '550 5.7.1 Unauthenticated email from sender.test is not accepted due to its DMARC policy',
      '550 5.7.26 This mail is unauthenticated, which poses a security risk',
      '535 5.7.8 Authentication credentials invalid',
      '550 5.7.1 Message rejected as spam',
      '550 5.1.8 Sender address rejected: Domain not found',
      '552 5.3.4 Message size exceeds fixed limit',
      '554 5.7.0 Your account is suspended',
    ];
    for (const reply of blocks) {
      const server = await rawServer(politely((line) => (/^RCPT/.test(line) ? reply : undefined)));
      const { relay, waiting, events } = bench([at(server.port)]);
      await relay.send({ ...mail, to: 'ada@one.test' });
      await waiting.settled();
      expect(
        events.map(({ type }) => type),
        reply,
      ).toContainEqual(expect.stringMatching(/deferred|bounced/));
      expect((await relay.suppressions.list()).items, reply).toEqual([]);
      // The next mail is tried like any other.
      const { deliveries } = await relay.send({ ...mail, to: 'ada@one.test', subject: 'Again' });
      expect(
        deliveries.map(({ state }) => state),
        reply,
      ).toEqual(['queued']);
    }
  });

  it('a pool that re-queues for ever and duplicates', async () => {
    // It takes each mail whole, and goes away instead of saying so.
    const copies: string[] = [];
    const server = await rawServer(
      politely((line, socket) => {
        const id = /^DATA:Message-ID: (.*)$/.exec(line)?.[1];
        if (id !== undefined) copies.push(id);
        if (line !== '.') return undefined;
        socket.destroy();
        return null;
      }),
    );
    const backup = await smtpServer();
    const { relay, clock, waiting, states } = bench([at(server.port), at(backup.port, 'backup')], {
      queue: { maxAgeMs: 6 * HOUR },
    });
    const { messageId } = await relay.send({ ...mail, to: 'ada@one.test' });
    await waiting.settled();
    // Nothing is sent again at once, nor over another way: who knows whether it was taken.
    expect(copies).toEqual([messageId]);
    await clock.advance(48 * HOUR);
    expect(await states()).toEqual(['ada@one.test failed']);
    expect(copies.length).toBeGreaterThan(1);
    expect(copies.length).toBeLessThan(15);
    expect(new Set(copies)).toEqual(new Set([messageId]));
    expect(backup.mails).toEqual([]);
    const before = copies.length;
    await clock.advance(48 * HOUR);
    expect(copies).toHaveLength(before);
  });

  it('MTA-STS of one domain that blocks another on the same MX', async () => {
    const trusted = localhostCertificate(['mta-sts.strict.test']);
    const host = await mailHost('127.0.0.2', 0, { disabledCommands: [], ...localhostCertificate(['elsewhere.test']) });
    const text = 'version: STSv1\r\nmode: enforce\r\nmx: mx.shared.test\r\nmax_age: 604800\r\n';
    const policies = await policyServer('127.0.0.2', trusted, { 'strict.test': text });
    const shared = { MX: [[10, 'mx.shared.test']] } as const;
    const { route } = await direct(
      {
        'strict.test': shared,
        'easy.test': shared,
        'mx.shared.test': { A: ['127.0.0.2'] },
        '_mta-sts.strict.test': { TXT: ['v=STSv1; id=1'] },
        'mta-sts.strict.test': { A: ['127.0.0.2'] },
      },
      host.port,
      { ports: { smtp: host.port, https: policies.port }, ca: trusted.cert },
    );
    const { relay, waiting, states } = bench([route]);
    for (const to of ['a@strict.test', 'b@easy.test', 'c@strict.test', 'd@easy.test'])
      await relay.send({ ...mail, to });
    await waiting.settled();
    expect(policies.asked).not.toEqual([]);
    expect(await states()).toEqual([
      'a@strict.test deferred',
      'b@easy.test sent',
      'c@strict.test deferred',
      'd@easy.test sent',
    ]);
    expect(host.taken.map(({ to }) => to).sort()).toEqual(['b@easy.test', 'd@easy.test']);
  });
});
