import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Attempt, Transport } from '../../../packages/core/src/deliver/port.ts';
import { createSmtpTransport } from '../../../packages/core/src/deliver/smtp/transport.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';
import { mail, transportTo } from './transports.ts';

const many = (transport: Transport, count: number): Promise<Attempt[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => transport.send(mail(index))));
const types = (attempts: readonly Attempt[]): Set<string> => new Set(attempts.map(({ outcome }) => outcome.type));

describe('connections', () => {
  it('are kept open and shared, and never more than allowed', async () => {
    const inbox = await smtpServer();
    const transport = transportTo(inbox.port, { connections: 3 });
    expect(types(await many(transport, 40))).toEqual(new Set(['sent']));
    await transport.send(mail());
    expect(inbox.connections).toMatchObject({ opened: 3, most: 3 });
    expect(new Set(inbox.mails.map(({ to }) => to)).size).toBe(40);
  });

  it('are all taken by mails that come at the same moment', async () => {
    const inbox = await smtpServer();
    const transport = transportTo(inbox.port, { connections: 3 });
    for (let round = 0; round < 5; round++) {
      expect(types(await many(transport, 3))).toEqual(new Set(['sent']));
    }
    expect(inbox.connections).toMatchObject({ opened: 3, most: 3 });
  });

  it('are replaced after so many mails', async () => {
    const inbox = await smtpServer();
    const transport = transportTo(inbox.port, { connections: 1, maxMessagesPerConnection: 4 });
    for (let index = 0; index < 10; index++) await transport.send(mail(index));
    expect(inbox.connections).toMatchObject({ opened: 3, most: 1 });
  });

  it('are closed when nobody uses them, and opened again', async () => {
    const inbox = await smtpServer();
    const transport = transportTo(inbox.port, { idleMs: 50 });
    await transport.send(mail());
    await expect.poll(() => inbox.connections.now).toBe(0);
    expect((await transport.send(mail())).outcome.type).toBe('sent');
    expect(inbox.connections.opened).toBe(2);
  });

  it('that the server closed while they were idle are replaced, without a failed attempt', async () => {
    let sockets = 0;
    const server = await rawServer((socket, line) => {
      if (line === undefined) sockets += 1;
      politely((one) => {
        if (one !== '.') return undefined;
        setTimeout(() => socket.end('421 4.4.2 idle too long\r\n'), 20);
        return undefined;
      })(socket, line === undefined ? undefined : line);
    });
    const transport = transportTo(server.port, { connections: 1 });
    const speaks = async (): Promise<string> => (await transport.send(mail())).outcome.type;
    expect(await speaks()).toBe('sent');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await speaks()).toBe('sent');
    expect(sockets).toBe(2);
  });

  it('that were closed are replaced only where the mail may begin once more', async () => {
    let taken = 0;
    const used = new WeakSet<object>();
    const server = await rawServer(
      politely((line, socket) => {
        if (line === '.') taken += 1;
        // It closes as a second mail comes.
        if (line.startsWith('MAIL') && used.has(socket)) return void socket.destroy();
        if (line === '.') used.add(socket);
        return undefined;
      }),
    );
    const transport = transportTo(server.port, { connections: 1 });
    const begins = vi.fn<(at: number) => boolean>(() => true);
    const speaks = async (): Promise<string> =>
      (await transport.send({ ...mail(), onStart: (at) => begins(at) })).outcome.type;
    expect([await speaks(), begins.mock.calls.length]).toEqual(['sent', 1]);
    expect([await speaks(), begins.mock.calls.length]).toEqual(['sent', 3]);
    begins.mockReturnValueOnce(true).mockReturnValueOnce(false);
    expect([await speaks(), begins.mock.calls.length, taken]).toEqual(['withdrawn', 5, 2]);
    // Its place is free again.
    expect([await speaks(), taken]).toEqual(['sent', 3]);
  });

  it('carry mails whose transcripts tell the start that was counted, however long it took to count', async () => {
    const server = await rawServer(politely(() => undefined));
    let now = 0;
    const transport = createSmtpTransport('out', { host: '127.0.0.1', port: server.port }, { now: () => (now += 5) });
    onTestFinished(() => transport.close());
    const counted: number[] = [];
    const { transcript } = await transport.send({ ...mail(), onStart: (at) => counted.push(at) > 0 });
    expect([transcript.startedAt]).toEqual(counted);
  });

  it('go on after a refused recipient', async () => {
    const server = await rawServer(politely((line) => (line.includes('r1@') ? '550 5.1.1 unknown' : undefined)));
    const transport = transportTo(server.port, { connections: 2 });
    const attempts = await many(transport, 12);
    expect(attempts.flatMap(({ outcome }, index) => (outcome.type === 'sent' ? [] : [[index, outcome.type]]))).toEqual([
      [1, 'bounced'],
    ]);
  });

  it('take whole mails of a size that no socket takes at once', async () => {
    const inbox = await smtpServer();
    const line = `${'x'.repeat(76)}\r\n`;
    const raw = Buffer.from(`Subject: big\r\n\r\n${line.repeat(60_000)}`);
    const attempt = await transportTo(inbox.port).send({ ...mail(), raw });
    expect(attempt.outcome.type).toBe('sent');
    expect(inbox.mails[0]?.source.length).toBe(raw.length);
  });
});

