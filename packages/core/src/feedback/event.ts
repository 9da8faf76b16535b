/** What came back about a mail, from whatever source, in one shape: bounce mails, complaint reports and provider webhooks become this. */
import type { Agent, Fault, ReasonClass } from '../events.ts';

export type { Fault } from '../events.ts';

/** Types of what comes back. */
export const FEEDBACK_TYPES = [
  'delivered',
  'deferred',
  'bounced',
  'complained',
  'opened',
  'clicked',
  'unsubscribed',
  'failed',
  'auto-replied',
] as const;

/** Type of what came back. */
export type FeedbackType = (typeof FEEDBACK_TYPES)[number];

/** One thing that came back about one recipient of one mail. */
export interface FeedbackEvent {
  /** The same whenever the same thing comes again: the source's own id, or a hash of what it says. */
  readonly id: string;
  readonly type: FeedbackType;
  /** When it happened by the source's clock, ms since the epoch. */
  readonly at: number;
  /** `dsn`, `bounce-mail`, `arf`, `auto-reply`, `host` (told by the application), or the name of a provider. */
  readonly source: string;

  // What the delivery is found by, the surest first.
  /** Our own id (`dlv_…`), from a signed token, or from a provider that carried it for us and has proved itself. */
  readonly deliveryId?: string | undefined;
  /** Our own id from a mail, where nothing signs it: anybody can write one, and it counts only with the address that the mail went to. */
  readonly unsignedId?: string | undefined;
  /** RFC 5322 Message-ID of the mail, without angle brackets. */
  readonly messageId?: string | undefined;
  /** Id under which the provider knows the mail. */
  readonly providerId?: string | undefined;
  /** Address that the event is about, as the source says it. */
  readonly recipient?: string | undefined;
  /** Address that the mail was sent to, where the source says another one for `recipient`: that of an alias, of somebody who forwards. */
  readonly originalRecipient?: string | undefined;

  // What it means.
  readonly reason?: ReasonClass | undefined;
  readonly kind?: 'hard' | 'soft' | undefined;
  readonly fault?: Fault | undefined;
  /** RFC 3463 enhanced status code, such as `5.1.1`. */
  readonly status?: string | undefined;
  /** RFC 5321 reply code, such as 550. */
  readonly code?: number | undefined;
  /** What the reporting side said, at most 1000 characters. */
  readonly diagnostic?: string | undefined;
  /** Host that reports (RFC 3464 `Reporting-MTA`). */
  readonly reportingMta?: string | undefined;

  // Of opens and clicks.
  readonly agent?: Agent | undefined;
  readonly url?: string | undefined;
  /** What the source sent about this recipient, at most 8 KB. */
  readonly raw?: string | undefined;
}
