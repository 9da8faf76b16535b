import type { RateRule } from '../alert-options.ts';
import type { Alert } from '../alerts.ts';

/** Finds rates that are too high, and remembers which are known. */
export interface AlertStore {
  /**
   * Raises what has passed a threshold since the last look, and resolves what has come back: under four fifths of the
   * threshold, or where less than half of the volume is left. One transaction: of several processes one finds each.
   * Answers what has changed.
   */
  check(options: {
    readonly now: number;
    readonly windowMs: number;
    readonly rules: readonly RateRule[];
  }): Promise<readonly Alert[]>;
  /** What is not resolved, the newest first. */
  open(): readonly Alert[];
}
