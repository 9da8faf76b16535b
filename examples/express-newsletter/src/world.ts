/** A local SMTP server that behaves like the world, and remembers everything: the demo is checked against it. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import { mailboxOf } from './recipients.ts';

/** What the server does with a mailbox. */
export type Fate = 'accepts' | 'busy-at-first' | 'unknown-user' | 'hangs-up-at-first';

/** What the server saw of one mailbox. */
export interface Mailbox {
  readonly fate: Fate;
  attempts: number;
  /** Mails that were taken, as they came over the wire. */
  readonly mails: Buffer[];
  /** When the last one was taken, ms of the same clock as `performance.now()`. */
  takenAt: number;
  /** What had arrived of a mail before the server hung up. */
  cut: Buffer | undefined;
}

/** The running server. */
export interface World {
  readonly url: string;
  readonly mailboxes: ReadonlyMap<string, Mailbox>;
  /** When each attempt began (MAIL FROM), ms. */
  readonly attemptsAt: readonly number[];
  /** How many mails were taken. */
  taken(): number;
  /** Resolves with the first mail of a mailbox, at once where it is there. */
  arrival(address: string): Promise<Mailbox>;
  close(): Promise<void>;
}

/** One mailbox after this many hangs up in the middle of its mail. */
const HANGS_UP_AFTER = 20;

/** Starts the server on a free port. */
export async function startWorld(): Promise<World> {
  const mailboxes = new Map<string, Mailbox>();
  const attemptsAt: number[] = [];
  const waiting = new Map<string, (mailbox: Mailbox) => void>();
  let taken = 0;

  function meet(address: string): Mailbox {
    const key = mailboxOf(address);
    const known = mailboxes.get(key);
    if (known) return known;
    const usual = fateOf(key);
    const fate = usual === 'accepts' && mailboxes.size === HANGS_UP_AFTER ? 'hangs-up-at-first' : usual;
    const met: Mailbox = { fate, attempts: 0, mails: [], takenAt: 0, cut: undefined };
    mailboxes.set(key, met);
    return met;
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onMailFrom(_address, _session, done) {
      attemptsAt.push(performance.now());
      done();
    },
    onRcptTo({ address }, _session, done) {
      const mailbox = meet(address);
      mailbox.attempts += 1;
      if (mailbox.fate === 'unknown-user') return done(reply(550, '5.1.1 No such mailbox here'));
      if (mailbox.fate === 'busy-at-first' && mailbox.attempts === 1) return done(reply(451, '4.3.2 Try again later'));
      done();
    },
    onData(stream, session, done) {
      const key = mailboxOf(session.envelope.rcptTo[0]?.address ?? '');
      const mailbox = meet(key);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (mailbox.fate !== 'hangs-up-at-first' || mailbox.attempts > 1 || mailbox.cut) return;
        mailbox.cut = chunk;
        hangUp(server, session);
      });
      stream.on('end', () => {
        if (mailbox.cut && mailbox.attempts === 1) return;
        mailbox.mails.push(Buffer.concat(chunks));
        mailbox.takenAt = performance.now();
        taken += 1;
        waiting.get(key)?.(mailbox);
        done(null, 'taken');
      });
    },
  });
  server.on('error', () => {}); // a connection that broke: the relay has to cope, not the world
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');

  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mailboxes,
    attemptsAt,
    taken: () => taken,
    async arrival(address) {
      const mailbox = mailboxes.get(mailboxOf(address));
      if (mailbox?.mails.length) return mailbox;
      return new Promise((resolve) => waiting.set(mailboxOf(address), resolve));
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Some mailboxes are busy the first time, some do not exist; always the same ones. */
function fateOf(address: string): Fate {
  let hash = 2166136261;
  for (const char of address) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619) >>> 0;
  const share = hash % 100;
  if (share < 4) return 'busy-at-first';
  if (share < 7) return 'unknown-user';
  return 'accepts';
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

function hangUp(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) if (connection.id === session.id) connection.close();
}
