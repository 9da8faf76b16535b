/**
 * Where deliveries wait that are held to the limits of receivers: in a lane of their own for each site, so that one that is
 * full, slow or suspended holds up no other. Deliveries come into the lane of their route and stream, from which they are
 * sorted into those of their sites.
 *
 * Contract, beside that of the queue:
 * - a lane is looked at when it has something that may start; those that wait for a time, a place or an operator cost nothing;
 * - lanes with mail that may start take turns;
 * - over all owners, no sliding window of a site with rates holds more starts than its limit;
 * - of a site no more is handed out than {@link SiteBounds} says; a place is kept for transactional mail.
 */
import type { Stream } from '../message.ts';
import type { Rate } from '../rate.ts';
import type { WarmUp } from '../warm-up.ts';
import type { ClaimedDelivery, LaneKey } from './port.ts';

/** What is known of a site: its servers answered the last time, did not, or were never asked. */
export type SiteStanding = 'answers' | 'failing' | 'unknown';

/** Bounds of a site on a route. */
export interface SiteBounds {
  /** Mails on their way at once. */
  readonly connections: number;
  /** The same while its servers have not answered yet, or did not the last time. */
  readonly unproven: number;
  /** All hold. Empty where nothing limits it. */
  readonly rates: readonly Rate[];
  readonly warmUp?: WarmUp | undefined;
}

/** The routes that are held to limits by site. */
export interface Shaped {
  /** Undefined for a route that has no sites. */
  boundsOf(route: string, site: string): SiteBounds | undefined;
}

/** What a rule has made of a lane, as it is kept. */
export interface LaneRule {
  /** Name of the rule. */
  readonly name: string;
  /** The reply that made it act. */
  readonly reply: string;
  readonly since: number;
  /** Until when it acts in full, ms since the epoch; from then on the lane recovers. */
  readonly until: number;
  /** Share of the limits that is left until then; 0 where the lane is suspended. */
  readonly factor: number;
  /** Share with which a lane begins to recover, and after how long it doubles, ms. */
  readonly recoverFrom: number;
  readonly stepMs: number;
  /** Local addresses that the site gets no mail from, each until a time. */
  readonly avoided: readonly { readonly address: string; readonly until: number }[];
}

/** A due delivery. */
export interface WaitingMail {
  readonly id: number;
  readonly messageId: number;
  readonly address: string;
  /** Of the address, in lower case. */
  readonly domain: string;
  readonly dueAt: number;
  readonly inDoubt?: true | undefined;
}

/** Sites, as the scheduler sees them. */
export interface SiteQueueStore {
  /** Due deliveries of a route that are in no site's lane, in the order in which they are due, and of that those after one. */
  unsorted(request: {
    readonly lane: LaneKey;
    readonly after?: Pick<WaitingMail, 'id' | 'dueAt'> | undefined;
    readonly limit: number;
    readonly now: number;
  }): readonly WaitingMail[];
  /** Moves deliveries that wait in a lane, and are in no site's, to other routes. */
  reroute(lane: LaneKey, routes: ReadonlyMap<string, readonly number[]>): Promise<void>;
  /** Moves unsorted deliveries into the lanes of their sites. */
  sort(lane: LaneKey, sites: ReadonlyMap<string, readonly number[]>, now: number): Promise<void>;
  /** Due deliveries of sites, at most `limit`; of those that were never reached at most `unknown`, of those that did not answer the last time `failing`. */
  claim(request: {
    readonly lane: LaneKey;
    readonly limit: number;
    readonly unknown: number;
    readonly failing: number;
    readonly owner: number;
    readonly now: number;
  }): Promise<ClaimedDelivery[]>;
  /** When the next delivery of any site may start; undefined where none waits for a time alone. */
  readyAt(lane: LaneKey): number | undefined;
  /** The sites of domains, as far as they are known and have not expired. */
  sitesOf(domains: readonly string[], now: number): ReadonlyMap<string, string>;
  /** What has expired is forgotten with the beats of owners, a bounded number with each. */
  keepSites(
    sites: readonly { readonly domain: string; readonly site: string; readonly until: number }[],
    now: number,
  ): Promise<void>;
  /** A rule acts on both streams of a site. */
  applyRule(route: string, site: string, rule: LaneRule, now: number): Promise<void>;
  /** What is known of one lane; undefined where it has never had mail. */
  lane(route: string, site: string, stream: Stream): SiteLane | undefined;
}

/** One lane of a site. */
export interface SiteLane {
  readonly paused: boolean;
  /** Deliveries of the site that are handed out, in both streams. */
  readonly held: number;
  readonly standing: SiteStanding;
  readonly readyAt: number | undefined;
  readonly rule: LaneRule | undefined;
}
