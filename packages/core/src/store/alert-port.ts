import type { Alert, AlertKind } from '../alerts.ts';

/** When to alert, with nothing left open. */
export interface AlertRule {
  readonly kind: AlertKind;
  /** Shares; each that is passed gives an alert of its own. */
  readonly thresholds: readonly number[];
  /** Mails that the window must have. */
  readonly minVolume: number;
}

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
    readonly rules: readonly AlertRule[];
  }): Promise<readonly Alert[]>;
  /** What is not resolved, the newest first. */
  open(): readonly Alert[];
}
