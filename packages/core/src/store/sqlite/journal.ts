import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { HostApi } from '../../thread/port.ts';
import { SKEW_MS } from './clock.ts';
import type { Database } from './database.ts';
import type { Noted } from './journal-entry.ts';
import { isPassing } from './journal-faults.ts';
import { createJournalOthers } from './journal-others.ts';
import type { Journal, NotedMail } from './journal-port.ts';
import { createJournalRows } from './journal-rows.ts';
import { parseJson } from './ledger.ts';

interface PostOptions {
  /** Inside of which change. */
  readonly running?: 'shared' | undefined;
  /** What is left after this time stays for the next turn, ms. @default everything is posted */
  readonly forMs?: number;
}

/** An entry waits for the end of what comes with it, ms. */
const GRACE_MS = 2;
/** With so many entries nobody waits for more, and with so many more none is noted. */
const MANY = 500;
const MOST = 2000;
/** What comes more often than this goes on, ms. */
const PRESSED_MS = 50;
/** Where so many share a transaction, nobody gains by its being short. */
const CROWD = 32;
/** After a failure, ms. */
const RETRY_MS = 250;
/** Before a stop, with so long between. */
const TRIES = 8;
/** Others get their turn after so long, ms. */
const SLICE_MS = 4;
/** A process posts what it has noted within this time, or is not there any more, ms. */
const LEFT_MS = 5000;

