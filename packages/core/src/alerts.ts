/** What the operator is told beyond single mails: alerts about rates, warnings about refusals that are the sender's to mend. */
import type { ReasonClass } from './events.ts';
import type { Stream } from './message.ts';

/** Rates that alerts are about. The order is the storage code: append only. */
export const ALERT_KINDS = ['complaint-rate', 'hard-bounce-rate'] as const;

/** What an alert is about: complaints by mails that were sent, or hard bounces by mails that were sent, bounced or failed. */
export type AlertKind = (typeof ALERT_KINDS)[number];

/** A rate of a stream or a campaign has passed a threshold, or has come back from there. */
export interface Alert {
  /** The same for `raised` and `resolved`. */
  readonly id: string;
  readonly state: 'raised' | 'resolved';
  readonly kind: AlertKind;
  /** The threshold, as a share: 0.001 is 0.1 %. */
  readonly threshold: number;
  /** The rate, as a share: `count` of `of`. */
  readonly rate: number;
  /** Complaints or hard bounces of the mail of the window. */
  readonly count: number;
  /** Mails of the window. */
  readonly of: number;
  /** The stream that it is about; undefined for a campaign. */
  readonly stream: Stream | undefined;
  /** The campaign that it is about; undefined for a stream. */
  readonly campaign: string | undefined;
  /** Length of the window, ms. */
  readonly windowMs: number;
  /** When it was raised. */
  readonly since: Date;
  /** When this was found: that of `since` for `raised`. */
  readonly at: Date;
}

/** Mail was refused for a reason that the sender has to mend: told once for many mails. */
export interface Warning {
  readonly reason: ReasonClass;
  /** The route that the mail went by; undefined where that is not known. */
  readonly route: string | undefined;
  /** The site that refused, or the recipients' domain where the site is not known; undefined where neither is, or for many at once. */
  readonly site: string | undefined;
  /** Refusals that this tells of. Each attempt counts. */
  readonly count: number;
  /** The first and the last of them. */
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** The last of them. */
  readonly example: {
    /** Undefined for feedback that fits no delivery. */
    readonly deliveryId: string | undefined;
    /** What was said. */
    readonly reply: string;
    /** RFC 3463 enhanced status code. */
    readonly status: string | undefined;
    /** `smtp` for a reply in the session, else where it came from: `dsn`, `bounce-mail`, `host` or the name of a provider. */
    readonly source: string;
  };
}
