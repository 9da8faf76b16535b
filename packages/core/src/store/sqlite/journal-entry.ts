import type { JournalKind } from './journal-port.ts';

/** An entry that waits, or is being posted. */
export interface Noted {
  readonly id: number;
  readonly kind: JournalKind;
  readonly json: string;
  /** As it was noted here; undefined where another process has noted it. */
  readonly entry: unknown;
  readonly onPosted: ((posted: never) => void) | undefined;
  /** Its own commit is over. */
  durable: boolean;
  /** What posting it answered; undefined where another process has done that. */
  posted: { readonly result: unknown } | undefined;
}
