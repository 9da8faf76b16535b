/** A transaction of the database; `begin`, `commit` and `rollback` throw what the database says. */
export interface Transaction {
  /** Called before a change that has a transaction of its own. Does not throw. */
  beforeAlone?(): void;
  /** @param lax - the commit does not wait for the disk */
  begin(lax: boolean): void;
  commit(): void;
  /** Undoes what was begun, where something was. */
  rollback(): void;
  /** Calls back when what was committed before is on the disk, or with why it is not. Called again after that only. */
  sync(done: (error?: unknown) => void): void;
}

/** Changes that share commits. */
export interface GroupCommit {
  /**
   * Runs a change in a transaction that it may share with others; resolves when it is on the disk, and rejects with what the
   * change or the database throws. Queries find it from the commit on.
   *
   * @param options.orCommitted - resolves also where it was committed and the disk refuses to keep it: for what goes on with
   * deliveries that are on their way, which nobody could take back. Else that rejects, and whether it survives is not known.
   */
  write<T>(change: () => T, options?: { readonly orCommitted?: boolean }): Promise<T>;
  /**
   * Runs a change now: in the transaction that is open, which it undoes where it fails, or in one of its own, which is
   * committed when this returns. Throws what the change or the database throws.
   *
   * @param lax - does not wait for the disk, where it has a transaction of its own: the next one does that for both
   */
  now<T>(change: () => T, options?: { readonly lax?: boolean }): T;
  /** What is running: a change that may share its transaction, one that has its own, or none. */
  running(): 'shared' | 'alone' | undefined;
  /** Whether somebody waits for the disk. */
  syncing(): boolean;
  /** Commits what was written, now. */
  flush(): void;
  /** Answers all that wait for the disk, now: with the error, where there is one. */
  finish(error?: unknown): void;
}

interface Waiting {
  readonly change: () => unknown;
  readonly orCommitted: boolean;
  result: unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A commit that is waited for by more than these gains nothing more. */
const MOST = 1000;

/**
 * Longest waits, in ms, for as many changes as commits had lately: after the last that came, and altogether. Callers that
 * were answered together call again together, but not within one turn, and one that misses the commit waits for two. Where
 * the disk is so fast that this costs less than waiting, nobody waits: parts of what it takes lately are the limits, too.
 */
const PATIENCE = { ms: 0.2, ofSync: 0.5 } as const;
const MOST_PATIENCE = { ms: 1, ofSync: 1 } as const;

/** Ends what other databases of this thread have begun: one that waited for their lock would keep them from committing. */
const begun = new Set<() => void>();
/** Commits what is open in all databases of this thread. */
export function endBegun(): void {
  for (const end of [...begun]) end();
}

/**
 * All changes of one turn of the event loop share a transaction. Each runs as it comes, while others are on their way from
 * the host's thread, and the turn's end commits: where the disk has nothing of ours to do. What comes while it is busy with
 * the last commit shares the next one, and this thread does not wait for it.
 */
export function createGroupCommit({ beforeAlone, begin, commit, rollback, sync }: Transaction): GroupCommit {
  let group: Waiting[] = [];
  /** Committed, and not on the disk yet. */
  let committed: Waiting[] = [];
  /** On their way to the disk. */
  let syncing: Waiting[] | undefined;
  /** What the disk took lately, ms. */
  let syncMs = 0;
  let state: 'closed' | 'open' | 'failed' = 'closed';
  let expected = 0;
  let firstAt = 0;
  let lastAt = 0;
  let running: 'shared' | 'alone' | undefined;

  function run(waiting: Waiting): void {
    // One of the group cannot be done: they are told apart when the turn ends.
    if (state === 'failed') return;
    running = 'shared';
    try {
      if (state === 'closed') open();
      waiting.result = waiting.change();
    } catch {
      fail();
    } finally {
      running = undefined;
    }
  }

  function open(): void {
    endBegun();
    begin(true);
    begun.add(flush);
    state = 'open';
  }

  function fail(): void {
    state = 'failed';
    rollback();
  }

  function endTurn(): void {
    if (group.length === 0 || syncing !== undefined) return;
    if (isWorthWaiting()) setImmediate(endTurn);
    else flush();
  }

  /** One at a time: what is committed meanwhile goes with the next. */
  function startSync(): void {
    if (syncing !== undefined || committed.length === 0) return;
    syncing = committed;
    committed = [];
    const startedAt = performance.now();
    sync((error) => {
      syncMs += (performance.now() - startedAt - syncMs) / 4;
      answer(error);
      startSync();
      // Who was answered calls again in the microtasks of this turn.
      if (syncing === undefined) setImmediate(endTurn);
    });
  }

  function answer(error: unknown): void {
    const ended = syncing ?? [];
    syncing = undefined;
    for (const { resolve, reject, result, orCommitted } of ended) {
      if (error === undefined || orCommitted) resolve(result as never);
      else reject(error);
    }
  }

  function isWorthWaiting(): boolean {
    if (group.length >= expected) return false;
    const now = performance.now();
    return now - lastAt < limitOf(PATIENCE) && now - firstAt < limitOf(MOST_PATIENCE);
  }

  function limitOf({ ms, ofSync }: typeof PATIENCE | typeof MOST_PATIENCE): number {
    return Math.min(ms, ofSync * syncMs);
  }

  function flush(): void {
    if (group.length === 0) return;
    expected = group.length >= expected ? group.length : expected - Math.ceil((expected - group.length) / 4);
    if (state === 'open') {
      try {
        commit();
      } catch {
        fail();
      }
    }
    begun.delete(flush);
    const ended = group;
    group = [];
    const isCommitted = state === 'open';
    state = 'closed';
    if (isCommitted) committed.push(...ended);
    else for (const waiting of ended) runAlone(waiting);
    startSync();
  }

  /** In a transaction of its own, so that only the one that cannot be done fails. */
  function runAlone(waiting: Waiting): void {
    beforeAlone?.();
    running = 'alone';
    try {
      waiting.result = inOwn(waiting.change, true);
      committed.push(waiting);
    } catch (error) {
      waiting.reject(error);
    } finally {
      running = undefined;
    }
  }

  function inOwn<T>(change: () => T, lax: boolean): T {
    try {
      endBegun();
      begin(lax);
      const result = change();
      commit();
      return result;
    } catch (error) {
      rollback();
      throw error;
    }
  }

  return {
    now(change, { lax = false } = {}) {
      if (state !== 'open') return inOwn(change, lax);
      try {
        return change();
      } catch (error) {
        fail();
        throw error;
      }
    },
    running: () => running,
    syncing: () => syncing !== undefined,
    write: <T>(change: () => T, { orCommitted = false } = {}) =>
      new Promise<T>((resolve, reject) => {
        const waiting = { change, orCommitted, result: undefined, resolve: resolve as (value: never) => void, reject };
        lastAt = performance.now();
        if (group.push(waiting) === 1) {
          firstAt = lastAt;
          setImmediate(endTurn);
        }
        run(waiting);
        if (group.length >= MOST) flush();
      }),
    flush,
    finish(error) {
      syncing = [...(syncing ?? []), ...committed];
      committed = [];
      answer(error);
    },
  };
}
