import type { AcceptInput } from '../port.ts';

/** A mail as the journal has it, with the ids that were answered: that of the message, then those of its deliveries. */
export interface NotedMail {
  readonly input: AcceptInput;
  readonly ids: readonly number[];
}

/** How an entry is noted. */
export interface NoteOptions {
  /** One that this transaction gave away. */
  readonly id: number;
  /** Posting it begins no later, ms. */
  readonly withinMs: number;
  /** The entry as JSON, which is what is posted. */
  readonly json: string;
  /** Called after the commit that has it in its tables; not where another process has posted it. */
  readonly onPosted?: (() => void) | undefined;
}

/**
 * Where mail is durable before it is in its tables: one row at the end of one table instead of a page of each index.
 * Entries are posted some at a time, in their order and exactly once: soon, or before the next query, whatever comes first,
 * so that no query of this process finds tables that lack one. What a process leaves behind is posted by the next.
 */
export interface Journal {
  /** Whether entries may be noted: not while they cannot be posted, where too many wait, or where other processes read. */
  isOpen(): boolean;
  /** Whether something has lately pressed: where that goes on, an entry is nothing but written twice. Queries that force it to post do. */
  isPressed(): boolean;
  press(): void;
  /** Says how an entry comes into its tables. It is called inside of `write`. */
  onPost(post: (mail: NotedMail) => void): void;
  /** Notes mail. Inside of `write`. */
  note(options: NoteOptions): void;
  /** Posts what this process has noted, and resolves when that is told. */
  posted(): Promise<void>;
  /** Posts what processes that are gone have left. */
  adopt(): void;
  /** The same as a file is opened, with what could not be posted before. Throws what the database says. */
  recover(): void;
  /** Posts what waits, where that can be done: the next process finds the rest. */
  close(): void;
}
