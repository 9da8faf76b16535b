import { type Clock, systemClock } from '../../clock.ts';
import type { TranscriptStep } from '../../events.ts';
import type { Stream } from '../../message.ts';
import type { Attempt, Outcome, OutgoingMail, SmtpOptions, Transport } from '../port.ts';
import { openConnection } from './connect.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { failureOf, isStale, oneLine, outcomeOf } from './failure.ts';
import { createPool } from './pool.ts';
import { verifySmtp } from './verify.ts';

const SOCKET_MS = 120_000;
/** Somebody waits for the answer of a try. */
const VERIFY_MS = 30_000;

/** Sends over connections that are kept open and shared, and replaced after a number of mails or idle time. */
export function createSmtpTransport(
  route: string,
  options: SmtpOptions,
  clock: Pick<Clock, 'now'> = systemClock,
): Transport {
  const pool = createPool(options);
  const socketMs = options.socketTimeoutMs ?? SOCKET_MS;

  /** One try over a connection, with the start that was counted; the connection is left to the pool at the end. */
  async function attempt(
    mail: OutgoingMail,
    kept: Conversation | undefined,
    startedAt: number,
  ): Promise<Attempt & { stale: boolean }> {
    const steps: TranscriptStep[] = [];
    const onStep = (step: string, reply: string, ms: number): void =>
      void steps.push({ step, reply: oneLine(reply), ms });
    let conversation = kept;
    let outcome: Exclude<Outcome, { type: 'withdrawn' }>;
    let stale = false;
    let handedOn = false;
    const onWritten = (): void => {
      handedOn = conversation !== undefined && pool.handOn(conversation, streamOf(mail));
    };
    try {
      conversation ??= createConversation(await openConnection(options, socketMs, onStep), { mailMs: 5 * socketMs });
      outcome = { type: 'sent', reply: oneLine(await conversation.send(mail, onStep, onWritten)) };
    } catch (error) {
      const failure = failureOf(error);
      outcome = outcomeOf(failure);
      if (steps.at(-1)?.step !== failure.step)
        steps.push({ step: failure.step, reply: outcome.reply, ms: clock.now() - startedAt });
      stale = kept !== undefined && isStale(failure);
    } finally {
      if (!handedOn) pool.release(conversation, streamOf(mail));
    }
    const transcript = {
      route,
      host: options.host,
      tls: conversation?.secure ?? false,
      startedAt,
      ms: clock.now() - startedAt,
      steps,
    };
    return { outcome, transcript, stale };
  }

  async function begin(mail: OutgoingMail, kept: Conversation | undefined): Promise<Attempt & { stale: boolean }> {
    const startedAt = clock.now();
    if (mail.onStart?.(startedAt) !== false) return attempt(mail, kept, startedAt);
    pool.release(kept, streamOf(mail));
    return { outcome: { type: 'withdrawn' }, transcript: { route, startedAt, ms: 0, steps: [] }, stale: false };
  }

  return {
    async send(mail): Promise<Attempt> {
      const first = await begin(mail, await pool.acquire(streamOf(mail)));
      if (!first.stale) return first;
      // The server had closed it, or was about to, before this mail came: that says nothing about the mail.
      return begin(mail, await pool.acquireNew(streamOf(mail)));
    },
    verify: () => verifySmtp(options, Math.min(socketMs, VERIFY_MS)),
    close: pool.close,
  };
}

function streamOf(mail: OutgoingMail): Stream {
  return mail.stream ?? 'transactional';
}
