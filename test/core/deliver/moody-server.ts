import type { Socket } from 'node:net';
import { rawServer } from '../../support/smtp.ts';

/** Where a server makes trouble, and how. */
export interface Trouble {
  readonly step: 'MAIL' | 'RCPT' | 'DATA' | 'MESSAGE';
  /** `reset`: the connection, in place of an end; `complain`: that commands came before it had answered; where none did, there is no trouble. */
  readonly how: '4xx' | '5xx' | '421' | 'close' | 'reset' | 'answer and close' | 'complain' | 'complain and close';
}

/** How a server treats a mail, each time that it comes. */
export interface Mood {
  readonly trouble: Trouble | undefined;
  /** How long it thinks before each reply, ms. */
  readonly ms: number;
  /** Replies leave byte by byte; when nothing more is to be answered, in one segment; or one by one. */
  readonly writes: 'bytes' | 'groups' | 'replies';
  /** It asks for a message that has no recipient. */
  readonly insists: boolean;
}

/**
 * What a server did to a mail: `silent` where it had the message and closed without a word, `unasked` where it closed after it
 * had asked for the message, `closed` before that.
 */
export type Fate = 'taken' | '4xx' | '5xx' | '421' | 'closed' | 'unasked' | 'silent' | 'complained';

const CALM: Mood = { trouble: undefined, ms: 0, writes: 'replies', insists: false };
const RESET_MS = 3;
const REFUSALS = {
  MAIL: { '4xx': '451 4.3.0 later', '5xx': '553 5.1.8 bad sender' },
  RCPT: { '4xx': '450 4.2.1 later', '5xx': '550 5.1.1 unknown' },
  DATA: { '4xx': '451 4.3.0 later', '5xx': '554 5.6.0 no' },
  MESSAGE: { '4xx': '451 4.3.0 later', '5xx': '554 5.6.0 refused' },
} as const;
const GOOD = { MAIL: '250 2.1.0 ok', RCPT: '250 2.1.5 ok', DATA: '354 go', MESSAGE: '250 2.0.0 ok' } as const;

/** A connection to a server. */
interface Session {
  work: Promise<void>;
  /** Lines that were not worked at yet. */
  pending: number;
  /** Messages that came, and have no reply yet. */
  unanswered: number;
  wasAhead: boolean;
  /** Mails that came on it. */
  mails: number;
  closed: boolean;
  held: string;
  mail: number;
  mood: Mood;
  /** How the envelope went so far. */
  good: boolean;
  inData: boolean;
}

/**
 * A server with PIPELINING that is in another mood for each mail, and each time that it comes; replies name the mail that they
 * are about. Mails are known by their number in the reverse-path.
 *
 * @param moods - of mails by their number, one for each time; it is calm afterwards
 */
