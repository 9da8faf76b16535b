/** A transaction of the database; each of the three throws what the database says. */
export interface Transaction {
  /** Called before a change that has a transaction of its own. Does not throw. */
  beforeAlone?(): void;
  /** @param lax - the commit need not wait for the disk */
  begin(lax?: boolean): void;
  commit(): void;
  /** Undoes what was begun, where something was. */
  rollback(): void;
}

/** Changes that share commits. */
export interface GroupCommit {
  /** Runs a change in a transaction that it may share with others; resolves after the commit, and rejects with what the change or the database throws. */
  write<T>(change: () => T): Promise<T>;
  /**
   * Runs a change now: in the transaction that is open, which it undoes where it fails, or in one of its own, which is
   * committed when this returns. Throws what the change or the database throws.
   *
   * @param lax - does not wait for the disk, where it has a transaction of its own: the next one does that for both
   */
  now<T>(change: () => T, options?: { readonly lax?: boolean }): T;
  /** What is running: a change that may share its transaction, one that has its own, or none. */
  running(): 'shared' | 'alone' | undefined;
  /** Commits what was written, now. */
  flush(): void;
}

interface Waiting {
  readonly change: () => unknown;
  result: unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A commit that is waited for by more than these gains nothing more. */
const MOST = 1000;

/**
 * Longest waits, in ms, for as many changes as commits had lately: after the last that came, and altogether. Callers that
 * were answered together call again together, but not within one turn, and one that misses the commit waits for two.
 */
const PATIENCE_MS = 0.2;
const MOST_PATIENCE_MS = 1;

/** Ends what other databases of this thread have begun: one that waited for their lock would keep them from committing. */
const begun = new Set<() => void>();

/**
 * All changes of one turn of the event loop share a transaction. Each runs as it comes, while others are on their way from
 * the host's thread, and the turn's end commits.
 */
export function createGroupCommit({ beforeAlone, begin, commit, rollback }: Transaction): GroupCommit {
  let group: Waiting[] = [];
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
    for (const end of [...begun]) end();
    begin();
    begun.add(flush);
    state = 'open';
  }

  function fail(): void {
    state = 'failed';
    rollback();
  }

  function endTurn(): void {
    if (group.length === 0) return;
    if (isWorthWaiting()) setImmediate(endTurn);
    else flush();
  }

  function isWorthWaiting(): boolean {
    if (group.length >= expected) return false;
    const now = performance.now();
    return now - lastAt < PATIENCE_MS && now - firstAt < MOST_PATIENCE_MS;
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
    const committed = state === 'open';
    state = 'closed';
    for (const waiting of ended) {
      if (committed) waiting.resolve(waiting.result as never);
      else runAlone(waiting);
    }
  }

  /** In a transaction of its own, so that only the one that cannot be done fails. */
  function runAlone({ change, resolve, reject }: Waiting): void {
    beforeAlone?.();
    running = 'alone';
    try {
      resolve(inOwn(change) as never);
    } catch (error) {
      reject(error);
    } finally {
      running = undefined;
    }
  }

  function inOwn<T>(change: () => T, lax?: boolean): T {
    try {
      for (const end of [...begun]) end();
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
    now(change, { lax } = {}) {
      if (state !== 'open') return inOwn(change, lax);
      try {
        return change();
      } catch (error) {
        fail();
        throw error;
      }
    },
    running: () => running,
    write: <T>(change: () => T) =>
      new Promise<T>((resolve, reject) => {
        const waiting = { change, result: undefined, resolve: resolve as (value: never) => void, reject };
        lastAt = performance.now();
        if (group.push(waiting) === 1) {
          firstAt = lastAt;
          setImmediate(endTurn);
        }
        run(waiting);
        if (group.length >= MOST) flush();
      }),
    flush,
  };
}
