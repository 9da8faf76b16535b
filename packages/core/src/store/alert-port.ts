import type { RateRule } from '../alert-options.ts';
import type { Alert, Warning } from '../alerts.ts';
import type { NoticeEvent } from '../events.ts';

/** Finds rates that are too high, and remembers which are known. */
export interface AlertStore {
  /**
   * Raises what has passed a threshold since the last look, and resolves what has come back: under four fifths of the
   * threshold, or where less than half of the volume is left. One transaction: of several processes one finds each.
   * Answers what has changed, which `untold` has from then on, and subscriptions that want it.
   */
  check(options: {
    readonly now: number;
    readonly windowMs: number;
    readonly rules: readonly RateRule[];
  }): Promise<readonly Alert[]>;
  /** What is not resolved, the newest first. */
  open(): readonly Alert[];
  /**
   * Changes of alerts of which nobody has been told, in their order, and which no process has taken in the last `holdMs`. They
   * are this process's for so long. `nextAt`: when those are free that others have taken.
   */
  untold(options: {
    readonly now: number;
    readonly holdMs: number;
  }): Promise<{ readonly notices: readonly NoticeEvent[]; readonly nextAt: number | undefined }>;
  /** The listeners were told. By the ids of the notices. */
  told(ids: readonly string[]): Promise<void>;
  /** Keeps a warning for the subscriptions that want it, if there are any. */
  warn(warning: Warning, now: number): Promise<void>;
}
