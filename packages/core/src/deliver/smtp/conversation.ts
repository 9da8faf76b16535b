import type { OutgoingMail } from '../port.ts';
import type { OpenConnection } from './connect.ts';
import { dotStuffed } from './dot-stuffing.ts';
import { AHEAD, refusal, type SmtpError, SmtpFailure, smtpError } from './failure.ts';
import { createReplyReader } from './reply-reader.ts';
import type { StepSink } from './session-log.ts';

/** A connection on which one mail after the other goes out. */
export interface Conversation {
  readonly secure: boolean;
  /** Version of TLS; undefined in the clear. */
  readonly tlsVersion: string | undefined;
  /** Mails that were tried on it. */
  readonly mails: number;
  /** Nothing more can be sent on it. */
  readonly ended: boolean;
  /** Comes when all that was said has its reply, or will have none; undefined where nothing is outstanding. */
  readonly answered: Promise<void> | undefined;
  /** The server was told the next mail before it had answered, as it offers, and did not like it. */
  readonly refusesAhead: boolean;
  /**
   * One mail transaction (RFC 5321 section 3.3). Answers the reply to the message.
   *
   * @param onWritten - called when the message is written, where the next mail can be sent behind it at once, without
   * waiting for the reply
   * @throws SmtpFailure
   */
  send(mail: Sent, onStep: StepSink, onWritten?: () => void): Promise<string>;
  /** Says goodbye when all is answered, and ends the connection soon. */
  close(): void;
}

type Sent = Pick<OutgoingMail, 'envelope' | 'raw' | 'onMessage'>;

/** What a server said, and after what time, ms. */
interface Reply {
  readonly text: string;
  readonly ms: number;
}

/** A step that waits for its reply; `undefined` when the connection broke first. */
interface Waiting {
  readonly step: string;
  readonly askedAt: number;
  readonly answer: (reply: Reply | undefined) => void;
}

/** A message on its way. */
interface Written {
  readonly answer: Promise<Reply | undefined>;
  left(): boolean;
}

const QUIT_MS = 1000;
/** A server that takes longer for a message has no mail sent behind it: who waits may do better elsewhere. */
const QUICK_MS = 250;

/** A message of more bytes leaves in a write of its own, so that it is known whether all of it has left. */
const ALONE_BYTES = 65_536;

const UNFIT = 'EUNFIT';
/** How servers say that they were told more than they had asked for; not where it stands in an address, a host or a link. */
const AHEAD_COMPLAINT = /(?<![\w.@/-])(?:pipelin\w*|synchroni[sz]ation)(?![\w@/-]|\.\w)/i;

/**
 * Speaks over an open connection, in groups of commands where the server takes them (RFC 2920).
 *
 * @param options.mailMs - longest time for one mail, however often the server says something meanwhile
 */
