import { domainOf } from '../../address.ts';
import { stepOf } from '../../report-scale.ts';
import type { WayMetric } from '../report-port.ts';
import { createAdditions } from './additions.ts';
import type { Database } from './database.ts';
import type { Lanes } from './lanes.ts';
import { createWayRows, type Way } from './way-rows.ts';

const DAY_MS = 86_400_000;

/** A delivery with the lane that it goes or went by. */
export interface Walked {
  readonly lane_id: number;
  readonly recipient: string;
}

/** What is known of ways beside what the store has. */
export interface WayNames {
  readonly lanes: Pick<Lanes, 'keyOf'>;
  /** Whose servers a route speaks with; empty where that is not known. */
  providerOf(route: string): string;
  /** The site behind a domain, for mail whose lane has none; undefined where it is not known. */
  siteOf(domain: string): string | undefined;
  /** Ways that are counted by name on one day. */
  readonly waysPerDay: number;
}

/** Counts by way and day. Inside of `write`. */
export interface WayCounts {
  of(delivery: Walked): Way;
  add(delivery: Walked, metric: WayMetric, at: number, n: number): void;
  waited(delivery: Walked, how: 'sent' | 'lost', ms: number, at: number): void;
}

/** What a transaction adds to one way on one day. */
export interface WayAddition {
  readonly way: Way;
  readonly day: number;
  /** Of the figures that change. */
  readonly counts: Partial<Record<WayMetric, number>>;
  readonly waits: Map<number, { sent: number; lost: number }>;
}

/** Counts by way in SQLite: what a transaction adds to a way is one change of one row. */
export function createWayCounts(db: Database, { lanes, providerOf, siteOf, waysPerDay }: WayNames): WayCounts {
  const rows = createWayRows(db, waysPerDay);
  /** By lane and day, and then by domain. */
  const sums = createAdditions<number, Map<string, WayAddition>>(db, {
    keysOf: (lane) => [lane],
    empty: () => new Map(),
    write: putAll,
  });

  function putAll(all: Iterable<Map<string, WayAddition>>): void {
    const rest = new Map<string, WayAddition>();
    for (const addition of [...all].flatMap((byDomain) => [...byDomain.values()])) {
      if (rows.put(addition)) continue;
      const { route, provider, stream } = addition.way;
      const key = `${addition.day} ${stream} ${provider} ${route}`;
      const other = rest.get(key) ?? emptyAddition({ route, provider, stream, site: '', domain: '' }, addition.day);
      rest.set(key, merged(other, addition));
    }
    for (const addition of rest.values()) rows.putAlways(addition);
  }

  function of({ lane_id: lane, recipient }: Walked): Way {
    const domain = domainOf(recipient).toLowerCase();
    const { route, site, stream } = lanes.keyOf(lane);
    return { route, provider: providerOf(route), stream, site: site || (siteOf(domain) ?? ''), domain };
  }

  function additionOf(delivery: Walked, at: number): WayAddition {
    const day = Math.floor(at / DAY_MS);
    const [byDomain] = sums.of(delivery.lane_id, day) as [Map<string, WayAddition>];
    const domain = domainOf(delivery.recipient).toLowerCase();
    const known = byDomain.get(domain);
    if (known !== undefined) return known;
    const made = emptyAddition(of(delivery), day);
    byDomain.set(domain, made);
    return made;
  }

  return {
    of,
    add(delivery, metric, at, n) {
      const { counts } = additionOf(delivery, at);
      counts[metric] = (counts[metric] ?? 0) + n;
    },
    waited(delivery, how, ms, at) {
      const { counts, waits } = additionOf(delivery, at);
      // A wait has a row of counts beside it.
      counts.deferrals ??= 0;
      const step = stepOf(ms);
      const wait = waits.get(step) ?? { sent: 0, lost: 0 };
      wait[how] += 1;
      waits.set(step, wait);
    },
  };
}

function emptyAddition(way: Way, day: number): WayAddition {
  return { way, day, counts: {}, waits: new Map() };
}

function merged(into: WayAddition, { counts, waits }: WayAddition): WayAddition {
  for (const [metric, n] of Object.entries(counts) as [WayMetric, number][])
    into.counts[metric] = (into.counts[metric] ?? 0) + n;
  for (const [step, { sent, lost }] of waits) {
    const wait = into.waits.get(step) ?? { sent: 0, lost: 0 };
    into.waits.set(step, { sent: wait.sent + sent, lost: wait.lost + lost });
  }
  return into;
}
