import type { Stream } from '../message.ts';
import type { LinkCount, Metric } from '../store/port.ts';

/** Opens or clicks: deliveries and times, with and without machines. */
export interface Readers {
  /** Deliveries that did, machines included. */
  readonly unique: number;
  readonly total: number;
  /** People, and image proxies that fetch for a person (Gmail, Yahoo); without privacy proxies, scanners and bots. */
  readonly human: { readonly unique: number; readonly total: number };
}

/** Shares between 0 and 1; `undefined` where the divisor is 0. */
export interface Rates {
  /** sent / (sent + bounced + failed) */
  readonly delivery: number | undefined;
  /** bounced / (sent + bounced + failed) */
  readonly bounce: number | undefined;
  /** human unique opens / sent */
  readonly open: number | undefined;
  /** human unique clicks / sent */
  readonly click: number | undefined;
  /** human unique clicks / human unique opens */
  readonly clickToOpen: number | undefined;
  /** unsubscribed / sent */
  readonly unsubscribe: number | undefined;
  /** complained / sent */
  readonly complaint: number | undefined;
}

/** Figures of a set of deliveries. */
export interface Figures {
  readonly accepted: number;
  /** Accepted and not yet in a final state. */
  readonly pending: number;
  /** Taken by the next hop. */
  readonly sent: number;
  /** Deliveries that were deferred at least once, and how often in all. */
  readonly deferred: number;
  readonly deferrals: number;
  readonly bounced: number;
  readonly failed: number;
  readonly suppressed: number;
  readonly cancelled: number;
  readonly complained: number;
  readonly unsubscribed: number;
  readonly opens: Readers;
  readonly clicks: Readers;
  readonly rates: Rates;
}

/** Answer of `reports.campaign(name)`. */
export interface CampaignReport extends Figures {
  readonly campaign: string;
  /** Most clicked first, at most 50. */
  readonly links: readonly LinkCount[];
}

/** Answer of `reports.summary()`. */
export interface SummaryReport extends Figures {
  readonly from: Date;
  readonly to: Date;
  readonly stream: Stream | undefined;
  /** Per UTC day, oldest first; days without mail are left out. */
  readonly days: readonly (Figures & { readonly day: string })[];
}

/** What reports are made of. */
export type Counts = Readonly<Record<Metric, number>>;
