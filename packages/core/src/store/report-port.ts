import type { Stream } from '../message.ts';

/** Counted per campaign, stream and day. The order is the storage code: append only. */
export const METRICS = [
  'accepted',
  'sent',
  'deferred',
  'deferrals',
  'bounced',
  'failed',
  'suppressed',
  'cancelled',
  'complained',
  'unsubscribed',
  'opensUnique',
  'opensTotal',
  'opensUniqueHuman',
  'opensTotalHuman',
  'clicksUnique',
  'clicksTotal',
  'clicksUniqueHuman',
  'clicksTotalHuman',
  'resubscribed',
  'hardBounced',
  'returned',
] as const;

/**
 * A counted figure. `deferred` counts deliveries, `deferrals` counts attempts. Human counts people and image proxies that fetch
 * for a person. `hardBounced` are those of `bounced` that are hard; `returned` are those of `bounced` and `failed` that the
 * next hop had taken, and that `sent` counts, too.
 */
export type Metric = (typeof METRICS)[number];

/** What is also counted by the way that mail took: what happens once it was tried. The names of the columns. */
export const WAY_METRICS = [
  'sent',
  'deferred',
  'deferrals',
  'bounced',
  'hardBounced',
  'failed',
  'returned',
  'complained',
  'unsubscribed',
  'resubscribed',
  'opensUnique',
  'opensTotal',
  'opensUniqueHuman',
  'opensTotalHuman',
  'clicksUnique',
  'clicksTotal',
  'clicksUniqueHuman',
  'clicksTotalHuman',
] as const;

/** A figure that is counted by way. */
export type WayMetric = Extract<Metric, (typeof WAY_METRICS)[number]>;

/** What mail has on its way: to whom, and by what. */
export const WAY_DIMENSIONS = ['domain', 'site', 'route', 'provider'] as const;

/** One of {@link WAY_DIMENSIONS}. */
export type WayDimension = (typeof WAY_DIMENSIONS)[number];

/** Which days, and which mail of them. */
export interface WayQuery {
  /** Days of UTC that these times lie in, `to` exclusive; ms since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly stream?: Stream | undefined;
  readonly domain?: string | undefined;
  readonly site?: string | undefined;
  readonly route?: string | undefined;
  readonly provider?: string | undefined;
}

/** Sums of one value of a dimension. */
export interface NamedCounts<M extends Metric> {
  /** Undefined for what is not counted by name. */
  readonly name: string | undefined;
  readonly counts: Readonly<Record<M, number>>;
}

/** Deferred mail that left (`sent`) or came to nothing (`lost`), by how long that took. */
export interface WaitCount {
  /** Number of the step of the scale, see `report/waits.ts`. */
  readonly step: number;
  readonly sent: number;
  readonly lost: number;
}

/** Counts of one link of a campaign. */
export interface LinkCount {
  /** Target; for a link that differs by recipient: its form in the template. */
  readonly url: string;
  readonly unique: number;
  readonly total: number;
  readonly uniqueHuman: number;
  readonly totalHuman: number;
}

/** Questions over counts that are kept as things happen. */
export interface ReportStore {
  /** Sums; `undefined` where a campaign of this name never was. */
  campaign(name: string): Promise<Readonly<Record<Metric, number>> | undefined>;
  links(campaign: string, limit: number): Promise<LinkCount[]>;
  /** Sums per UTC day, `from` inclusive, `to` exclusive. */
  days(query: {
    readonly from: number;
    readonly to: number;
    readonly stream: Stream | undefined;
  }): Promise<{ readonly day: string; readonly counts: Readonly<Record<Metric, number>> }[]>;
  /** Sums by campaign, of those that have any on these days. */
  campaigns(query: { readonly from: number; readonly to: number }): Promise<NamedCounts<Metric>[]>;
  /** Sums of one campaign per UTC day; undefined where a campaign of this name never was. */
  campaignDays(query: {
    readonly campaign: string;
    readonly from: number;
    readonly to: number;
  }): Promise<NamedCounts<Metric>[] | undefined>;
  /** Sums by what mail had on its way, by its stream or by UTC day. */
  ways(by: WayDimension | 'stream' | 'day', query: WayQuery): Promise<NamedCounts<WayMetric>[]>;
  /** How long deferred mail waited, the shortest first. */
  waits(query: WayQuery): Promise<WaitCount[]>;
}