describe('a server that takes its time', () => {
  it('never keeps transactional mail waiting behind newsletters', async () => {
    const held: string[] = [];
    const server = await rawServer(
      politely((line) => {
        if (!line.startsWith('RCPT TO:<news')) return undefined;
        held.push(line);
        return null;
      }),
    );
    const transport = transportTo(server.port, { connections: 3 });
    const newsletters = Array.from({ length: 6 }, (_, index) => ({
      ...mail(index),
      stream: 'broadcast' as const,
      envelope: { ...mail().envelope, to: `news${index}@example.com` },
    }));
    const waiting = newsletters.map((one) => transport.send(one));
    await expect.poll(() => held.length).toBe(2);
    expect((await transport.send({ ...mail(), stream: 'transactional' })).outcome.type).toBe('sent');
    expect(held).toHaveLength(2);
    void Promise.allSettled(waiting);
  });

  it('asks once more, before a mail that waited for a connection goes out, whether it still should', async () => {
    const server = await rawServer(politely(() => undefined));
    const transport = transportTo(server.port, { connections: 1 });
    const [first, second] = await Promise.all([
      transport.send({ ...mail(1), onStart: () => true }),
      transport.send({ ...mail(2), onStart: () => false }),
    ]);
    expect([first.outcome.type, second.outcome.type]).toEqual(['sent', 'withdrawn']);
    expect(server.lines.join(' ')).not.toContain('r2@');
    expect((await transport.send(mail(3))).outcome.type).toBe('sent');
  });

  it('cannot hold a connection for ever by saying something now and then', async () => {
    const talkers = new Set<NodeJS.Timeout>();
    onTestFinished(() => talkers.forEach(clearInterval));
    const server = await rawServer(
      politely((line, socket) => {
        if (!line.startsWith('RCPT')) return undefined;
        talkers.add(setInterval(() => socket.write('250-still here\r\n'), 50));
        return null;
      }),
    );
    const { outcome } = await transportTo(server.port, { socketTimeoutMs: 150 }).send(mail());
    expect(outcome).toMatchObject({ type: 'deferred', reason: 'timeout' });
  });
});

