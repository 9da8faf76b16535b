import { describe, expect, it } from 'vitest';
import type { Outcome, RouteSpec } from '../../../packages/core/src/deliver/port.ts';
import {
  directMx,
  type MailRelay,
  type MailRelayOptions,
  type MessageEvent,
  smtp,
} from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';
import { type Inbox, politely, rawServer, smtpServer } from '../../support/smtp.ts';

const mail = { to: 'ada@example.org', subject: 'Hi', text: 'Hello' } as const;
const at = (port: number, name: string) => smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name });

/** A server that answers one command with a refusal, and takes the rest. */
const refusing = (command: RegExp, reply: string) =>
  rawServer(politely((line) => (command.test(line) ? reply : undefined)));

interface Ways {
  readonly relay: MailRelay;
  readonly backup: Inbox;
  readonly events: MessageEvent[];
}

async function ways(first: number, options: MailRelayOptions = {}): Promise<Ways> {
  const backup = await smtpServer();
  const relay = relayWith({ routes: [at(first, 'first'), at(backup.port, 'backup')], ...options });
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  await relay.start();
  return { relay, backup, events };
}

const ends = (events: readonly MessageEvent[]) =>
  events.filter(({ type }) => type !== 'accepted' && type !== 'deferred');
const settled = async (events: readonly MessageEvent[], count = 1): Promise<MessageEvent[]> => {
  await expect.poll(() => ends(events).length, { timeout: 10_000 }).toBe(count);
  return ends(events);
};

