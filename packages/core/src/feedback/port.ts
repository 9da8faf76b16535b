export type { FeedbackEvent, FeedbackType } from './event.ts';
export type { MailReport } from './mail/report.ts';
export type { WebhookOptions } from './providers/options.ts';
export type { HookRequest, HookTools, HookVerdict, ReadTools, WebhookProvider } from './providers/provider.ts';
export { MAX_BODY_BYTES } from './providers/provider.ts';
export { usableEvents } from './providers/usable.ts';

/** What came back about a delivery after the next hop had taken it. */
export type FeedbackReport =
  | {
      readonly type: 'bounced';
      /** What the refusing server said, such as `550 5.1.1 User unknown`; it is read as a reply in an SMTP session is. */
      readonly reply: string;
    }
  | {
      /** The recipient says that the mail is spam, and gets no more broadcast mail (option `suppression.complaints`). */
      readonly type: 'complained';
      /** Where that is known from; kept with the suppression. */
      readonly evidence?: string;
    };
