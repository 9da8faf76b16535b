import type { Transcript } from '../events.ts';
import type { DeliveryState, Stream } from '../message.ts';
import type { LaneLimit } from '../queue/port.ts';
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
  /** How often somebody left by a link of the mail; who comes back and leaves again counts again. */
  readonly unsubscribed: number;
  /** How often somebody came back on the unsubscribe page. */
  readonly resubscribed: number;
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

/** Why a delivery is where it is. */
export interface ExplainedReason {
  readonly kind: /** It is over, or on its way at this moment. */
    | 'over'
    | 'sending'
    /** Somebody keeps it back. */
    | 'held'
    | 'lane-paused'
    /** It waits for a time: that of `sendAt`, or that of the next attempt. */
    | 'scheduled'
    | 'retry'
    /** Its route does not work, or has sent what it may for now. */
    | 'route-down'
    | 'rate'
    /** The route, or the site behind the recipient's domain, has had what a warm-up gives it for the day. */
    | 'warm-up'
    /** A rule of shaping acts on the site, after what it replied. */
    | 'rule'
    /** The site has as many mails on their way as it may, or has had its rate. */
    | 'site'
    /** Others of its lane come before it. */
    | 'queue';
  /** In words. */
  readonly text: string;
  /** When this does not bind any more; undefined where nobody knows. */
  readonly until: Date | undefined;
}

/** What became of a delivery, and what it waits for. */
export interface Explanation {
  readonly id: string;
  readonly recipient: string;
  readonly state: DeliveryState;
  readonly route: string;
  /** The site behind the recipient's domain, where the route is held to limits by site and it was sorted. */
  readonly site: string | undefined;
  /** The limits of its lane, those of the route first. */
  readonly limits: readonly LaneLimit[];
  readonly attempts: number;
  /** When it can be tried next; undefined where that depends on somebody, or nothing more will be tried. */
  readonly nextAt: Date | undefined;
  /** All reasons as one text. */
  readonly summary: string;
  /** What binds, the strongest first. */
  readonly reasons: readonly ExplainedReason[];
  /** What was said in each attempt, oldest first. */
  readonly transcripts: readonly Transcript[];
}
