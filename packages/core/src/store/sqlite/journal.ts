import { type ErrorCode, isMailRelayError, messageOf } from '../../errors.ts';
import type { HostApi } from '../../thread/port.ts';
import type { Database } from './database.ts';
import { createJournalRows, type JournalRow } from './journal-rows.ts';
import { parseJson } from './ledger.ts';

/** What the journal has entries of, as they are stored. */
export const JOURNAL_KINDS = ['mail', 'readings'] as const;

/** What an entry is of. */
export type JournalKind = (typeof JOURNAL_KINDS)[number];

/** Brings an entry into its tables, inside of `write`. */
export type Post<Entry, Posted> = (entry: Entry) => Posted;

/** A kind of entries. */
export interface JournalPart<Entry, Posted> {
  /** Notes an entry, and posts it within `withinMs`. Inside of `write`. */
  note(
    entry: Entry,
    options: {
      /** One that this transaction gave away. */
      readonly id: number;
      readonly withinMs: number;
      /** The entry as JSON, where that is there already. */
      readonly json?: string;
      /** Called after the commit that has it in its tables; not where another process has posted it. */
      readonly onPosted?: ((posted: Posted) => void) | undefined;
    },
  ): void;
}

/**
 * Where a change is durable before it is in its tables: one row at the end of one table instead of a page of each index.
 * Entries are posted some at a time, in their order and exactly once: soon, or before the next query, whatever comes first,
 * so that no query of this process finds tables that lack one. What a process leaves behind is posted by the next.
 */
export interface Journal {
  /** Whether entries may be noted: not while they cannot be posted, or where too many wait. */
  isOpen(): boolean;
  /** Whether something has lately pressed: where that goes on, an entry is nothing but written twice. Queries that force it to post do. */
  isPressed(): boolean;
  press(): void;
  part<Entry, Posted>(kind: JournalKind, post: Post<Entry, Posted>): JournalPart<Entry, Posted>;
  /** Posts what other processes have left: what was noted before a time of the machine, ms since the epoch. */
  adopt(before: number): Promise<void>;
  /** Posts everything that the file has. */
  recover(): Promise<void>;
  /** Posts what waits, where that can be done: the next process finds the rest. */
  close(): void;
}

interface Noted {
  readonly id: number;
  readonly kind: JournalKind;
  readonly entry: unknown;
  readonly onPosted: ((posted: never) => void) | undefined;
  /** Its own commit is over. */
  durable: boolean;
  /** What posting it answered; undefined where another process has done that. */
  posted?: { readonly result: unknown };
}

/** An entry waits for the end of what comes with it, ms. */
const GRACE_MS = 2;
/** With so many entries nobody waits for more, and with so many more none is noted. */
const MANY = 500;
const MOST = 2000;
/** What comes more often than this goes on, ms. */
const PRESSED_MS = 50;
/** After a failure, ms. */
const RETRY_MS = 250;
/** What may pass by itself; anything else would happen again. */
const PASSING: ReadonlySet<string> = new Set<string>([
  'STORE_FULL',
  'STORE_UNAVAILABLE',
  'STORE_READ_ONLY',
  'RELAY_STOPPED',
] satisfies ErrorCode[]);

