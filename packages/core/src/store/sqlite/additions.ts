import type { Database } from './database.ts';

/** What a transaction adds up, by what it is of and when: most of its changes add to the same. */
export interface Additions<Owner, Sum> {
  /** The sums that something of an owner adds to. Inside of `write`. */
  of(owner: Owner, when: number): readonly Sum[];
}

/** Sums that start at nothing with each transaction, and are written at its end. */
export function createAdditions<Owner, Sum>(
  db: Pick<Database, 'beforeCommit' | 'onRollback'>,
  {
    keysOf,
    empty,
    write,
  }: {
    /** The keys of an owner's sums. */
    readonly keysOf: (owner: Owner) => readonly number[];
    readonly empty: (key: number, when: number) => Sum;
    readonly write: (sums: Iterable<Sum>) => void;
  },
): Additions<Owner, Sum> {
  const sums = new Map<string, Sum>();
  /** What was added to last: most changes of a transaction are alike. */
  let last: { readonly owner: Owner; readonly when: number; readonly of: readonly Sum[] } | undefined;
  function forget(): void {
    sums.clear();
    last = undefined;
  }
  db.beforeCommit(() => {
    if (sums.size === 0) return;
    write(sums.values());
    forget();
  });
  db.onRollback(forget);

  function sumOf(key: number, when: number): Sum {
    const place = `${key} ${when}`;
    const known = sums.get(place);
    if (known !== undefined) return known;
    const made = empty(key, when);
    sums.set(place, made);
    return made;
  }

  return {
    of(owner, when) {
      if (last?.owner === owner && last.when === when) return last.of;
      const of = keysOf(owner).map((key) => sumOf(key, when));
      last = { owner, when, of };
      return of;
    },
  };
}
