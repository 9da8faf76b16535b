import type { Judged } from '../../reasons/port.ts';
import type { FeedbackType } from '../event.ts';
import type { Returned } from './returned.ts';

/** One recipient that a mail says something about. */
export interface MailFinding {
  readonly type: Extract<
    FeedbackType,
    'delivered' | 'deferred' | 'bounced' | 'complained' | 'unsubscribed' | 'auto-replied'
  >;
  readonly recipient: string | undefined;
  /** The address that the mail was sent to, where it was changed on the way. */
  readonly originalRecipient?: string | undefined;
  readonly judged?: Judged | undefined;
  readonly status?: string | undefined;
  readonly code?: number | undefined;
  readonly diagnostic?: string | undefined;
  readonly raw?: string | undefined;
}

/** What a mail that came back is. */
export interface MailReport {
  /** `dsn`, `bounce-mail`, `arf`, `auto-reply`, `receipt`, or `mail` for what is none of these. */
  readonly kind: 'dsn' | 'bounce-mail' | 'arf' | 'auto-reply' | 'receipt' | 'mail';
  readonly findings: readonly MailFinding[];
  readonly reportingMta?: string | undefined;
  readonly returned: Returned;
  /** Names the report itself: the same report that comes twice has the same. */
  readonly name: string;
  /** Its Date field, ms since the epoch. */
  readonly date: number | undefined;
}

/** What a mail says, without what it brings back. */
export type Said = Pick<MailReport, 'kind' | 'findings' | 'reportingMta'>;