/** The journal in SQLite. */
export function createJournal(db: Database, log: HostApi['log']): Journal {
  const rows = createJournalRows(db);
  const posts = new Map<JournalKind, Post<never, unknown>>();
  /** Not posted yet, in their order. */
  let waiting: Noted[] = [];
  /** Posted in the transaction that is open. */
  let posting: Noted[] = [];
  let busy = false;
  let failing = false;
  let closed = false;
  /** Entries that are posted in one transaction: one, where they have to be told apart. */
  let together = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let lastAt = 0;
  let pressedAt = Number.NEGATIVE_INFINITY;
  let latestAt = Number.POSITIVE_INFINITY;

  db.afterCommit(() => {
    const posted = posting;
    posting = [];
    for (const one of waiting) one.durable = true;
    if (waiting.length === 0) latestAt = Number.POSITIVE_INFINITY;
    else if (!failing) arm(GRACE_MS);
    if (posted.length === 0) return;
    // Later, so that who waits for the commit is told first.
    setImmediate(() => {
      for (const one of posted) if (one.posted !== undefined) one.onPosted?.(one.posted.result as never);
    });
  });
  db.onRollback(() => {
    // Who noted in the transaction notes again, or is told.
    waiting = [...posting, ...waiting].filter(({ durable }) => durable);
    posting = [];
    if (waiting.length > 0) arm(GRACE_MS);
  });
  db.beforeQuery(settle);

  function arm(ms: number): void {
    if (!closed) timer ??= setTimeout(tick, ms);
  }

  function tick(): void {
    timer = undefined;
    const now = performance.now();
    if (waiting.length === 0) return;
    if (!failing && waiting.length < MANY && now - lastAt < GRACE_MS && now < latestAt) arm(GRACE_MS);
    else postOrGiveUp();
  }

  function postOrGiveUp(): void {
    try {
      db.now(postWaiting);
      failing = waiting.length > 0;
      if (failing) arm(0);
      else together = Number.POSITIVE_INFINITY;
    } catch (error) {
      giveUp(error);
    }
  }

  /** Before a query, which has to find everything. */
  function settle(): void {
    if (busy || failing || waiting.length === 0) return;
    const running = db.running();
    if (running === 'commit' || running === 'alone') return;
    try {
      db.now(postWaiting);
      press();
    } catch (error) {
      giveUp(error);
      // A query alone may do without; the transaction of a change is undone by now.
      if (running === 'shared') throw error;
    }
  }

  function press(): void {
    pressedAt = performance.now();
  }

  /** Inside of a transaction. */
  function postWaiting(): void {
    busy = true;
    try {
      const entries = waiting.splice(0, together);
      posting.push(...entries);
      for (const one of entries) {
        // What is gone was posted by another process, which took this one for dead.
        if (rows.remove(one.id)) one.posted = { result: posts.get(one.kind)?.(one.entry as never) };
      }
    } finally {
      busy = false;
    }
  }

  function giveUp(error: unknown): void {
    failing = true;
    const [first] = waiting;
    if (isPassing(error) || first === undefined) {
      log('error', { error: messageOf(error), entries: waiting.length }, 'the journal could not be posted');
      arm(RETRY_MS);
    } else if (together === 1) {
      waiting.shift();
      void putAside(first.id, error).finally(() => arm(0));
    } else {
      together = 1;
      arm(0);
    }
  }

  /** One that cannot be posted, whatever is tried, holds up no other. It is kept. */
  async function putAside(id: number, error: unknown): Promise<void> {
    log('error', { error: messageOf(error), entry: id }, 'an entry of the journal cannot be posted, and is kept there');
    await db.write(() => rows.setAside(id, Date.now())).catch(() => {});
  }

  /** What another process has left. Inside of `write`. */
  function take({ id, kind, json }: JournalRow): void {
    const name = JOURNAL_KINDS[kind];
    const post = name && posts.get(name);
    if (post !== undefined && rows.remove(id)) post(parseJson<never>(json, `journal ${id}`));
  }

  async function takeApart(found: readonly JournalRow[]): Promise<void> {
    for (const row of found) {
      try {
        await db.write(() => take(row));
      } catch (error) {
        if (isPassing(error)) throw error;
        await putAside(row.id, error);
      }
    }
  }

  /** Those of this process are posted by it. */
  function leftBefore(time: number, after: number): readonly JournalRow[] {
    const own = new Set([...waiting, ...posting].map(({ id }) => id));
    return rows.before(time, after).filter(({ id }) => !own.has(id));
  }

  async function adopt(time: number): Promise<void> {
    let found = leftBefore(time, 0);
    while (found.length > 0) {
      const some = found;
      await db
        .write(() => {
          for (const row of some) take(row);
        })
        .catch((error) => (isPassing(error) ? Promise.reject(error) : takeApart(some)));
      found = leftBefore(time, some.at(-1)?.id ?? 0);
    }
  }

  return {
    isOpen: () => !failing && waiting.length < MOST,
    isPressed: () => performance.now() - pressedAt < PRESSED_MS,
    press,
    part<Entry, Posted>(kind: JournalKind, post: Post<Entry, Posted>): JournalPart<Entry, Posted> {
      posts.set(kind, post as Post<never, unknown>);
      return {
        note(entry, { id, json = JSON.stringify(entry), withinMs, onPosted }) {
          rows.insert({ id, kind: JOURNAL_KINDS.indexOf(kind), at: Date.now(), json });
          lastAt = performance.now();
          latestAt = Math.min(latestAt, lastAt + withinMs);
          waiting.push({ id, kind, entry, onPosted, durable: false });
        },
      };
    },
    adopt,
    async recover() {
      await adopt(Number.MAX_SAFE_INTEGER);
      await takeApart(rows.setAsideBefore());
    },
    close() {
      closed = true;
      clearTimeout(timer);
      if (waiting.length === 0) return;
      try {
        db.now(postWaiting);
      } catch (error) {
        log('warn', { error: messageOf(error), entries: waiting.length }, 'the journal is left to the next process');
      }
    },
  };
}

function isPassing(error: unknown): boolean {
  return isMailRelayError(error) && PASSING.has(error.code);
}
