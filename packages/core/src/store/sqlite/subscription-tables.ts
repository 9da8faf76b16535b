import type { Generated } from 'kysely';

/** Who is told of events, and how far that got. */
interface SubscriptionTable {
  id: Generated<number>;
  name: string;
  /** Place in `SUBSCRIPTION_KINDS`. */
  kind: number;
  /** Types of events, as bits by their code. */
  types: number;
  /** Every event of the feed up to here is handled, or stands in `retry`. */
  cursor: number;
  created_at: number;
  /** When a process last said that it has it. */
  seen_at: number;
  paused_at: number | null;
  pause_reason: string | null;
  /** The process that works on it, until when it may, and how often one ended in the middle since something was done. */
  holder: string | null;
  lease_until: number | null;
  crashes: Generated<number>;
  succeeded_at: number | null;
  failing_since: number | null;
  error: string | null;
}

/** Events that subscriptions want, in the order of their commits. */
interface FeedTable {
  id: number;
  delivery_id: number;
  /** Place in `EVENT_TYPES`. */
  type: number;
}

/** Events that a subscription handles out of turn: again later, or not any more where `due_at` is null. */
interface RetryTable {
  subscription_id: number;
  event_id: number;
  delivery_id: number;
  type: number;
  attempts: number;
  due_at: number | null;
  at: number;
  error: string | null;
}

/** What an endpoint answered. */
interface WebhookAttemptTable {
  subscription_id: number;
  id: number;
  event_id: number;
  type: number;
  attempt: number;
  at: number;
  /** HTTP status; null where there was no answer. */
  status: number | null;
  ms: number;
  error: string | null;
}

/** Alerts and warnings that are to be told. */
interface NoticeTable {
  /** Number of an event: the feed has it, too. */
  id: number;
  /** Code of the type. */
  type: number;
  at: number;
  json: string;
  /** Who tells the listeners has until then; null where they were told. */
  held_until: number | null;
}

/** Endpoints that were added while the relay ran; each has a subscription of its name. */
interface EndpointTable {
  name: string;
  sealed: string;
  created_at: number;
}

/** Who is told of events. */
export interface SubscriptionTables {
  subscription: SubscriptionTable;
  feed: FeedTable;
  retry: RetryTable;
  notice: NoticeTable;
  webhook_attempt: WebhookAttemptTable;
  endpoint: EndpointTable;
}
