import { sql } from 'kysely';
import type { Database } from './database.ts';
import { createRecent } from './recent.ts';

/** Addresses in memory; those of the mail that is in hand are fewer. */
const MOST = 5000;

/** Addresses that the suppression list has no entry of. */
export interface Screened {
  /** Looks for all of them together, which costs a tenth of one by one. Inside of `write`. */
  screen(addresses: readonly string[]): void;
  /** Whether it was not on the list, and nothing has changed since. */
  has(address: string): boolean;
  /** The list changes. */
  forget(): void;
}

/** Every mail is looked for on the list before it is sent, and hardly any is there: those are known from the claim. */
export function createScreened(db: Database): Screened {
  const clear = createRecent<string, true>(MOST);
  const listed = db.prepare(
    (query, { addresses }: { addresses: string }) =>
      query
        .selectFrom('suppression')
        .select('address')
        .where('address', 'in', sql<string>`(select value from json_each(${addresses}))`),
    // No entry of the journal changes the list.
    { early: true },
  );
  let changes = 0;

  // What was read may not be so.
  db.onRollback(clear.clear);

  function look(): void {
    const seen = db.recentChanges();
    if (seen !== changes) clear.clear();
    changes = seen;
  }

  return {
    screen(addresses) {
      look();
      const names = addresses.map((address) => address.toLowerCase());
      const found = new Set(listed.all({ addresses: JSON.stringify(names) }).map(({ address }) => address));
      // Somebody has changed the list just now.
      if (found.size > 0) clear.clear();
      for (const name of names) if (!found.has(name)) clear.set(name, true);
    },
    has(address) {
      look();
      return clear.get(address) === true;
    },
    forget: clear.clear,
  };
}
