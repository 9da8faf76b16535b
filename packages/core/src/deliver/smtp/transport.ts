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

/** A try; `stale` where it is no fault of the mail's, and is to be made again, in its place or in another. */
type Try = Attempt & { readonly stale?: 'in place' | 'elsewhere' | undefined };

/** Sends over connections that are kept open and shared, and replaced after a number of mails or idle time. */
export function createSmtpTransport(
  route: string,
  options: SmtpOptions,
  clock: Pick<Clock, 'now'> = systemClock,
): Transport {
  const pool = createPool(options);
  const socketMs = options.socketTimeoutMs ?? SOCKET_MS;

  /** One try over a connection, with the start that was counted; the connection is left to the pool at the end. */
  async function attempt(mail: OutgoingMail, kept: Conversation | undefined, startedAt: number): Promise<Try> {
    const steps: TranscriptStep[] = [];
    const onStep = (step: string, reply: string, ms: number): void =>
      void steps.push({ step, reply: oneLine(reply), ms });
    let conversation = kept;
    let outcome: Exclude<Outcome, { type: 'withdrawn' }>;
    let stale: Try['stale'];
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
      if (kept !== undefined && isStale(failure)) stale = handedOn ? 'elsewhere' : 'in place';
    } finally {
      if (stale === 'in place' && kept !== undefined) await pool.drop(kept);
      else if (!handedOn) pool.release(conversation, streamOf(mail));
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

  async function begin(mail: OutgoingMail, kept: Conversation | undefined): Promise<Try> {
    const startedAt = clock.now();
    if (mail.onStart?.(startedAt) !== false) return attempt(mail, kept, startedAt);
    pool.release(kept, streamOf(mail));
    return { outcome: { type: 'withdrawn' }, transcript: { route, startedAt, ms: 0, steps: [] } };
  }

  return {
    async send(mail): Promise<Attempt> {
      const first = await begin(mail, await pool.acquire(streamOf(mail)));
      // The server had closed it, or was about to, before this mail came: that says nothing about the mail.
      if (first.stale === undefined) return first;
      if (first.stale === 'elsewhere') await pool.acquireNew(streamOf(mail));
      return begin(mail, undefined);
    },
    verify: () => verifySmtp(options, Math.min(socketMs, VERIFY_MS)),
    close: pool.close,
  };
}

function streamOf(mail: OutgoingMail): Stream {
  return mail.stream ?? 'transactional';
}
