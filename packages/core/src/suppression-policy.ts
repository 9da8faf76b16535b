/** When what comes back keeps further mail from an address. */
import type { Fault, ReasonClass } from './events.ts';

/** The option `suppression`. */
export interface SuppressionOptions {
  /**
   * Which mail a hard bounce stops where the recipient is at fault: `all`, or only that of the `stream` that bounced; `false`
   * stops none.
   * @default `all`
   */
  readonly hardBounces?: 'all' | 'stream' | false | undefined;
  /**
   * Which mail a complaint stops: `broadcast` mail, or `all`; `false` stops none.
   * @default `broadcast`
   */
  readonly complaints?: 'broadcast' | 'all' | false | undefined;
  /**
   * How many soft bounces of different mails within how many days stop all mail, and for how many days; `false`: none do.
   * @default 3 within 30 days, for 90 days
   */
  readonly softBounces?: SoftBounceOptions | false | undefined;
}

/** When soft bounces suppress. */
export interface SoftBounceOptions {
  /**
   * Bounces, at least 1.
   * @default 3
   */
  readonly count?: number | undefined;
  /**
   * Days in which they must fall.
   * @default 30
   */
  readonly withinDays?: number | undefined;
  /**
   * Days until mail is tried again, from the last of these bounces on.
   * @default 90
   */
  readonly forDays?: number | undefined;
}

/** The policy with nothing left open; plain data. */
export interface SuppressionPolicy {
  readonly hardBounces: 'all' | 'stream' | false;
  readonly complaints: 'broadcast' | 'all' | false;
  readonly softBounces: { readonly count: number; readonly withinMs: number; readonly forMs: number } | false;
}

const DAY_MS = 86_400_000;

/** Fills in the defaults. */
export function resolveSuppression({
  hardBounces = 'all',
  complaints = 'broadcast',
  softBounces = {},
}: SuppressionOptions = {}): SuppressionPolicy {
  if (softBounces === false) return { hardBounces, complaints, softBounces };
  const { count = 3, withinDays = 30, forDays = 90 } = softBounces;
  return {
    hardBounces,
    complaints,
    softBounces: { count, withinMs: withinDays * DAY_MS, forMs: forDays * DAY_MS },
  };
}

/** Reasons that are about the recipient's mailbox, and not about who wrote, what, or how it went. */
const ABOUT_RECIPIENT: readonly ReasonClass[] = [
  'no-such-mailbox',
  'no-such-domain',
  'null-mx',
  'inactive',
  'moved',
  'mailbox-full',
];

/** Whether a bounce can count against its address. What says neither reason nor fault counts, as its source calls it a bounce. */
export function isAboutRecipient(bounce: {
  readonly fault?: Fault | undefined;
  readonly reason?: ReasonClass | undefined;
}): boolean {
  if (bounce.fault !== undefined) return bounce.fault === 'recipient';
  return bounce.reason === undefined || ABOUT_RECIPIENT.includes(bounce.reason);
}

/** Sources that are mails. Anybody can send one that looks like a bounce. */
export const MAIL_SOURCES: readonly string[] = ['dsn', 'bounce-mail', 'arf', 'auto-reply'];

/** Whether feedback may keep mail from an address: a provider has proved itself, a mail has to name a secret of the mail that it is about. */
export function isSure(source: string, match: { readonly isSecret: boolean }): boolean {
  return match.isSecret || !MAIL_SOURCES.includes(source);
}
