import type { Stream } from '../../message.ts';
import { broadcastConnections, CONNECTIONS } from '../places.ts';
import type { SmtpOptions } from '../port.ts';
import type { Conversation } from './conversation.ts';

/** The connections of one route: a bounded number of places, each with a conversation or about to get one. */
export interface Pool {
  /** Waits for a place. Answers a conversation that is open already; undefined where one has to be opened. */
  acquire(stream: Stream): Promise<Conversation | undefined>;
  /** Waits for a place for a conversation that has to be opened. */
  acquireNew(stream: Stream): Promise<undefined>;
  /** Gives a place back, with its conversation where there is one. */
  release(conversation: Conversation | undefined, stream: Stream): void;
  /** Connections, with those that are about to be opened. */
  readonly connections: number;
  /** Connections that are open, and that nobody uses. */
  readonly idle: number;
  /** Says goodbye on so many connections that nobody uses. Answers how many there were. */
  closeIdle(most: number): number;
  /** Says goodbye on connections that nobody uses. */
  close(): Promise<void>;
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
  const waiting: Record<Stream, (() => void)[]> = { transactional: [], broadcast: [] };
  const used: Record<Stream, number> = { transactional: 0, broadcast: 0 };

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

  async function place(stream: Stream): Promise<void> {
    const waits = !free(stream);
    while (!free(stream)) await new Promise<void>((resolve) => waiting[stream].push(resolve));
    used[stream] += 1;
    // The next may have one, too, where there are more places than there were.
    if (waits) wakeNext();
  }

  function wakeNext(): void {
    for (const stream of ['transactional', 'broadcast'] as const) {
      if (waiting[stream].length > 0 && free(stream)) return void waiting[stream].shift()?.();
    }
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

  return {
    async acquire(stream) {
      await place(stream);
      const kept = takeIdle() ?? (stream === 'transactional' && used.broadcast > 0 ? await handedOver() : undefined);
      makeRoom();
      return kept?.ended ? undefined : kept;
    },
    async acquireNew(stream) {
      await place(stream);
      makeRoom();
      return undefined;
    },
    release(conversation, stream) {
      used[stream] -= 1;
      if (conversation === undefined || conversation.ended || conversation.mails >= maxMessages) conversation?.close();
      else if (next[0] !== undefined) next[0](conversation);
      else if (open() < most()) keep(conversation);
      else conversation.close();
      wakeNext();
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
