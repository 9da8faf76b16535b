import { STREAMS, type Stream } from '../../message.ts';
import { broadcastConnections, CONNECTIONS } from '../places.ts';
import type { SmtpOptions } from '../port.ts';
import type { Conversation } from './conversation.ts';

/** The connections of one route: a bounded number of places, each with a conversation or about to get one. */
export interface Pool {
  /** Waits for a place. Answers a conversation that is open already; undefined where one has to be opened. */
  acquire(stream: Stream): Promise<Conversation | undefined>;
  /** Waits for a place for a conversation that has to be opened. */
  acquireNew(stream: Stream): Promise<void>;
  /**
   * Gives a place with its conversation to a mail that waits for one, while the message before it has no reply yet. Answers
   * false where none waits, or where transactional mail would have to go behind a newsletter: the place is kept.
   */
  handOn(conversation: Conversation, stream: Stream): boolean;
  /** Gives a place back, with its conversation where there is one; it is free once all that was said there is answered. */
  release(conversation: Conversation | undefined, stream: Stream): void;
  /** Ends a conversation that broke, when all is answered; its place is kept, for another one. */
  drop(conversation: Conversation): Promise<void>;
  /** Connections, with those that are about to be opened. */
  readonly connections: number;
  /** Connections that are open, and that nobody uses. */
  readonly idle: number;
  /** Says goodbye on so many connections that nobody uses. Answers how many there were. */
  closeIdle(most: number): number;
  /** Says goodbye on connections that nobody uses. */
  close(): Promise<void>;
}

/** A mail that waits for a place; it is given one with a conversation, or may look whether one is free. */
interface Waiting {
  readonly takesOpen: boolean;
  resolve(given?: Conversation): void;
}

/** Bounds of a pool. */
type PoolOptions = Pick<SmtpOptions, 'maxMessagesPerConnection' | 'idleMs'> & {
  /** How many it may have; what answers may answer another number each time. @default 5 */
  readonly connections?: number | (() => number) | undefined;
};

const MAX_MESSAGES = 100;
const IDLE_MS = 30_000;
/** Opening a connection takes longer than a mail on one that is open, where the server is quick: so long one is waited for. */
const HAND_OVER_MS = 25;

/**
 * Broadcast mail leaves one place free where there are several, so that transactional mail never waits for newsletters
 * that a server takes its time with.
 */
