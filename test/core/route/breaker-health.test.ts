import { describe, expect, it } from 'vitest';
import { type MailRelay, type MessageEvent, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';

/** A server that greets, and answers one command with a refusal. */
const refusing = (command: RegExp, reply: string) =>
  rawServer(politely((line) => (command.test(line) ? reply : undefined)));

/** A server that offers something in EHLO, and answers one command with a refusal. */
const offering = (offer: string, command: RegExp, reply: string) =>
  rawServer(
    politely((line) => (/^EHLO/.test(line) ? `250-here\r\n250 ${offer}` : command.test(line) ? reply : undefined)),
  );

/** A server whose greeting is a refusal. */
const greeting = (reply: string) =>
  rawServer((socket, line) => {
    if (line === undefined) socket.end(`${reply}\r\n`);
  });

async function closedPort(): Promise<{ readonly port: number }> {
  const { port, server } = await smtpServer();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { port };
}

interface Way {
  readonly relay: MailRelay;
  readonly events: MessageEvent[];
}

async function way(port: number, options: Partial<Parameters<typeof smtp>[0] & object> = {}): Promise<Way> {
  const backup = await smtpServer();
  const first = smtp({ host: '127.0.0.1', port, ignoreTls: true, ...options }, { name: 'first' });
  const last = smtp({ host: '127.0.0.1', port: backup.port, ignoreTls: true }, { name: 'backup' });
  const relay = relayWith({ routes: [first, last], thread: false });
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  return { relay, events };
}

/** Sends mails one after the other, until each has left. */
async function sendThree({ relay, events }: Way): Promise<void> {
  for (let n = 1; n <= 3; n++) {
    await relay.send({ to: `r${n}@example.org`, subject: 'Hi', text: 'Hello' });
    await expect.poll(() => events.filter(({ type }) => type === 'sent').length).toBe(n);
  }
}

const LOGIN = { auth: { user: 'ada', pass: 'sesame-open' } };

describe('the breaker of a route, as health() shows it', () => {
  it.each([
    ['cannot be reached', closedPort, {}],
    ['hangs up', () => rawServer((socket) => void socket.destroy()), {}],
    [
      'refuses TLS',
      () => offering('STARTTLS', /^STARTTLS/, '454 4.7.0 TLS not available'),
      { ignoreTls: false, requireTls: true },
    ],
    [
      'does not have the TLS that is asked for',
      () => refusing(/^STARTTLS/, '502 5.5.1 Not implemented'),
      { ignoreTls: false, requireTls: true },
    ],
    ['refuses the login', () => offering('AUTH PLAIN', /^AUTH/, '535 5.7.8 Bad credentials'), LOGIN],
    ['asks for a login', () => refusing(/^MAIL/, '530 5.7.0 Authentication required'), {}],
    ['ends the conversation', () => refusing(/^MAIL/, '421 4.3.2 Service shutting down'), {}],
    [
      'names a time as it ends the conversation',
      () => greeting('421 4.3.2 Service not available, try again in 60 seconds'),
      {},
    ],
    ['has too many connections', () => greeting('421 4.7.0 Too many connections'), {}],
    ['is busy at the greeting', () => greeting('450 4.3.2 System not accepting mail'), {}],
    ['says 421 of our rate', () => refusing(/^\.$/, '421 4.7.28 Unusual rate of mail from your IP address'), {}],
    ['says 421 of a quota', () => refusing(/^MAIL/, '421 4.7.0 Daily sending limit exceeded'), {}],
    ['says 421 of a list', () => refusing(/^RCPT/, '421 4.7.1 Client host [192.0.2.1] blocked using bl.test'), {}],
    ['says 421 to a recipient', () => refusing(/^RCPT/, '421 4.7.0 Try again in 5 minutes, closing'), {}],
  ])('opens where the server %s', async (_, server, options) => {
    const started = await way((await server()).port, options);
    await sendThree(started);
    const { breakers, failing } = await started.relay.health();
    expect(breakers).toMatchObject({ first: { state: 'open' }, backup: { state: 'closed', failures: 0 } });
    expect(failing.map(({ route }) => route)).toEqual(['first']);
    expect(breakers.first?.probeAt).toBeGreaterThan(breakers.first?.since ?? Number.POSITIVE_INFINITY);
    expect(started.events.filter(({ type }) => type === 'deferred').every((event) => 'movedTo' in event)).toBe(true);
  });

  it.each([
    ['is at its quota', /^MAIL/, '454 4.7.0 Throttling failure: Daily message quota exceeded.', true],
    ['has blocked us', /^RCPT/, '554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org', true],
    ['has blocked us for now', /^RCPT/, '450 4.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org', true],
    ['asks for patience', /^RCPT/, '451 4.7.1 Greylisted, try again in 60 seconds', false],
    ['asks for patience, and hangs up', /^RCPT/, '421 4.7.1 Greylisted, try again in 60 seconds', false],
    ['has a full mailbox, and hangs up', /^RCPT/, '421 4.2.2 Mailbox full', false],
    ['does not know the recipient', /^RCPT/, '550 5.1.1 User unknown', false],
  ])('stays closed where the server %s', async (_, command, reply, moved) => {
    const { relay, events } = await way((await refusing(command, reply)).port);
    for (let n = 1; n <= 4; n++) {
      await relay.send({ to: `r${n}@example.org`, subject: 'Hi', text: 'Hello' });
      await expect.poll(() => events.filter(({ type }) => type === 'deferred' || type === 'bounced').length).toBe(n);
    }
    expect(await relay.health()).toMatchObject({ breakers: { first: { state: 'closed', failures: 0 } }, failing: [] });
    expect(events.some((event) => 'movedTo' in event && event.movedTo !== undefined)).toBe(moved);
  });
});