describe('a conversation', () => {
  it('is kept in the attempt step by step, with the greeting, TLS and the log-in', async () => {
    const inbox = await smtpServer({
      disabledCommands: [],
      authOptional: false,
      onAuth: (_given, _session, done) => done(null, { user: 'robot' }),
    });
    const options = { tls: { rejectUnauthorized: false }, auth: { user: 'robot', pass: 'hunter2' }, connections: 1 };
    const transport = transportTo(inbox.port, options);
    const { transcript } = await transport.send(mail());
    const said = transcript.steps.map(({ step, reply }) => `${step} ${reply?.slice(0, 3)}`);
    expect(said).toEqual([
      'CONN 220',
      'EHLO 250',
      'STARTTLS 220',
      'EHLO 250',
      'AUTH 235',
      'MAIL 250',
      'RCPT 250',
      'DATA 354',
      'MESSAGE 250',
    ]);
    expect(transcript.steps.every(({ ms }) => typeof ms === 'number')).toBe(true);
    expect((await transport.send(mail(2))).transcript.steps.map(({ step }) => step)).toEqual([
      'MAIL',
      'RCPT',
      'DATA',
      'MESSAGE',
    ]);
  });

  it('goes command by command where the server takes no groups of them', async () => {
    const groups: string[] = [];
    const speak = politely((line) => (line.startsWith('RCPT TO:<r1@') ? '550 5.1.1 unknown' : undefined));
    const server = await rawServer((socket, line) => {
      if (line === undefined) socket.on('data', (chunk) => groups.push(String(chunk)));
      speak(socket, line);
    });
    const transport = transportTo(server.port, { connections: 1 });
    expect([...types(await many(transport, 3))].sort()).toEqual(['bounced', 'sent']);
    expect(groups.filter((group) => /\r\n./.test(group) && !group.startsWith('Subject'))).toEqual([]);
  });

  it('goes in one group where the server takes that (RFC 2920)', async () => {
    const groups: string[] = [];
    const speak = politely((line) => (line.startsWith('EHLO') ? '250-here\r\n250 PIPELINING' : undefined));
    const server = await rawServer((socket, line) => {
      if (line === undefined) socket.on('data', (chunk) => groups.push(String(chunk)));
      speak(socket, line);
    });
    const transport = transportTo(server.port, { connections: 1 });
    expect(types(await many(transport, 2))).toEqual(new Set(['sent']));
    expect(groups.filter((group) => group.startsWith('MAIL'))).toEqual(
      [0, 1].map((index) =>
        expect.stringMatching(new RegExp(`^MAIL FROM:<[^>]*>.*\r\nRCPT TO:<r${index}@example.com>\r\nDATA\r\n$`)),
      ),
    );
  });

  it('sends nothing to a server that asks for the message though it has refused the recipient', async () => {
    const server = await rawServer(
      politely((line) => {
        if (line.startsWith('EHLO')) return '250-here\r\n250 PIPELINING';
        return line.startsWith('RCPT TO:<r1@') ? '550 5.1.1 unknown' : undefined;
      }),
    );
    const transport = transportTo(server.port, { connections: 1 });
    const attempts = await many(transport, 3);
    expect(attempts.map(({ outcome }) => outcome)).toMatchObject([
      { type: 'sent' },
      { type: 'bounced', reply: '550 5.1.1 unknown' },
      { type: 'sent' },
    ]);
    const refused = server.lines.findIndex((line) => line.startsWith('RCPT TO:<r1@'));
    expect(server.lines.slice(refused + 1, refused + 4)).toEqual(['DATA', '.', expect.stringMatching(/^(RSET|MAIL)/)]);
    expect(server.lines.filter((line) => line.startsWith('EHLO'))).toHaveLength(1);
  });

  it('of a refused recipient goes on with the next mail on the same connection', async () => {
    const inbox = await smtpServer({
      onRcptTo: ({ address }, _session, done) =>
        address.startsWith('r1@') ? done(Object.assign(new Error('5.1.1 unknown'), { responseCode: 550 })) : done(),
    });
    const transport = transportTo(inbox.port, { connections: 1 });
    const attempts = await many(transport, 4);
    expect(attempts.map(({ outcome }) => outcome.type)).toEqual(['sent', 'bounced', 'sent', 'sent']);
    expect(inbox.connections.opened).toBe(1);
    expect(inbox.mails.map(({ to }) => to)).toEqual(['r0@example.com', 'r2@example.com', 'r3@example.com']);
  });

  it('is not begun where the server says that it cannot take the mail', async () => {
    const server = await rawServer(
      politely((line) => (line.startsWith('EHLO') ? '250-here\r\n250-PIPELINING\r\n250 SIZE 20' : undefined)),
    );
    const transport = transportTo(server.port);
    const attempt = await transport.send(mail());
    expect(attempt.outcome).toMatchObject({ type: 'bounced', reason: 'message-too-big', suppress: false });
    const utf8 = {
      ...mail(),
      raw: Buffer.from('a: b\r\n'),
      envelope: { ...mail().envelope, to: 'zoé@example.com', utf8: true },
    };
    expect((await transport.send(utf8)).outcome).toMatchObject({ type: 'bounced', status: '5.6.7', suppress: false });
    expect(server.lines.filter((line) => line.startsWith('MAIL'))).toEqual([]);
  });
});
