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
] as const;

/** A counted figure. `deferred` counts deliveries, `deferrals` counts attempts. Human counts people and image proxies that fetch for a person. */
export type Metric = (typeof METRICS)[number];

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
}
