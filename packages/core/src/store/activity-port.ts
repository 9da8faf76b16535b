import type { Agent, EventType, MessageEvent } from '../events.ts';

/** Something a reader did. */
export interface Activity {
  readonly type: Extract<EventType, 'opened' | 'clicked' | 'unsubscribed' | 'resubscribed'>;
  readonly deliveryId: number;
  readonly at: number;
  readonly agent?: Agent;
  /** Where a clicked link leads, and its place in the template. */
  readonly url?: string;
  readonly link?: number;
  /** The address as it stands in the template, where it differs by recipient. */
  readonly form?: string;
  /** What was left, or come back to. */
  readonly scope?: string;
}

/** What is known of a delivery when a reader acts, to tell people from machines. */
export interface DeliveryActivity {
  readonly messageId: number;
  readonly sentAt: number | undefined;
  /** Clicks in the last 10 seconds; what is over 100 is not counted. */
  readonly recentClicks: number;
}

/** Records what readers do. */
export interface ActivityStore {
  /** Stores and counts; durable when resolved. Unknown deliveries are left out of the answer. */
  record(activities: readonly Activity[]): Promise<MessageEvent[]>;
  /**
   * The same, for what is made an activity by what is known of its delivery. Of one that is unknown nothing is made, and
   * `undefined` is passed over. `activityOf` may be asked again for the same one.
   */
  read<R extends Pick<Activity, 'deliveryId' | 'at'>>(
    readings: readonly R[],
    activityOf: (reading: R, known: DeliveryActivity) => Activity | undefined,
  ): Promise<MessageEvent[]>;
}
