import type { Attempt, Outcome, OutgoingMail, SmtpOptions, Transport } from './port.ts';
import { classifyReply } from './replies.ts';
import { createSession, type Session, type SmtpFailure } from './session.ts';

const MAX_REPLY = 512;
const CONNECTIONS = 5;
const MAX_MESSAGES = 100;
const IDLE_MS = 30_000;

/** Sends over connections that are kept open and shared, and replaced after a number of mails or idle time. */
export function createSmtpTransport(route: string, options: SmtpOptions): Transport {
  const idle: { session: Session; timer: NodeJS.Timeout }[] = [];
  const waiting: (() => void)[] = [];
  const most = options.connections ?? CONNECTIONS;
  const maxMessages = options.maxMessagesPerConnection ?? MAX_MESSAGES;
  let open = 0;

  /** A connection that is open already, or a place to open one. */
  async function acquire(): Promise<Session | undefined> {
    while (idle.length === 0 && open >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      clearTimeout(kept.timer);
      if (!kept.session.ended()) return kept.session;
      open -= 1;
    }
    open += 1;
    return undefined;
  }

  function release(session: Session | undefined): void {
    if (session === undefined || session.ended() || session.sent() >= maxMessages) {
      session?.close();
      open -= 1;
    } else {
      const timer = setTimeout(() => {
        const at = idle.findIndex((one) => one.session === session);
        if (at < 0) return;
        idle.splice(at, 1);
        session.close();
        open -= 1;
      }, options.idleMs ?? IDLE_MS);
      timer.unref();
      idle.push({ session, timer });
    }
    waiting.shift()?.();
  }

  return {
    async send(mail): Promise<Attempt> {
      let session = await acquire();
      const startedAt = Date.now();
      mail.onStart?.(startedAt);
      const steps: { step: string; reply?: string; ms: number }[] = [];
      let outcome: Outcome;
      try {
        if (session === undefined) {
          session = createSession(options);
          const greeting = await session.connect();
          steps.push({ step: 'CONN', reply: cut(greeting), ms: Date.now() - startedAt });
        }
        const begun = Date.now();
        const reply = cut(await session.send(envelopeOf(mail), mail.raw));
        steps.push({ step: 'MESSAGE', reply, ms: Date.now() - begun });
        outcome = { type: 'sent', reply };
      } catch (error) {
        const failure = error as SmtpFailure;
        outcome = outcomeOf(failure);
        steps.push({ step: failure.step, reply: outcome.reply, ms: Date.now() - startedAt });
      } finally {
        release(session);
      }
      const tls = session?.secure() ?? false;
      return { outcome, transcript: { route, host: options.host, tls, startedAt, ms: Date.now() - startedAt, steps } };
    },
    async close() {
      for (const { session, timer } of idle.splice(0)) {
        clearTimeout(timer);
        session.close();
        open -= 1;
      }
    },
  };
}

function envelopeOf({ envelope }: OutgoingMail): { from: string; to: string; use8BitMime: boolean; smtpUtf8: boolean } {
  return { from: envelope.from, to: envelope.to, use8BitMime: envelope.eightBit, smtpUtf8: envelope.utf8 };
}

/** Errors become outcomes here and nowhere else. */
function outcomeOf(failure: SmtpFailure): Outcome {
  const { error, afterData, connected } = failure;
  const reply = cut(error.response || error.message);
  const deferred = (reason: 'auth-failure' | 'tls' | 'timeout' | 'network'): Outcome => ({
    type: 'deferred',
    reply,
    status: undefined,
    reason,
  });
  // A wrong password or a refused greeting is our trouble, never the recipient's.
  if (error.code === 'EAUTH') return deferred('auth-failure');
  if (error.code === 'ETLS') return deferred('tls');
  if (error.responseCode !== undefined && error.response) {
    const outcome = classifyReply(reply);
    return connected || outcome.type !== 'bounced'
      ? outcome
      : { type: 'deferred', reply, status: outcome.status, reason: outcome.reason };
  }
  if (afterData) return { type: 'unknown', reply, reason: error.code === 'ETIMEDOUT' ? 'timeout' : 'unknown' };
  if (/certificate|self.signed|TLS|SSL/i.test(error.message)) return deferred('tls');
  return deferred(error.code === 'ETIMEDOUT' ? 'timeout' : 'network');
}

function cut(text: string): string {
  return text.replaceAll(/\r?\n/g, ' ').slice(0, MAX_REPLY);
}
