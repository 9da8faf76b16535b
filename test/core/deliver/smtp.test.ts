import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Attempt, OutgoingMail, SmtpOptions } from '../../../packages/core/src/deliver/port.ts';
import { smtp } from '../../../packages/core/src/deliver/routes.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';
import { mail, transportTo } from './transports.ts';

function mailTo(to = 'ada@example.com'): OutgoingMail {
  return {
    deliveryId: 'dlv_1',
    messageId: '<1@example.com>',
    envelope: { from: 'app@example.com', to, utf8: false, eightBit: false },
    raw: Buffer.from('From: app@example.com\r\nSubject: Hi\r\n\r\n.hidden\r\nHello\r\n'),
    subject: 'Hi',
  };
}

const send = (port: number, options: Partial<SmtpOptions> = {}): Promise<Attempt> =>
  transportTo(port, options).send(mailTo());

describe('a mail over SMTP', () => {
  it('does not wait for ever for a server whose answer to EHLO has no end', async () => {
    const { port } = await rawServer((socket, line) => {
      if (line === undefined) return void socket.write('220 here\r\n');
      const talking = setInterval(() => socket.write('250-and another thing\r\n'), 20);
      socket.on('close', () => clearInterval(talking));
    });
    const { outcome } = await send(port, { connectionTimeoutMs: 500, socketTimeoutMs: 500 });
    expect(outcome).toMatchObject({ type: 'deferred', reason: 'timeout', fault: 'connection' });
  });

  it('arrives as it is, and the attempt says what was said', async () => {
    const inbox = await smtpServer();
    const { outcome, transcript } = await send(inbox.port);
    expect(outcome).toMatchObject({ type: 'sent', reply: expect.stringMatching(/^250 /) });
    expect(inbox.mails).toMatchObject([{ to: 'ada@example.com', source: mailTo().raw.toString() }]);
    expect(transcript).toMatchObject({ route: 'out', host: '127.0.0.1', tls: false, ms: expect.any(Number) });
    expect(transcript.steps.at(-1)).toMatchObject({ step: 'MESSAGE', reply: (outcome as { reply: string }).reply });
  });

  it.each([
    [
      'a refused recipient',
      'RCPT',
      '550 5.1.1 no such user',
      { type: 'bounced', kind: 'hard', reason: 'no-such-mailbox', suppress: true },
    ],
    ['a refused sender', 'MAIL', '550 5.7.1 you are blocked', { type: 'bounced', suppress: false }],
    [
      'a sender that does not exist',
      'MAIL',
      '550 5.1.1 Mailbox unknown',
      { type: 'bounced', reason: 'blocked-sender', suppress: false },
    ],
    ['a recipient put off', 'RCPT', '451 4.7.1 greylisted, try again', { type: 'deferred', reason: 'greylisted' }],
    ['a refused message', '.', '554 5.7.1 spam', { type: 'bounced', suppress: false }],
    ['a message put off', '.', '452 4.3.1 no space', { type: 'deferred' }],
  ])('has an outcome for %s', async (_, command, reply, outcome) => {
    const server = await rawServer(politely((line) => (line.startsWith(command) ? reply : undefined)));
    const attempt = await send(server.port);
    expect(attempt.outcome).toMatchObject({ ...outcome, reply });
    expect(attempt.transcript.steps.at(-1)?.reply).toBe(reply);
  });

  it.each([
    [
      'refuses at the door',
      (socket: { write(text: string): void }) => socket.write('421 4.7.0 too many\r\n'),
      'deferred',
    ],
    [
      'refuses for good at the door',
      (socket: { write(text: string): void }) => socket.write('554 5.7.1 go away\r\n'),
      'deferred',
    ],
    [
      'speaks another language',
      (socket: { write(text: string): void }) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'deferred',
    ],
    ['hangs up', (socket: { end(): void }) => socket.end(), 'deferred'],
  ])('waits while the server %s: never the fault of the recipient', async (_, greet, type) => {
    const server = await rawServer((socket, line) => {
      if (line === undefined) (greet as (peer: unknown) => void)(socket);
    });
    expect((await send(server.port, { greetingTimeoutMs: 500 })).outcome).toMatchObject({ type });
  });

  it('waits while nobody listens, and while nobody answers', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    expect((await send(port)).outcome).toMatchObject({ type: 'deferred', reason: 'network' });
    const silent = await rawServer(() => {});
    expect((await send(silent.port, { greetingTimeoutMs: 200 })).outcome).toMatchObject({
      type: 'deferred',
      reason: 'timeout',
    });
  });

  it.each([
    ['before DATA', 'RCPT', 'deferred'],
    ['in the middle of the message', 'DATA:', 'unknown'],
    ['after the final dot', '.', 'unknown'],
  ])('knows what it does not know: the connection breaks %s', async (_, command, type) => {
    const server = await rawServer(
      politely((line, socket) => {
        if (!line.startsWith(command)) return undefined;
        socket.destroy();
        return null;
      }),
    );
    const { outcome } = await send(server.port);
    expect(outcome.type).toBe(type);
  });

  it('knows that a server has not taken a message whose end never left this machine', async () => {
    const server = await rawServer(
      politely((line, socket) => {
        if (line !== 'DATA') return undefined;
        // It does not read what it asks for.
        setImmediate(() => socket.pause());
        setTimeout(() => socket.resetAndDestroy(), 200);
        return '354 go';
      }),
    );
    const large = { ...mail(), raw: Buffer.from(`Subject: a\r\n\r\n${'a'.repeat(70)}\r\n`.padEnd(50_000_000, 'b')) };
    const { outcome } = await transportTo(server.port).send(large);
    expect(outcome).toMatchObject({ type: 'deferred', fault: 'connection' });
  });

  it.each(['354 go on', '150 well', '099 hm'])(
    'does not know what became of a message that is answered %j',
    async (reply) => {
      const server = await rawServer(politely((line) => (line === '.' ? reply : undefined)));
      const transport = transportTo(server.port);
      expect((await transport.send(mail())).outcome).toMatchObject({ type: 'unknown', reason: 'unknown' });
      // What comes after it on this connection would have the answers of others.
      await transport.send(mail(1));
      expect(server.lines.filter((line) => line.startsWith('EHLO'))).toHaveLength(2);
    },
  );

  it('does not know either when the server says nothing after the final dot', async () => {
    const server = await rawServer(politely((line) => (line === '.' ? null : undefined)));
    expect((await send(server.port, { socketTimeoutMs: 300 })).outcome).toMatchObject({
      type: 'unknown',
      reason: 'timeout',
    });
  });

  it('knows that a message never left, where the server ended the session as it asked for it', async () => {
    const turns = politely((line) => (line === 'DATA' ? '354 go\r\nno, do not' : undefined));
    const server = await rawServer(turns);
    expect((await send(server.port)).outcome).toMatchObject({ type: 'deferred', fault: 'connection' });
    expect(server.lines.at(-1)).toBe('DATA');
  });

  it.each(['25', '2', '2xx fine'])(
    'does not take %j after the final dot for a reply that takes the mail',
    async (reply) => {
      const server = await rawServer(politely((line) => (line === '.' ? reply : undefined)));
      expect((await send(server.port)).outcome.type).toBe('unknown');
    },
  );

  it('never passes an address on as a command', async () => {
    const inbox = await smtpServer();
    const { outcome } = await transportTo(inbox.port).send(mailTo('ada@example.com>\r\nRCPT TO:<eve@example.com'));
    expect(outcome.type).not.toBe('sent');
    expect(inbox.mails).toEqual([]);
    const other = '"ada"@example.com>, <eve@example.com';
    expect((await transportTo(inbox.port).send(mailTo(other))).outcome.type).not.toBe('sent');
  });

  it('says that it has bytes over 127, to a server that wants to know', async () => {
    const offers = '250-here\r\n250 8BITMIME';
    const server = await rawServer(politely((line) => (line.startsWith('EHLO') ? offers : undefined)));
    const mail = mailTo();
    await transportTo(server.port).send({ ...mail, envelope: { ...mail.envelope, eightBit: true } });
    expect(server.lines).toContain('MAIL FROM:<app@example.com> BODY=8BITMIME');
  });

  it('goes to an address with brackets in quotes', async () => {
    const server = await rawServer(politely(() => undefined));
    expect((await transportTo(server.port).send(mailTo('"a<\\">b"@example.com'))).outcome.type).toBe('sent');
    expect(server.lines).toContain('RCPT TO:<"a<\\">b"@example.com>');
  });

  it('keeps replies short and on one line', async () => {
    const server = await rawServer(
      politely((line) => (line === '.' ? `250-${'x'.repeat(600)}\r\n250 end` : undefined)),
    );
    const { outcome } = await send(server.port);
    expect(outcome).toMatchObject({ type: 'sent' });
    expect((outcome as { reply: string }).reply).toMatch(/^250-x+$/);
    expect((outcome as { reply: string }).reply.length).toBeLessThanOrEqual(512);
  });
});

describe('a route', () => {
  it.each([
    ['smtp://mx.example.com', { host: 'mx.example.com', secure: false }],
    ['smtps://u%40x:p%3Aw@mx.example.com', { secure: true, auth: { user: 'u@x', pass: 'p:w' } }],
    ['smtp://mx.example.com:2525', { port: 2525 }],
    ['smtp://[::1]:2525', { host: '::1' }],
  ])('reads %s', (url, expected) => {
    expect(smtp(url)).toMatchObject({ kind: 'smtp', smtp: expected });
  });

  it.each(['mx.example.com', 'http://mx.example.com', 'smtp://', 'smtp://u:secret@h?nonsense=1'])(
    'refuses %s, without its password',
    (url) => {
      expect(() => smtp(url)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
      expect(() => smtp(url)).not.toThrow(/secret/);
    },
  );
});