/** The journal in SQLite. */
export function createJournal(db: Database, log: HostApi['log']): Journal {
  const rows = createJournalRows(db);
  const others = createJournalOthers(db);
  let postMail: (mail: NotedMail) => void = () => {};
  /** Not posted yet, in their order. */
  let waiting: Noted[] = [];
  /** Posted in the transaction that is open. */
  let posting: Noted[] = [];
  let busy = false;
  let failing = false;
  let closed = false;
  /** One of those that wait is bad. */
  let apart = false;
  let timer: NodeJS.Timeout | undefined;
  let telling: Promise<void> | undefined;
  let lastAt = 0;
  let latestAt = Number.POSITIVE_INFINITY;
  let pressedAt = Number.NEGATIVE_INFINITY;
  /** Entries of the transaction that is open. */
  let fresh = 0;

  db.afterCommit(() => {
    fresh = 0;
    const posted = posting;
    posting = [];
    for (const one of waiting) one.durable = true;
    if (waiting.length > 0) arm(GRACE_MS);
    if (posted.length > 0) tell(posted);
  });
  db.onRollback(() => {
    // That is a part of our own transaction.
    if (busy) return;
    fresh = 0;
    const undone = [...posting, ...waiting];
    for (const one of posting) one.posted = false;
    posting = [];
    // Who noted in the transaction notes again, or is told.
    waiting = undone.filter(({ durable }) => durable);
    if (waiting.length === 0) return;
    latestAt = performance.now();
    arm(failing ? RETRY_MS : GRACE_MS);
  });
  db.beforeQuery(settle);

  /** Later, so that who waits for the commit is told first. */
  function tell(posted: readonly Noted[]): void {
    telling = new Promise((resolve) => {
      setImmediate(() => {
        for (const one of posted) tellOne(one);
        resolve();
      });
    });
  }

  function tellOne({ posted, onPosted }: Noted): void {
    if (!posted) return;
    try {
      onPosted?.();
    } catch (error) {
      log('error', { error: messageOf(error) }, 'what the journal had was stored, and could not be told');
    }
  }

  function arm(ms: number): void {
    if (!closed) timer ??= globalThis.setTimeout(tick, ms);
  }

  function tick(): void {
    timer = undefined;
    // What could not be posted may be undone, or was not ours.
    failing &&= waiting.length > 0;
    if (waiting.length === 0) return;
    const now = performance.now();
    // Who waits for the disk is not to wait for more than what they wrote.
    const isBusy = db.syncing() || now - lastAt < GRACE_MS;
    const waits = waiting.length < MANY && isBusy && now < latestAt;
    if (waits && !failing) return void arm(GRACE_MS);
    try {
      // In a transaction of its own it need not wait for the disk.
      db.flush();
      postAll({ forMs: SLICE_MS });
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
      postAll({ running });
      press();
    } catch (error) {
      if (isPassing(error)) giveUp(error);
      // A query alone may do without; the transaction of a change is undone by now.
      if (running === 'shared') throw error;
    }
  }

  /** Throws what may pass. Inside of a change, which then fails with it, also that one of the entries is bad. */
  function postAll({ running, forMs = Number.POSITIVE_INFINITY }: PostOptions = {}): void {
    if (!apart) {
      try {
        // Not to be lost: until it is on the disk, the journal there still has it.
        db.now(() => postTogether(forMs), { lax: true });
        failing = false;
        return;
      } catch (error) {
        if (isPassing(error)) throw error;
        apart = true;
        if (running === 'shared') throw error;
      }
    }
    db.now(postApart, { lax: true });
    apart = false;
    failing = false;
  }

  function postTogether(forMs: number): void {
    busy = true;
    const endAt = performance.now() + forMs;
    const entries = take();
    let count = 0;
    try {
      for (const one of entries) {
        post(one);
        count += 1;
        if (performance.now() >= endAt) break;
      }
      waiting = entries.slice(count);
      if (waiting.length === 0) latestAt = Number.POSITIVE_INFINITY;
      posting.splice(posting.length - waiting.length);
    } finally {
      busy = false;
    }
  }

  /** One that cannot be posted, whatever is tried, holds up no other. It is kept. */
  function postApart(): void {
    busy = true;
    try {
      for (const one of take()) {
        try {
          db.undoable(() => post(one));
        } catch (error) {
          if (isPassing(error)) throw error;
          posting = posting.filter((other) => other !== one);
          rows.setAside(one.id, Date.now());
          const fields = { error: messageOf(error), entry: one.id };
          log('error', fields, 'an entry of the journal cannot be posted, and is kept there');
        }
      }
    } finally {
      busy = false;
    }
  }

  function take(): readonly Noted[] {
    const entries = waiting;
    waiting = [];
    posting.push(...entries);
    return entries;
  }

  function post(one: Noted): void {
    // What is gone was posted by another process, which took this one for dead.
    if (!rows.remove(one.id)) return;
    postMail(sinceNow(parseJson<NotedMail>(one.json, `journal ${one.id}`), one.at - Date.now()));
    one.posted = true;
  }

  function press(): void {
    pressedAt = performance.now();
  }

  function giveUp(error: unknown): void {
    failing = true;
    log('error', { error: messageOf(error), entries: waiting.length }, 'the journal could not be posted');
    clearTimeout(timer);
    timer = undefined;
    arm(RETRY_MS);
  }

  /** Joins what others have noted before a time to what waits here, and what is noted at one that the clock does not show yet. */
  function adoptBefore(time: number): void {
    const times = { from: time, to: Date.now() + SKEW_MS };
    const own = new Set([...waiting, ...posting].map(({ id }) => id));
    let after = 0;
    for (;;) {
      const found = rows.outside(times, after);
      const last = found.at(-1);
      if (last === undefined) return;
      after = last.id;
      for (const { id, at, json } of found) {
        if (!own.has(id)) waiting.push({ id, at, json, onPosted: undefined, durable: true, posted: false });
      }
      if (waiting.length > 0) postAll();
    }
  }

  return {
    isOpen: () => !failing && !closed && waiting.length < MOST && !others.areThere(),
    isPressed: () => fresh >= CROWD || performance.now() - pressedAt < PRESSED_MS,
    press,
    onPost(post) {
      postMail = post;
    },
    note({ id, json, withinMs, onPosted }) {
      const at = Date.now();
      rows.insert({ id, at, json });
      fresh += 1;
      lastAt = performance.now();
      latestAt = Math.min(latestAt, lastAt + withinMs);
      waiting.push({ id, at, json, onPosted, durable: false, posted: false });
    },
    async posted() {
      for (let tries = 0; waiting.length + posting.length > 0 && tries < TRIES; tries++) {
        try {
          db.flush();
          postAll();
        } catch {
          await setTimeout(RETRY_MS);
        }
      }
      await telling;
    },
    adopt() {
      if (failing) return;
      try {
        adoptBefore(Date.now() - LEFT_MS);
      } catch (error) {
        giveUp(error);
      }
    },
    recover() {
      db.now(rows.tryAgain);
      adoptBefore(others.areGone() ? Number.MAX_SAFE_INTEGER : Date.now() - LEFT_MS);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      if (waiting.length === 0) return;
      try {
        postAll();
      } catch (error) {
        log('warn', { error: messageOf(error), entries: waiting.length }, 'the journal is left to the next process');
      }
    },
  };
}

/** Where the clock was set back meanwhile, a mail is of now: it would wait until the clock shows its time again. */
function sinceNow(mail: NotedMail, aheadMs: number): NotedMail {
  if (aheadMs <= SKEW_MS) return mail;
  return { ...mail, input: { ...mail.input, now: mail.input.now - aheadMs } };
}
