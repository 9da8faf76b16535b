import type { MessageEvent, ReasonClass } from '../events.ts';

/** What came back about a delivery, once it is known what it means. */
export type Feedback = { readonly deliveryId: number; readonly at: number } & (
  | {
      readonly type: 'bounced';
      readonly kind: 'hard' | 'soft';
      readonly reply: string;
      readonly status: string | undefined;
      readonly reason: ReasonClass;
      readonly suppress: boolean;
    }
  | { readonly type: 'complained'; readonly evidence: string | undefined }
);

/** Records what came back. */
export interface FeedbackStore {
  /**
   * Moves deliveries on, with their events and counts; durable when resolved. What comes late or again, and so moves nothing,
   * is left out of the answer. Bounces with `suppress`, and complaints, join the suppression list.
   */
  record(feedback: readonly Feedback[]): Promise<MessageEvent[]>;
}
