/** An entry that waits, or is being posted. */
export interface Noted {
  readonly id: number;
  /** When it was noted, ms since the epoch. */
  readonly at: number;
  readonly json: string;
  readonly onPosted: (() => void) | undefined;
  /** Its own commit is over. */
  durable: boolean;
  /** By this process. */
  posted: boolean;
}
