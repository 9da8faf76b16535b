import type { Outcome } from '../port.ts';
import { classifyReply } from '../replies.ts';

/** Longest reply that is kept, characters. */
const MAX_REPLY = 512;

/** What went wrong; codes are those of nodemailer. */
export interface SmtpError extends Error {
  readonly code?: string;
  /** What the server said, where it said something. */
  readonly response?: string;
  readonly responseCode?: number;
  readonly command?: string;
}

/** Why a mail did not go out over a connection, and how far it was. */
export class SmtpFailure extends Error {
  readonly error: SmtpError;
  readonly step: string;
  /** The message had begun to go out, and the server said nothing about it: nobody knows whether it was taken. */
  readonly afterData: boolean;
  /** The session was ready for mail. */
  readonly connected: boolean;
  /** What reads like a reply is ours: the server was not asked. */
  readonly own: boolean;

  constructor(error: SmtpError, progress: { step: string; afterData: boolean; connected: boolean; own?: boolean }) {
    super(error.message, { cause: error });
    this.error = error;
    this.step = progress.step;
    this.afterData = progress.afterData;
    this.connected = progress.connected;
    this.own = progress.own ?? false;
  }
}

/** An error with what the server said. */
export function refusal(reply: string, command: string): SmtpError {
  return Object.assign(new Error(reply), { response: reply, responseCode: Number(reply.slice(0, 3)), command });
}

/** An error with a code of nodemailer's. */
export function smtpError(message: string, code: string): SmtpError {
  return Object.assign(new Error(message), { code });
}

/** What the other side said, or did not. */
export type Said = Exclude<Outcome, { type: 'withdrawn' }>;

/** Errors become outcomes here and nowhere else. */
export function outcomeOf({ error, step, afterData, connected, own }: SmtpFailure): Said {
  const reply = oneLine(error.response || error.message);
  const deferred = (reason: 'auth-failure' | 'tls' | 'timeout' | 'network'): Said => ({
    type: 'deferred',
    reply,
    status: undefined,
    reason,
    fault: reason === 'auth-failure' ? 'login' : 'connection',
  });
  // A wrong password or a refused greeting is our trouble, never the recipient's.
  if (error.code === 'EAUTH') return deferred('auth-failure');
  if (error.code === 'ETLS') return deferred('tls');
  if (error.responseCode !== undefined && error.response) {
    const outcome = classifyReply(reply, step);
    if (own) return { ...outcome, own };
    if (connected) return outcome;
    // Nobody has spoken of a mail yet.
    if (outcome.type === 'deferred') return { ...outcome, fault: outcome.fault ?? 'connection' };
    return {
      type: 'deferred',
      reply,
      status: outcome.status,
      reason: outcome.reason,
      fault: outcome.fault ?? 'refused',
    };
  }
  if (afterData) return { type: 'unknown', reply, reason: error.code === 'ETIMEDOUT' ? 'timeout' : 'unknown' };
  if (/certificate|self.signed|TLS|SSL/i.test(error.message)) return deferred('tls');
  return deferred(error.code === 'ETIMEDOUT' ? 'timeout' : 'network');
}

/** A reply or message as it is kept: short, and on one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').slice(0, MAX_REPLY);
}

/** The code of an error of a server that did not like to be told the next mail before it had answered. */
export const AHEAD = 'EAHEAD';

/** A connection that was kept open ended at the beginning of a transaction, or was used as its server does not like it. */
export function isStale({ error, step, afterData }: SmtpFailure): boolean {
  if (error.code === AHEAD) return true;
  const ended = error.response === undefined || error.responseCode === 421;
  return !afterData && (step === 'MAIL' || step === 'RSET') && ended;
}

/** What was thrown, as a failure: what is none came up before the session was ready. */
export function failureOf(error: unknown): SmtpFailure {
  if (error instanceof SmtpFailure) return error;
  return new SmtpFailure(error as Error, { step: 'CONN', afterData: false, connected: false });
}
