import { MailRelayError } from '../errors.ts';
import { check, group, refuse, text, whole } from '../rules.ts';
import type { Page, UnmatchedFeedback } from '../store/port.ts';
import type { EngineApi, ReceivedMail } from '../thread/port.ts';

/** A mail as it came: bytes, text, or a stream of these such as `process.stdin`. */
export type RawMail = Uint8Array | string | AsyncIterable<Uint8Array | string>;

/** Which unmatched feedback. */
export interface UnmatchedQuery {
  /** 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** What became of the mail, as others tell it. */
export interface FeedbackTools {
  /**
   * Reads a mail that came back: a bounce, a delay notice, a complaint (RFC 3464, RFC 6533, RFC 5965, and those of servers that
   * follow none of them), an automatic answer. Finds the deliveries that it is about, moves them on, counts, and suppresses
   * addresses as the option `suppression` says. The same mail twice counts once. Answers once all of it is durable. Of a mail
   * of any size the first 2 MB are read: reports stand before the mail that they return.
   *
   * @throws MailRelayError `OPTIONS_INVALID` for what is no mail, `MAIL_UNREADABLE` where the stream fails; whatever the mail
   * says is no error.
   * @example
   * await relay.feedback.receive(process.stdin);
   */
  receive(mail: RawMail): Promise<ReceivedMail>;
  /** What came back about mail that is not known here, newest first. It is kept for 30 days. */
  unmatched(query?: UnmatchedQuery): Promise<Page<UnmatchedFeedback>>;
}

/** Bytes of a mail that are read; the engine reads no more. */
const KEPT = 2_097_152;
/** Bytes of a stream that are taken, so that whoever writes it can end. */
const TAKEN = 67_108_864;
const QUERY = group<UnmatchedQuery>({ limit: whole(1, 1000), after: text });

/** `relay.feedback` */
export function createFeedbackTools(engine: () => Promise<EngineApi>): FeedbackTools {
  return {
    async receive(mail) {
      const raw = await bytesOf(mail);
      return (await engine()).receiveMail(raw);
    },
    async unmatched(query = {}) {
      check(QUERY, query, 'unmatched()');
      return (await engine()).unmatchedFeedback({ limit: query.limit ?? 100, after: query.after });
    },
  };
}

async function bytesOf(mail: RawMail): Promise<Uint8Array> {
  // A copy: what crosses into the engine's thread must not carry the host's buffer with it.
  if (typeof mail === 'string') return Uint8Array.from(Buffer.from(mail.slice(0, KEPT)).subarray(0, KEPT));
  if (mail instanceof Uint8Array) return Uint8Array.from(mail.subarray(0, KEPT));
  if (typeof mail === 'object' && mail !== null && Symbol.asyncIterator in mail) return readStream(mail);
  return refuse('receive()', 'takes a mail as bytes, text or a stream');
}

async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let taken = 0;
  try {
    for await (const chunk of stream) {
      if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))
        throw new TypeError('it gives neither bytes nor text');
      const bytes =
        typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (taken < KEPT) chunks.push(bytes.subarray(0, KEPT - taken));
      taken += bytes.length;
      if (taken >= TAKEN) break;
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MailRelayError('MAIL_UNREADABLE', { reason }, { cause: error });
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