export function createPool(options: PoolOptions): Pool {
  const { connections = CONNECTIONS } = options;
  const most = typeof connections === 'function' ? connections : (): number => connections;
  const maxMessages = options.maxMessagesPerConnection ?? MAX_MESSAGES;
  const idle: { conversation: Conversation; timer: NodeJS.Timeout }[] = [];
  const waiting: Record<Stream, Waiting[]> = { transactional: [], broadcast: [] };
  const used: Record<Stream, number> = { transactional: 0, broadcast: 0 };

  let refusesAhead = false;

  /** Transactional mail that takes the next connection that broadcast mail leaves. */
  const next: ((conversation: Conversation) => void)[] = [];

  function handedOver(): Promise<Conversation | undefined> {
    return new Promise((resolve) => {
      const take = (conversation: Conversation | undefined): void => {
        clearTimeout(timer);
        const at = next.indexOf(take);
        if (at >= 0) next.splice(at, 1);
        resolve(conversation);
      };
      const timer = setTimeout(() => take(undefined), HAND_OVER_MS);
      next.push(take);
    });
  }

  const free = (stream: Stream): boolean =>
    used.transactional + used.broadcast < most() &&
    (stream === 'transactional' || used.broadcast < broadcastConnections(most()));

  /** Answers a conversation where the place came with one, or one that is kept: taken together, so that none counts twice. */
  async function place(stream: Stream, takesOpen: boolean): Promise<Conversation | undefined> {
    const waits = !free(stream);
    let given: Conversation | undefined;
    while (given === undefined && !free(stream))
      given = await new Promise((resolve) => waiting[stream].push({ takesOpen, resolve }));
    if (given === undefined) {
      used[stream] += 1;
      if (takesOpen) given = takeIdle();
    }
    // The next may have one, too, where there are more places than there were.
    if (waits) wakeNext();
    return given;
  }

  function nextStream(): Stream | undefined {
    return STREAMS.find((stream) => waiting[stream].length > 0 && free(stream));
  }

  function wakeNext(): void {
    const stream = nextStream();
    if (stream !== undefined) waiting[stream].shift()?.resolve();
  }

  /** Gives a conversation to who waits for one; the place that it was on counts no more. */
  function giveOn(conversation: Conversation): boolean {
    if (next[0] !== undefined) {
      next[0](conversation);
      wakeNext();
      return true;
    }
    const stream = nextStream();
    if (stream === undefined || waiting[stream][0]?.takesOpen !== true) return false;
    used[stream] += 1;
    waiting[stream].shift()?.resolve(conversation);
    return true;
  }

  function takeIdle(): Conversation | undefined {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      clearTimeout(kept.timer);
      if (!kept.conversation.ended) return kept.conversation;
    }
    return undefined;
  }

  const open = (): number => used.transactional + used.broadcast + idle.length;

  /** Connections that nobody uses count, too. */
  function makeRoom(): void {
    while (idle.length > 0 && open() > most()) takeIdle()?.close();
  }

  function end(conversation: Conversation): void {
    if (conversation.refusesAhead) refusesAhead = true;
    conversation.close();
  }

  function keep(conversation: Conversation): void {
    const entry = {
      conversation,
      timer: setTimeout(() => {
        const at = idle.indexOf(entry);
        if (at < 0) return;
        idle.splice(at, 1);
        conversation.close();
      }, options.idleMs ?? IDLE_MS),
    };
    entry.timer.unref();
    idle.push(entry);
  }

  function passOrKeep(conversation: Conversation): void {
    if (conversation.ended || conversation.refusesAhead || conversation.mails >= maxMessages) end(conversation);
    else if (next[0] !== undefined) next[0](conversation);
    else if (open() < most()) keep(conversation);
    else end(conversation);
  }

  /** It comes by another place before long, while the reply to a newsletter may take its time. */
  const transactionalWaits = (): boolean => next.length > 0 || waiting.transactional.length > 0;

  function handOn(conversation: Conversation, stream: Stream): boolean {
    if (conversation.ended || conversation.mails >= maxMessages || refusesAhead) return false;
    if (stream === 'broadcast' && most() > 1 && transactionalWaits()) return false;
    used[stream] -= 1;
    const handed = giveOn(conversation);
    if (!handed) used[stream] += 1;
    return handed;
  }

  function release(conversation: Conversation | undefined, stream: Stream): void {
    // Who was to go behind a message that has no reply yet did not; another connection in this place would be one too many.
    if (conversation?.answered !== undefined) {
      if (!handOn(conversation, stream)) void conversation.answered.then(() => release(conversation, stream));
      return;
    }
    used[stream] -= 1;
    if (conversation !== undefined) passOrKeep(conversation);
    wakeNext();
  }

  return {
    async acquire(stream) {
      const kept =
        (await place(stream, true)) ??
        (stream === 'transactional' && used.broadcast > 0 ? await handedOver() : undefined);
      makeRoom();
      return kept?.ended ? undefined : kept;
    },
    async acquireNew(stream) {
      await place(stream, false);
      makeRoom();
    },
    handOn,
    release,
    async drop(conversation) {
      end(conversation);
      await conversation.answered;
    },
    get connections() {
      return open();
    },
    get idle() {
      return idle.length;
    },
    closeIdle(most) {
      const before = idle.length;
      while (idle.length > Math.max(0, before - most)) takeIdle()?.close();
      return before - idle.length;
    },
    async close() {
      for (let kept = takeIdle(); kept !== undefined; kept = takeIdle()) kept.close();
    },
  };
}