export function createConversation(
  { socket, secure, tlsVersion, verified, extensions }: OpenConnection,
  { mailMs }: { readonly mailMs: number },
): Conversation {
  const pipelining = extensions.has('PIPELINING');
  const waiting: Waiting[] = [];
  let lastReply: Promise<unknown> = Promise.resolve();
  let group = '';
  let broken: SmtpError | undefined;
  let closing = false;
  let quitting = false;
  let mails = 0;
  let heardAt = 0;
  /** A transaction was left open, and has to be reset before the next. */
  let open = false;
  let isQuick = false;
  /** A mail was begun before the one before it was answered. */
  let wasAhead = false;
  let refusesAhead = false;

  const read = createReplyReader(hear, (problem) => end(smtpError(problem, 'EPROTOCOL')));
  socket.setEncoding('utf8');
  socket.on('data', read);
  socket.on('error', end);
  socket.on('timeout', () => end(smtpError('the server says nothing any more', 'ETIMEDOUT')));
  socket.on('close', () => end(smtpError('the server closed the connection', 'ECONNECTION')));

  function hear(text: string): void {
    const next = waiting.shift();
    const now = Date.now();
    // Of commands in a group each takes from the reply before it.
    next?.answer({ text, ms: now - Math.max(next.askedAt, heardAt) });
    heardAt = now;
    // A server says 421 when it is about to close, whether it was asked or not (RFC 5321 section 4.2.1).
    if (next === undefined || text.startsWith('421')) end(refusal(text, next?.step ?? 'CONN'));
    else if (closing && waiting.length === 0) quit();
  }

  function end(error: SmtpError): void {
    broken ??= error;
    for (const { answer } of waiting.splice(0)) answer(undefined);
    if (!quitting) socket.destroy();
    closing = true;
  }

  function quit(): void {
    quitting = true;
    socket.end('QUIT\r\n');
    setTimeout(() => socket.destroy(), QUIT_MS).unref();
  }

  function replyTo(step: string): Promise<Reply | undefined> {
    const reply = new Promise<Reply | undefined>((answer) => waiting.push({ step, askedAt: Date.now(), answer }));
    lastReply = reply;
    return reply;
  }

  /** Adds a command to the group, and answers its reply. */
  function ask(step: string, command: string): Promise<Reply | undefined> {
    if (broken !== undefined) return Promise.resolve(undefined);
    group += `${command}\r\n`;
    if (!pipelining) flush();
    return replyTo(step);
  }

  function flush(): void {
    if (group !== '') socket.write(group);
    group = '';
  }

  /** The envelope. Answers undefined when the server waits for the message, else what it did not like. */
  async function envelope(
    { from, to, utf8, eightBit, requireTls }: OutgoingMail['envelope'],
    bytes: number,
    onStep: StepSink,
  ): Promise<SmtpFailure | undefined> {
    const size = extensions.has('SIZE') ? ` SIZE=${bytes}` : '';
    const body = eightBit && extensions.has('8BITMIME') ? ' BODY=8BITMIME' : '';
    const parameters = `${size}${body}${utf8 ? ' SMTPUTF8' : ''}${requireTls ? ' REQUIRETLS' : ''}`;
    const commands = [
      ...(open ? [['RSET', 'RSET']] : []),
      ['MAIL', `MAIL FROM:<${from}>${parameters}`],
      ['RCPT', `RCPT TO:<${to}>`],
      ['DATA', 'DATA'],
    ] as const;
    open = true;
    if (waiting.length > 0) wasAhead = true;
    let problem: SmtpFailure | undefined;
    let takes = false;
    const asked = pipelining ? commands.map(([step, command]) => ask(step, command)) : [];
    flush();
    for (const [index, [step, command]] of commands.entries()) {
      const reply = await (asked[index] ?? ask(step, command));
      if (reply === undefined) return problem ?? lost(step, false);
      const { text, ms } = reply;
      // What follows a refusal is refused for that alone.
      if (problem === undefined && step !== 'RSET') onStep(step, text, ms);
      takes = step === 'DATA' && text.startsWith('3');
      const good = step === 'DATA' ? takes : text.startsWith('2');
      if (!good) problem ??= refused(text, step);
      if (problem !== undefined && !pipelining) return problem;
    }
    // Nobody is left to get it, yet the server waits for a message (RFC 2920 section 3.1).
    if (problem !== undefined && takes) await message([Buffer.from('.\r\n')]).answer;
    return problem;
  }

  /** Answers what the server says to a message, and, where that never came, whether the end of it may have left this machine. */
  function message(pieces: readonly Buffer[], bytes = 0): Written {
    if (broken !== undefined) return { answer: Promise.resolve(undefined), left: () => false };
    // What is small leaves at once, and nobody need ask.
    let written = bytes <= ALONE_BYTES;
    const alone = !written;
    const onWritten = (error?: Error | null): void => {
      written = !error;
    };
    socket.cork();
    for (const piece of pieces) {
      if (alone) socket.write(piece, onWritten);
      else socket.write(piece);
    }
    // Leaves together with the envelope of the next mail, where that comes at once.
    if (alone) socket.uncork();
    else process.nextTick(() => socket.uncork());
    return { answer: replyTo('MESSAGE'), left: () => written };
  }

  /** The connection broke before the reply. */
  function lost(step: string, afterData: boolean): SmtpFailure {
    return new SmtpFailure(broken as SmtpError, { step, afterData, connected: true });
  }

  function refused(text: string, step: string): SmtpFailure {
    const error = refusal(text, step);
    const isComplaint = wasAhead && AHEAD_COMPLAINT.test(text);
    if (isComplaint) refusesAhead = true;
    const failed = isComplaint ? Object.assign(error, { code: AHEAD }) : error;
    return new SmtpFailure(failed, { step, afterData: false, connected: true });
  }

  return {
    secure,
    tlsVersion,
    get mails() {
      return mails;
    },
    get ended() {
      return broken !== undefined || closing;
    },
    get answered() {
      return waiting.length === 0 ? undefined : lastReply.then(() => {});
    },
    get refusesAhead() {
      return refusesAhead;
    },
    async send(mail, onStep, onWritten) {
      mails += 1;
      const deadline = setTimeout(() => end(smtpError('the mail took too long', 'ETIMEDOUT')), mailMs);
      try {
        return await transact(mail, onStep, onWritten);
      } finally {
        clearTimeout(deadline);
      }
    },
    close() {
      if (closing) return;
      closing = true;
      if (waiting.length === 0) quit();
    },
  };

  async function transact(mail: Sent, onStep: StepSink, onWritten: (() => void) | undefined): Promise<string> {
    const problem = unfit(mail, { verified, extensions }) ?? (await envelope(mail.envelope, mail.raw.length, onStep));
    if (problem !== undefined) throw problem;
    // The server may have ended it as it asked for the message.
    if (broken !== undefined) throw lost('DATA', false);
    mail.onMessage?.();
    const { answer, left } = message(dotStuffed(mail.raw), mail.raw.length);
    // Whatever the server says to the message, it has forgotten the envelope (RFC 5321 section 4.1.1.4).
    open = false;
    // The envelope of another mail may follow a message (RFC 2920 section 3.1), a message that of another may not.
    if (pipelining && isQuick) onWritten?.();
    const reply = await answer;
    if (reply === undefined) throw lost('MESSAGE', left());
    if (!/^[245]/.test(reply.text)) {
      const problem = `the server answers the message with ${reply.text}`;
      end(smtpError(problem, 'EPROTOCOL'));
      throw lost('MESSAGE', true);
    }
    isQuick = reply.ms < QUICK_MS;
    onStep('MESSAGE', reply.text, reply.ms);
    if (!reply.text.startsWith('2')) throw refused(reply.text, 'MESSAGE');
    return reply.text;
  }
}

