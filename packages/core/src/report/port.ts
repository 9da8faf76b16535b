import type { Transcript } from '../events.ts';
import type { DeliveryState, Stream } from '../message.ts';
import type { LaneLimit } from '../queue/port.ts';
import { type LinkCount, type Metric, WAY_DIMENSIONS, type WayMetric } from '../store/port.ts';

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
  /** What was taken and did not come back: (sent - returned) / tried */
  readonly delivery: number | undefined;
  /** bounced / tried */
  readonly bounce: number | undefined;
  /** hardBounced / tried */
  readonly hardBounce: number | undefined;
  /** deferred / tried */
  readonly deferral: number | undefined;
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

/** What became of mail once it was on its way. */
export interface OutcomeFigures {
  /** Deliveries whose attempts ended: sent, bounced or failed, each once. */
  readonly tried: number;
  /** Taken by the next hop. */
  readonly sent: number;
  /** Deliveries that were deferred at least once, and how often in all. */
  readonly deferred: number;
  readonly deferrals: number;
  readonly bounced: number;
  /** Those of `bounced` whose address is bad for good. */
  readonly hardBounced: number;
  readonly failed: number;
  /** Those of `bounced` and `failed` that the next hop had taken first: they count in `sent`, too. */
  readonly returned: number;
  readonly complained: number;
  /** How often somebody left by a link of the mail; who comes back and leaves again counts again. */
  readonly unsubscribed: number;
  /** How often somebody came back on the unsubscribe page. */
  readonly resubscribed: number;
  readonly opens: Readers;
  readonly clicks: Readers;
  readonly rates: Rates;
}

/** Figures of a set of deliveries. */
export interface Figures extends OutcomeFigures {
  readonly accepted: number;
  /** Accepted and not yet in a final state. */
  readonly pending: number;
  readonly suppressed: number;
  readonly cancelled: number;
}

/** What reports can be told apart by. */
export const DIMENSIONS: readonly ['day', 'stream', 'campaign', ...typeof WAY_DIMENSIONS] = [
  'day',
  'stream',
  'campaign',
  ...WAY_DIMENSIONS,
];

/** One of {@link DIMENSIONS}. */
export type ReportDimension = (typeof DIMENSIONS)[number];

/** What rows can be in the order of: by name, or the most first. */
export const ORDERS = [
  'name',
  'tried',
  'bounce',
  'hardBounce',
  'deferral',
  'complaint',
  'unsubscribe',
  'open',
  'click',
] as const;

/** One of {@link ORDERS}. */
export type ReportOrder = (typeof ORDERS)[number];

/** Which rows, once it is known to be right. */
export interface BreakdownQuery {
  readonly from: number;
  readonly to: number;
  readonly stream?: Stream | undefined;
  readonly campaign?: string | undefined;
  readonly domain?: string | undefined;
  readonly site?: string | undefined;
  readonly route?: string | undefined;
  readonly provider?: string | undefined;
  readonly order: ReportOrder;
  readonly minVolume: number;
  readonly limit: number;
}

/** Answer of `reports.by(dimension)`. */
export interface Breakdown {
  readonly by: ReportDimension;
  readonly from: Date;
  readonly to: Date;
  /** Of all mail that was asked for, also where `limit` or `minVolume` leave rows out. */
  readonly total: OutcomeFigures;
  readonly rows: readonly (OutcomeFigures & {
    /** The day as `2026-01-31`, or the name; undefined for what is not known, or not counted by name. */
    readonly name: string | undefined;
  })[];
  /** Rows that `limit` and `minVolume` left out. */
  readonly more: number;
}

/** Answer of `reports.deferrals()`: how long mail that was deferred waited from then on, until it left or came to nothing. */
export interface DeferralReport {
  readonly from: Date;
  readonly to: Date;
  /** Deliveries that were deferred, and have left since, or have bounced or failed. */
  readonly count: number;
  readonly sent: number;
  readonly lost: number;
  /** So many of 100 waited no longer, ms; of a step of the histogram, which is a fifth wide, the part that the share asks for. Undefined where nothing waited. */
  readonly percentiles: Readonly<Record<'p50' | 'p75' | 'p90' | 'p95' | 'p99', number>> | undefined;
  /** The shortest first; steps without mail are left out. */
  readonly histogram: readonly {
    readonly fromMs: number;
    /** Exclusive. */
    readonly toMs: number;
    readonly sent: number;
    readonly lost: number;
  }[];
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

/** What reports by way are made of. */
export type OutcomeCounts = Readonly<Record<WayMetric, number>>;

/** Why a delivery is where it is. */
export interface ExplainedReason {
  readonly kind: /** It is over, or goes out at this moment. */
    | 'over'
    | 'sending'
    /** It was claimed, and waits for a place or a connection of its route. */
    | 'route-busy'
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
    /** The site has as many mails on their way as it may, or has had its rate; also of a mail that was claimed. */
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