export async function moodyServer(moods: readonly (readonly Mood[])[], onMail: (mail: number) => void) {
  const fates: Fate[][] = moods.map(() => []);
  const times = moods.map(() => 0);
  const sessions = new WeakMap<Socket, Session>();
  let ahead = 0;
  let mostMails = 0;

  function begin(socket: Socket): void {
    socket.setNoDelay(true);
    socket.write('220 here\r\n');
    const state = { pending: 0, unanswered: 0, wasAhead: false, mails: 0, closed: false, held: '' };
    const transaction = { mail: -1, mood: CALM, good: false, inData: false };
    sessions.set(socket, { ...state, ...transaction, work: Promise.resolve() });
  }

  async function write(socket: Socket, session: Session, text: string): Promise<void> {
    if (session.mood.ms > 0) await new Promise((resolve) => setTimeout(resolve, session.mood.ms));
    session.held += `${text}\r\n`;
    if (session.mood.writes === 'groups' && session.pending > 1) return;
    const pieces = session.mood.writes === 'bytes' ? session.held : [session.held];
    session.held = '';
    for (const piece of pieces) {
      if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
      if (socket.writable) socket.write(piece);
    }
  }

  function close(socket: Socket, session: Session, resets = false): void {
    session.closed = true;
    if (session.held !== '' && socket.writable) socket.write(session.held);
    // What was said before arrives before.
    if (resets) setTimeout(() => socket.resetAndDestroy(), RESET_MS);
    else socket.destroySoon();
  }

  /** Answers whether it answered as it does in a good mood. */
  async function answer(socket: Socket, session: Session, step: Trouble['step']): Promise<boolean> {
    const { mail, mood } = session;
    const how = mood.trouble?.step === step ? mood.trouble.how : undefined;
    const end = (fate: Fate): void => void fates[mail]?.push(fate);
    const say = (text: string): Promise<void> => write(socket, session, `${text} m${mail}.`);
    switch (how) {
      case '4xx':
      case '5xx':
        end(how);
        await say(REFUSALS[step][how]);
        return false;
      case '421':
        end(how);
        await say('421 4.3.2 going away');
        close(socket, session);
        return false;
      case 'close':
      case 'reset':
        end(step === 'MESSAGE' ? 'silent' : 'closed');
        close(socket, session, how === 'reset');
        return false;
      case 'complain':
      case 'complain and close':
        if (!session.wasAhead) break;
        end('complained');
        await say('503 5.5.0 improper use of SMTP command pipelining');
        if (how !== 'complain') close(socket, session);
        return false;
    }
    if (step === 'MESSAGE') end('taken');
    await say(GOOD[step]);
    if (how !== 'answer and close') return true;
    if (step !== 'MESSAGE') end(step === 'DATA' ? 'unasked' : 'closed');
    close(socket, session);
    return false;
  }

  /** The end of a message, and commands that need what went before. */
  async function next(socket: Socket, session: Session, line: string): Promise<void> {
    const { mail, mood } = session;
    if (session.inData) {
      session.inData = false;
      if (session.good) await answer(socket, session, 'MESSAGE');
      else await write(socket, session, `554 5.5.1 no recipients m${mail}.`);
      session.good = false;
      session.unanswered -= 1;
    } else if (!session.good) {
      session.inData = line === 'DATA' && mood.insists;
      await write(socket, session, session.inData ? `354 go m${mail}.` : `503 5.5.1 out of order m${mail}.`);
    } else if (line === 'DATA') {
      session.good = await answer(socket, session, 'DATA');
      session.inData = session.good;
    } else session.good = await answer(socket, session, 'RCPT');
  }

  async function work(socket: Socket, session: Session, line: string): Promise<void> {
    if (session.closed || (session.inData && line !== '.')) return;
    const mail = Number(/^MAIL FROM:<m(\d+)@/.exec(line)?.[1] ?? -1);
    if (session.inData || line === 'DATA' || line.startsWith('RCPT')) await next(socket, session, line);
    else if (mail >= 0) {
      onMail(mail);
      session.mails += 1;
      mostMails = Math.max(mostMails, session.mails);
      session.mail = mail;
      session.mood = moods[mail]?.[times[mail] ?? 0] ?? CALM;
      times[mail] = (times[mail] ?? 0) + 1;
      session.good = await answer(socket, session, 'MAIL');
    } else if (line.startsWith('EHLO')) await write(socket, session, '250-here\r\n250 PIPELINING');
    else if (line === 'QUIT') socket.end('221 bye\r\n');
    else await write(socket, session, '250 2.0.0 ok');
  }

  const server = await rawServer((socket, line) => {
    const session = sessions.get(socket);
    if (session === undefined || line === undefined) return begin(socket);
    if (line === '.') session.unanswered += 1;
    if (line.startsWith('MAIL') && session.unanswered > 0) {
      session.wasAhead = true;
      ahead += 1;
    }
    session.pending += 1;
    session.work = session.work
      .then(() => work(socket, session, line))
      .then(() => {
        session.pending -= 1;
      });
  });
  return { port: server.port, fates, ahead: () => ahead, mostMails: () => mostMails };
}
