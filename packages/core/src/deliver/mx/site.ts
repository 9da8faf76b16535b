import type { Stream } from '../../message.ts';
import type { Conversation } from '../smtp/conversation.ts';
import { createPool, type Pool } from '../smtp/pool.ts';
import type { DirectMxSettings } from './port.ts';

/** The connections to one set of MX hosts, of one site, from one local address, with one demand on TLS. */
export interface Site extends Pick<Pool, 'connections' | 'idle' | 'closeIdle'> {
  /** Mails that are sent, or wait for a connection. */
  readonly mails: number;
  /** Waits for a place. */
  enter(stream: Stream): Promise<Entered>;
  /** Gives the place with its conversation to a mail that waits, before there is a reply; false where none does. */
  handOn(conversation: Conversation, stream: Stream): boolean;
  /** Gives the place back, with the conversation where there is one. */
  leave(conversation: Conversation | undefined, stream: Stream): void;
  /**
   * Opens a conversation; as long as none was ever opened, one mail tries, and those with a place wait for it.
   *
   * @param open - calls `onBegin` as it begins to connect: from then on the site has to answer.
   */
  open(open: Open): Promise<Conversation>;
  /** A conversation that broke; its mail goes on with another one, when all is answered on this. */
  drop(conversation: Conversation): Promise<void>;
  close(): Promise<void>;
}

/**
 * A conversation that is open, or `open` where one has to be opened; `stuck` where the site does not answer, and the mail had
 * better not wait.
 */
export type Entered = Conversation | 'open' | 'stuck';

type Open = (onBegin: () => void) => Promise<Conversation>;

/** Bounds of a site, all set. */
export type SiteBounds = Required<Pick<DirectMxSettings, 'maxMessagesPerConnection' | 'idleMs'>> & {
  /** What answers may answer another number each time. */
  readonly connectionsPerSite: number | (() => number);
};

/** Nobody waits longer for a place while a site does not answer, ms. */
const PATIENCE_MS = 2000;

export function createSite({ connectionsPerSite, maxMessagesPerConnection, idleMs }: SiteBounds): Site {
  const pool = createPool({ connections: connectionsPerSite, maxMessagesPerConnection, idleMs });
  /** Conversations that mails are on. */
  let working = 0;
  let mails = 0;
  let answered = false;
  let stuck = false;
  let openings = 0;
  let first: Promise<unknown> | undefined;
  /** Mails that wait for a place. */
  const impatient = new Set<() => void>();

  function getStuck(): void {
    if (working > 0) return;
    stuck = true;
    for (const dismiss of impatient) dismiss();
  }

  async function place(stream: Stream): Promise<Entered> {
    if (stuck) return 'stuck';
    const got = pool.acquire(stream).then((kept) => kept ?? 'open');
    let dismiss = (): void => {};
    const dismissed = new Promise<'stuck'>((resolve) => {
      dismiss = () => resolve('stuck');
    });
    impatient.add(dismiss);
    const entered = await Promise.race([got, dismissed]);
    impatient.delete(dismiss);
    // The place comes all the same, and goes to the next.
    if (entered === 'stuck') void got.then((kept) => pool.release(kept === 'open' ? undefined : kept, stream));
    return entered;
  }

  async function opened(open: Open): Promise<Conversation> {
    openings += 1;
    let timer: NodeJS.Timeout | undefined;
    try {
      const conversation = await open(() => {
        timer = setTimeout(getStuck, PATIENCE_MS);
      });
      answered = true;
      stuck = false;
      working += 1;
      return conversation;
    } catch (error) {
      if (working === 0) answered = false;
      throw error;
    } finally {
      clearTimeout(timer);
      openings -= 1;
      if (openings === 0) stuck = false;
    }
  }

  return {
    get mails() {
      return mails;
    },
    get connections() {
      return pool.connections;
    },
    get idle() {
      return pool.idle;
    },
    closeIdle: pool.closeIdle,
    async enter(stream) {
      mails += 1;
      const entered = await place(stream);
      if (entered === 'stuck') mails -= 1;
      else if (entered !== 'open') working += 1;
      return entered;
    },
    handOn(conversation, stream) {
      const handedOn = pool.handOn(conversation, stream);
      if (handedOn) mails -= 1;
      if (handedOn) working -= 1;
      return handedOn;
    },
    leave(conversation, stream) {
      mails -= 1;
      if (conversation !== undefined) working -= 1;
      pool.release(conversation, stream);
    },
    async open(open) {
      while (!answered && first !== undefined) await first;
      if (answered) return opened(open);
      const opening = opened(open);
      first = opening.then(
        () => undefined,
        () => undefined,
      );
      void first.then(() => {
        first = undefined;
      });
      return opening;
    },
    drop(conversation) {
      working -= 1;
      return pool.drop(conversation);
    },
    close: pool.close,
  };
}