describe('failover', () => {
  it.each([
    ['is at its quota', /^MAIL/, '454 Throttling failure: Daily message quota exceeded.'],
    ['has no credits left', /^MAIL/, '451 Authentication failed: Maximum credits exceeded'],
    [
      'has blocked us',
      /^RCPT/,
      '554 5.7.1 Service unavailable; client host [192.0.2.1] blocked using zen.spamhaus.org',
    ],
    [
      'has blocked us for ever (Yahoo)',
      /^RCPT/,
      '553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.',
    ],
    [
      'has blocked us after the message, for spam, in several lines (Google)',
      /^\.$/,
      '550-5.7.28 [192.0.2.1] Our system has detected an unusual rate of\r\n550-5.7.28 unsolicited mail originating from your\r\n550 5.7.28 IP address. To protect our users from spam it has been blocked.',
    ],
    ['has blocked us for now', /^RCPT/, '450 4.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org'],
    ['has our address on a list for now', /^MAIL/, '451 Your IP 192.0.2.1 is blacklisted'],
    ['has blocked us, and hangs up', /^RCPT/, '421 4.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org'],
    ['wants reverse DNS', /^RCPT/, '550 5.7.25 Client host rejected: cannot find your reverse hostname'],
    ['wants a login', /^MAIL/, '530 5.7.0 Authentication required'],
    ['goes away', /^RCPT/, '421 4.3.2 Service shutting down'],
    ['has suspended the account', /^MAIL/, '550 5.7.1 Your account has been suspended'],
  ])('takes the next route at once where the first %s', async (_, command, reply) => {
    const first = await refusing(command, reply);
    const { relay, backup, events } = await ways(first.port);
    const { id } = await relay.send(mail);
    expect(await settled(events)).toMatchObject([{ type: 'sent', attempt: 2, transcript: { route: 'backup' } }]);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'deferred',
        movedTo: 'backup',
        attempt: 1,
        reply: expect.stringContaining(reply.slice(4, 20)),
      }),
    );
    expect(backup.mails).toHaveLength(1);
    const record = await relay.messages.get(id);
    expect(record?.deliveries).toMatchObject([{ state: 'sent', route: 'backup', attempts: 2 }]);
    expect(record?.events).toContainEqual(expect.objectContaining({ type: 'deferred', movedTo: 'backup' }));
  });

  it.each([
    ['says that it takes less', /^EHLO/, '250-here\r\n250 SIZE 20', mail.to, '5.3.4'],
    ['finds it too large', /^MAIL/, '552 5.3.4 Message size exceeds fixed limit', mail.to, '5.3.4'],
    ['takes no addresses in UTF-8', /^EHLO/, '250 here', 'zoé@example.org', '5.6.7'],
  ])('takes the next route at once where the server of the first %s', async (_, command, reply, to, status) => {
    const first = await refusing(command, reply);
    const { relay, backup, events } = await ways(first.port);
    await relay.send({ ...mail, to });
    expect(await settled(events)).toMatchObject([{ type: 'sent', transcript: { route: 'backup' } }]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'deferred', movedTo: 'backup', status }));
    expect(backup.mails).toHaveLength(1);
    expect((await relay.health()).failing).toEqual([]);
    // The only route refuses it for good.
    await relay.send({ ...mail, to: `other-${to}`, route: 'first' });
    expect((await settled(events, 2))[1]).toMatchObject({ type: 'bounced', status });
    expect((await relay.suppressions.list()).items).toEqual([]);
  });

  it('keeps the Message-ID over all routes', async () => {
    const first = await refusing(/^MAIL/, '530 5.7.0 Authentication required');
    const { relay, backup, events } = await ways(first.port);
    const { messageId } = await relay.send(mail);
    await settled(events);
    expect(backup.mails[0]?.source).toContain(`Message-ID: ${messageId}`);
  });

  it.each([
    ['does not exist', /^RCPT/, '550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown', 'bounced'],
    ['has a disabled account', /^RCPT/, '550 5.2.1 The email account that you tried to reach is disabled', 'bounced'],
    ['has blocked the sender', /^RCPT/, '550 5.7.1 You are blocked by the recipient', 'bounced'],
    ['has a blocked account', /^RCPT/, '550 5.5.0 The recipient account isblocked. LPN007_426', 'bounced'],
    ['has a scanner', /^\.$/, '552 5.7.0 This message was blocked because of its content. Virus found', 'bounced'],
    ['is over its own quota', /^RCPT/, '552 5.2.2 The mail quota of the account is exceeded', 'bounced'],
  ])('leaves a mail where it is whose recipient %s', async (_, command, reply, type) => {
    const first = await refusing(command, reply);
    const { relay, backup, events } = await ways(first.port);
    await relay.send(mail);
    expect(await settled(events)).toMatchObject([{ type, attempt: 1 }]);
    expect(backup.connections.opened).toBe(0);
  });

  it('leaves a mail where it is that asks for patience, or of which nobody knows whether it was taken', async () => {
    const first = await rawServer(
      politely((line, socket) => {
        if (/^RCPT TO:<grey/.test(line)) return '451 4.7.1 Greylisted, try again in 60 seconds';
        if (line !== '.') return undefined;
        socket.destroy();
        return null;
      }),
    );
    const { relay, backup, events } = await ways(first.port);
    await relay.send(mail);
    await relay.send({ ...mail, to: 'grey@example.org' });
    await expect.poll(() => events.filter(({ type }) => type === 'deferred').length).toBe(2);
    expect(events.some((event) => 'movedTo' in event && event.movedTo !== undefined)).toBe(false);
    expect(backup.connections.opened).toBe(0);
  });

  it('leaves a mail on the second route of which nobody knows whether that took it, though the first works again', async () => {
    let first: Outcome = SAID.quota;
    let backup: Outcome = SAID.unknown;
    const routes = [scripted('first', () => first), scripted('backup', () => backup)];
    const { relay, clock, waiting } = clockedRelay({ routes });
    const { id } = await relay.send(mail);
    await waiting.settled();
    first = SAID.sent;
    backup = SAID.sent;
    expect((await relay.messages.get(id))?.deliveries).toMatchObject([{ state: 'deferred', route: 'backup' }]);
    await clock.advance(3_600_000);
    expect((await relay.messages.get(id))?.deliveries).toMatchObject([{ state: 'sent', route: 'backup', attempts: 3 }]);
  });

  it('asks a route that is down no more than a few times, and loses nothing of a campaign', async () => {
    let connections = 0;
    const first = await rawServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const { relay, backup, events } = await ways(first.port);
    await relay.sendMany(
      Array.from({ length: 200 }, (_, index) => `r${index}@example.org`),
      { campaign: 'c', subject: 'Hi', text: 'Hello' },
    );
    await settled(events, 200);
    expect(new Set(backup.mails.map(({ to }) => to)).size).toBe(200);
    // Those that were on their way when it opened, and a probe now and then.
    expect(connections).toBeLessThan(20);
    expect(await relay.reports.campaign('c')).toMatchObject({ sent: 200, pending: 0 });
  });

  it('goes back to the first route when a probe finds that it works again', async () => {
    const sent: string[] = [];
    let down = true;
    const route = (name: string, works: () => boolean): RouteSpec =>
      scripted(name, () => {
        if (!works()) return SAID.down;
        sent.push(name);
        return SAID.sent;
      });
    const { relay, clock, waiting } = clockedRelay({
      routes: [route('first', () => !down), route('backup', () => true)],
    });
    const send = async () => {
      await relay.send(mail);
      await waiting.settled();
    };
    for (let index = 0; index < 4; index++) await send();
    down = false;
    await send();
    expect(sent).toEqual(Array(5).fill('backup'));
    await clock.advance(5000);
    for (let index = 0; index < 2; index++) await send();
    expect(sent.slice(5)).toEqual(['first', 'first']);
  });

  it('does not use up the attempts of mail that has no other way', async () => {
    let connections = 0;
    const first = await rawServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const relay = relayWith({ routes: [at(first.port, 'only')] });
    await relay.sendMany(
      Array.from({ length: 60 }, (_, index) => `r${index}@example.org`),
      { campaign: 'c', subject: 'Hi', text: 'Hello' },
    );
    await expect.poll(() => connections).toBeGreaterThan(2);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(connections).toBeLessThan(20);
    const { items } = await relay.messages.list({ limit: 100 });
    expect(items.filter(({ attempts }) => attempts === 0).length).toBeGreaterThan(40);
    expect(items.every(({ state }) => state === 'queued' || state === 'deferred')).toBe(true);
  });

  it('leaves mail with direct MX whose receiver is down, and takes that on which has blocked us', async () => {
    const down = await rawServer((socket) => socket.destroy());
    const blocking = await refusing(
      /^RCPT/,
      '554 5.7.1 Service unavailable; client host blocked using zen.spamhaus.org',
    );
    const forNow = await refusing(/^RCPT/, '421 4.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org');
    const busy = await refusing(/^RCPT/, '421 4.7.0 Try again later, closing connection');
    for (const [{ port }, moved] of [
      [down, false],
      [busy, false],
      [blocking, true],
      [forNow, true],
    ] as const) {
      const backup = await smtpServer();
      const mx = directMx({
        hostname: 'mail.example.com',
        ports: { smtp: port },
        allowPrivateAddresses: true,
        allowAddressLiterals: true,
        name: 'mx',
      });
      const relay = relayWith({ routes: [mx, at(backup.port, 'backup')] });
      const events: MessageEvent[] = [];
      relay.on('event', (event) => void events.push(event));
      await relay.send({ ...mail, to: 'ada@[127.0.0.1]' });
      await expect.poll(() => events.some(({ type }) => type === 'deferred')).toBe(true);
      expect(events.some((event) => 'movedTo' in event && event.movedTo === 'backup')).toBe(moved);
    }
  });

  it('passes over routes that do not take the mail', async () => {
    const first = await refusing(/^MAIL/, '530 5.7.0 Authentication required');
    const [other, backup] = [await smtpServer(), await smtpServer()];
    const relay = relayWith({
      routes: [
        at(first.port, 'first'),
        { ...at(other.port, 'other'), takes: [{ stream: 'broadcast' }, { recipientDomain: 'elsewhere.example' }] },
        { ...at(backup.port, 'backup'), takes: { tag: 'order' } },
      ],
    });
    await relay.send({ ...mail, tags: ['order'] });
    await expect.poll(() => backup.mails.length).toBe(1);
    expect(other.connections.opened).toBe(0);
  });

  it('stays on the route that the host named', async () => {
    const first = await refusing(/^MAIL/, '530 5.7.0 Authentication required');
    const { relay, backup, events } = await ways(first.port);
    await relay.send({ ...mail, route: 'first' });
    await expect.poll(() => events.some(({ type }) => type === 'deferred')).toBe(true);
    expect(events.some((event) => 'movedTo' in event && event.movedTo !== undefined)).toBe(false);
    expect(backup.connections.opened).toBe(0);
  });

  it('comes back to the first route after both have failed', async () => {
    const first = await refusing(/^MAIL/, '454 Throttling failure: Daily message quota exceeded.');
    const second = await refusing(/^MAIL/, '451 Authentication failed: Maximum credits exceeded');
    const relay = relayWith({ routes: [at(first.port, 'first'), at(second.port, 'second')] });
    const { id } = await relay.send(mail);
    await expect
      .poll(async () => (await relay.messages.get(id))?.deliveries[0])
      .toMatchObject({ state: 'deferred', attempts: 2, route: 'first' });
    const [delivery] = (await relay.messages.get(id))?.deliveries ?? [];
    expect(delivery?.dueAt?.getTime()).toBeGreaterThan(delivery?.updatedAt.getTime() ?? 0);
  });
});
