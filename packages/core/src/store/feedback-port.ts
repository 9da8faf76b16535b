import type { FoundBy, MessageEvent } from '../events.ts';
import type { FeedbackEvent } from '../feedback/port.ts';
import type { SuppressionPolicy } from '../suppression-policy.ts';
import type { Page } from './port.ts';

/** What became of one thing that came back. */
export interface Received {
  /**
   * `moved`: the delivery is in another state. `recorded`: counted or kept, and the state stays. `late`: nothing of it is new.
   * `repeated`: it has come before. `unmatched`: no delivery was found, and it is kept beside.
   */
  readonly outcome: 'moved' | 'recorded' | 'late' | 'repeated' | 'unmatched';
  readonly deliveryId?: string | undefined;
  /** What the delivery was found by. */
  readonly foundBy?: FoundBy | undefined;
  /** The route that the delivery went by, and the site (who hosts the recipient's mail), where that is known. */
  readonly route?: string | undefined;
  readonly site?: string | undefined;
}

/** Something that came back about a mail that is not known here. */
export interface UnmatchedFeedback {
  readonly receivedAt: Date;
  readonly event: FeedbackEvent;
}

/** Records what came back. */
export interface FeedbackStore {
  /**
   * Finds the delivery of each, moves it on, counts, and adds to the suppression list what the policy says; one transaction,
   * durable when resolved. An id that has come before in the last 30 days changes nothing; of several verdicts about one
   * mail the weightiest decides, in whatever order they come. What fits no delivery is kept for 30 days, the last 100,000.
   *
   * With `once`, a token that has come before in the last 30 days: then nothing is recorded, and `used` is true.
   */
  receive(
    feedback: readonly FeedbackEvent[],
    options: { readonly now: number; readonly policy: SuppressionPolicy; readonly once?: string },
  ): Promise<{
    readonly events: readonly MessageEvent[];
    readonly received: readonly Received[];
    readonly used: boolean;
  }>;
  /** What fits no delivery, newest first. */
  unmatched(query: { readonly limit: number; readonly after?: string | undefined }): Promise<Page<UnmatchedFeedback>>;
}
