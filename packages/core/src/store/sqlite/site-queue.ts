import { sql } from 'kysely';
import { domainOf } from '../../address.ts';
import { factorOf } from '../../lane-rule.ts';
import type { Stream } from '../../message.ts';
import type { ClaimedDelivery, SiteQueueStore } from '../../queue/port.ts';
import type { Claims } from './claims.ts';
import type { Database } from './database.ts';
import { doubtOf } from './delivery-row.ts';
import type { DomainSites } from './domain-sites.ts';
import type { Lanes } from './lanes.ts';
import { STREAMS } from './ledger.ts';
import { type RateLog, rateKey } from './rates.ts';
import { ANSWERS, ruleOf, type SiteLaneRow, type SiteLanes, standingOf } from './site-lanes.ts';

/** Lanes that are looked at in one claim, at most. */
const LANES = 200;

/** The queue's lanes by site, over SQLite. */
export function createSiteQueue(
  db: Database,
  parts: {
    readonly rates: RateLog;
    readonly lanes: Lanes;
    readonly claims: Claims;
    readonly sites: SiteLanes;
    readonly domains: DomainSites;
  },
): SiteQueueStore {
  const { rates, lanes, claims, sites, domains } = parts;
  const ids = new Map<string, number>();

  const due = db.prepare((query, p: { lane: number; from: number; after: number; now: number; limit: number }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'recipient', 'message_id', 'due_at', 'flags'])
      .where('lane_id', '=', p.lane)
      .where('due_at', '>=', p.from)
      .where('due_at', '<=', p.now)
      .where((row) => row.or([row('due_at', '>', p.from), row('id', '>', p.after)]))
      .orderBy('due_at')
      .orderBy('id')
      .limit(p.limit),
  );
  const addLane = db.prepare(
    (query, p: { route: string; site: string; stream: number; answers: number; rule: string | null }) =>
      query
        .insertInto('lane')
        .values({ route: p.route, site: p.site, stream: p.stream, answers: p.answers, rule: p.rule }),
  );
  const findLane = db.prepare((query, p: { route: string; site: string; stream: number }) =>
    query
      .selectFrom('lane')
      .select('id')
      .where('route', '=', p.route)
      .where('site', '=', p.site)
      .where('stream', '=', p.stream),
  );
  const move = db.prepare((query, p: { ids: string; from: number; to: number }) =>
    query
      .updateTable('delivery')
      .set({ lane_id: p.to })
      .where('id', 'in', sql<number>`(select value from json_each(${p.ids}))`)
      // The plus keeps SQLite from going through all that waits in the lane.
      .where(sql<boolean>`+lane_id = ${p.from}`)
      .where('due_at', 'is not', null),
  );
  const ready = db.prepare((query, p: { route: string; stream: number; answers: number; now: number; limit: number }) =>
    query
      .selectFrom('lane')
      .selectAll()
      .where('route', '=', p.route)
      .where('stream', '=', p.stream)
      .where('answers', '=', p.answers)
      .where('ready_at', '<=', p.now)
      .orderBy('ready_at')
      .orderBy('id')
      .limit(p.limit),
  );
  const earliest = db.prepare((query, p: { route: string; stream: number; answers: number }) =>
    query
      .selectFrom('lane')
      .select('ready_at')
      .where('route', '=', p.route)
      .where('stream', '=', p.stream)
      .where('answers', '=', p.answers)
      .where('ready_at', 'is not', null)
      .orderBy('ready_at')
      .limit(1),
  );

  function laneOf(route: string, stream: number, site: string): number {
    const key = `${route}\t${stream}\t${site}`;
    const known = ids.get(key);
    if (known !== undefined) return known;
    const lane = { route, site, stream };
    // What is known of a site holds for both streams.
    const { answers = 0, rule = null } = sites.of(route, site)[0] ?? {};
    const id = findLane.get(lane)?.id ?? addLane.insert({ ...lane, answers, rule });
    if (ids.size >= LANES_KEPT) ids.clear();
    ids.set(key, id);
    return id;
  }
  db.onRollback(() => ids.clear());

  function claimFrom(row: SiteLaneRow, most: number, owner: number, now: number): ClaimedDelivery[] {
    const { route, site } = row;
    const key = { route, site, stream: STREAMS[row.stream] as Stream };
    const rule = ruleOf(row);
    const overflowUntil = rates.overflowsUntil({ ...key, site: '' }, now) ?? rates.overflowsUntil(key, now);
    const allowed =
      overflowUntil === undefined ? rates.allowed(key, now, factorOf(rule, now)) : Number.POSITIVE_INFINITY;
    const limit = Math.min(most, sites.room(row, sites.of(route, site), now), allowed);
    const claimed = limit < 1 ? [] : claims.take({ lane: row.id, limit, owner, now });
    if (claimed.length > 0) {
      sites.held(row, claimed.length);
      rates.reserve(rateKey(key), owner, claimed.length);
    }
    sites.touched(row.id);
    const standing = standingOf(row);
    return claimed.map((delivery) => ({ ...delivery, site, standing, rule, overflowUntil }));
  }

  return {
    unsorted({ lane, after = { id: 0, dueAt: 0 }, limit, now }) {
      const row = lanes.find(lane);
      if (row === undefined) return [];
      return due
        .all({ lane: row.id, from: after.dueAt, after: after.id, now, limit })
        .map(({ id, recipient, message_id, due_at, flags }) => ({
          id,
          messageId: message_id,
          address: recipient,
          domain: domainOf(recipient).toLowerCase(),
          dueAt: due_at ?? now,
          ...doubtOf({ flags }),
        }));
    },
    reroute: ({ route, stream }, moves) =>
      db.write(() => {
        const from = lanes.idOf({ route, stream });
        for (const [to, deliveries] of moves)
          move.run({ ids: JSON.stringify(deliveries), from, to: lanes.idOf({ route: to, stream }) });
      }),
    sort: ({ route, stream }, moves, now) =>
      db.carryOn(() => {
        const from = lanes.idOf({ route, stream });
        for (const [site, deliveries] of moves) {
          const to = laneOf(route, STREAMS.indexOf(stream), site);
          move.run({ ids: JSON.stringify(deliveries), from, to });
          sites.touched(to);
        }
        sites.reschedule(now);
      }),
    claim: ({ lane, limit, unknown, failing, owner, now }) =>
      db.carryOn(() => {
        const row = lanes.find(lane);
        if (row?.paused === 1) return [];
        const own = { route: lane.route, stream: lane.stream };
        const overflows = rates.overflowsUntil(own, now) !== undefined;
        const most = overflows ? limit : Math.min(limit, rates.allowed(own, now));
        const claimed: ClaimedDelivery[] = [];
        for (const [answers, own] of [
          [ANSWERS.answers, most],
          [ANSWERS.unknown, unknown],
          [ANSWERS.failing, failing],
        ] as const) {
          let left = Math.min(most - claimed.length, own);
          if (left < 1) continue;
          const limited = { route: lane.route, stream: STREAMS.indexOf(lane.stream), answers, now };
          for (const one of ready.all({ ...limited, limit: Math.min(left, LANES) })) {
            if (left < 1) break;
            const got = claimFrom(one, left, owner, now);
            left -= got.length;
            claimed.push(...got);
          }
        }
        rates.reserve(lane.route, owner, claimed.length);
        sites.reschedule(now);
        return claimed;
      }),
    readyAt({ route, stream }) {
      if (lanes.find({ route, stream })?.paused === 1) return undefined;
      const at = Object.values(ANSWERS).flatMap((answers) => {
        const found = earliest.get({ route, stream: STREAMS.indexOf(stream), answers })?.ready_at;
        return typeof found === 'number' ? [found] : [];
      });
      return at.length === 0 ? undefined : Math.min(...at);
    },
    sitesOf: domains.of,
    keepSites: (found) => db.carryOn(() => domains.keep(found)),
    applyRule: (route, site, rule, now) =>
      db.write(() => {
        sites.setRule(route, site, rule);
        for (const { id } of sites.of(route, site)) sites.touched(id);
        sites.reschedule(now);
      }),
    lane(route, site, stream) {
      const both = sites.of(route, site);
      const row = both.find((one) => one.stream === STREAMS.indexOf(stream));
      if (row === undefined) return undefined;
      return {
        paused: row.paused === 1,
        held: both.reduce((sum, { held }) => sum + held, 0),
        standing: standingOf(row),
        readyAt: row.ready_at ?? undefined,
        rule: ruleOf(row),
      };
    },
  };
}

/** Numbers of lanes that are kept in memory. */
const LANES_KEPT = 50_000;