/** What this server cannot take, known before anything is said. */
function unfit(
  { envelope: { from, to, utf8, requireTls }, raw }: Sent,
  { verified, extensions }: Pick<OpenConnection, 'verified' | 'extensions'>,
): SmtpFailure | undefined {
  const no = (reply: string, code?: string): SmtpFailure => {
    const error = Object.assign(refusal(reply, 'MAIL'), code === undefined ? {} : { code });
    return new SmtpFailure(error, { step: 'MAIL', afterData: false, connected: true, own: true });
  };
  if (endsCommand(from) || endsCommand(to)) return no('553 5.1.3 an address has characters that no address has');
  if (utf8 && !extensions.has('SMTPUTF8')) return no('550 5.6.7 the server takes no addresses in UTF-8 (SMTPUTF8)');
  // The demand travels only to who is known, and takes it over (RFC 8689 section 4.2.1).
  if (requireTls && !verified) return no('550 5.7.10 the mail asks for TLS with a certificate that is trusted', UNFIT);
  if (requireTls && !extensions.has('REQUIRETLS'))
    return no('550 5.7.30 the mail asks for REQUIRETLS, and the server does not offer it', UNFIT);
  const most = Number(extensions.get('SIZE') ?? 0);
  if (most > 0 && raw.length > most)
    return no(`552 5.3.4 the message has ${raw.length} bytes, and the server takes ${most}`);
  return undefined;
}

/** Whether a server cannot promise what the mail asks for: another one may. */
export function isUnfit({ error }: SmtpFailure): boolean {
  return error.code === UNFIT;
}

/** Brackets are part of an address where they stand in a quoted local part (RFC 5321 section 4.1.2), and nowhere else. */
function endsCommand(address: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would end the command
  return /[\x00-\x1f\x7f]/.test(address) || /[<>]/.test(address.replace(/^"(?:[^"\\]|\\.)*"@/, ''));
}
