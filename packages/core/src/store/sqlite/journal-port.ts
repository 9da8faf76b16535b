/** What the journal has entries of, as they are stored. */
export const JOURNAL_KINDS = ['mail', 'readings'] as const;

/** What an entry is of. */
export type JournalKind = (typeof JOURNAL_KINDS)[number];

/** How entries of a kind come into their tables. */
export interface JournalPost<Entry, Posted> {
  /** Inside of `write`. */
  post(entry: Entry): Posted;
  /** One that this process has noted does not wait any more: it was posted, undone, or is left to others. */
  left?(entry: Entry): void;
}

/** A kind of entries. */
export interface JournalPart<Entry, Posted> {
  /** Notes an entry, and posts it within `withinMs`. Inside of `write`. */
  note(
    entry: Entry,
    options: {
      /** One that this transaction gave away. */
      readonly id: number;
      readonly withinMs: number;
      /** The entry as JSON, where that is there already. It is what is posted. */
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
  /** Whether entries may be noted: not while they cannot be posted, where too many wait, or where other processes read. */
  isOpen(): boolean;
  /** Whether something has lately pressed: where that goes on, an entry is nothing but written twice. Queries that force it to post do. */
  isPressed(): boolean;
  press(): void;
  part<Entry, Posted>(kind: JournalKind, how: JournalPost<Entry, Posted>): JournalPart<Entry, Posted>;
  /** Posts what this process has noted, and resolves when that is told. */
  posted(): Promise<void>;
  /** Posts what processes that are gone have left. */
  adopt(): void;
  /** The same as a file is opened, with what could not be posted before. Throws what the database says. */
  recover(): void;
  /** Posts what waits, where that can be done: the next process finds the rest. */
  close(): void;
}
