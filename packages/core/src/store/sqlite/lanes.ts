import { sql } from 'kysely';
import type { Stream } from '../../message.ts';
import type { LaneKey } from '../../queue/port.ts';
import type { Database } from './database.ts';
import { FLAGS, STREAMS } from './ledger.ts';

/** A lane by its number. */
export interface LaneRow {
  readonly id: number;
  readonly paused: number;
}

/** A lane by what it is of. */
export interface KnownLane {
  readonly route: string;
  /** Empty for the lane that mail comes into. */
  readonly site: string;
  readonly stream: Stream;
}

/** Lanes whose keys are kept in memory. */
const KEPT = 20_000;

/** The lanes, and what waits in them. */
export interface Lanes {
  find(lane: LaneKey): LaneRow | undefined;
  /** Number of a lane; makes one where there is none. */
  idOf(lane: LaneKey): number;
  /** What a lane is of; that never changes. */
  keyOf(id: number): KnownLane;
  /** Earliest due time; undefined where nothing waits. */
  dueAt(id: number): number | undefined;
  pause(lane: LaneKey, paused: boolean): void;
  /** A process that has these routes is there. */
  see(routes: readonly string[], now: number): void;
  /** Moves what waits on routes that nobody has to another; answers how many deliveries. Routes that somebody had since `seenBefore` are waited for. */
  reroute(known: ReadonlySet<string>, to: string, seenBefore: number): number;
}

/** Lanes in SQLite. Writes are for inside of `write`. */
export function createLanes(db: Database): Lanes {
  const keys = new Map<number, KnownLane>();
  db.onRollback(() => keys.clear());
  const find = db.prepare((query, { route, site, stream }: { route: string; site: string; stream: number }) =>
    query
      .selectFrom('lane')
      .selectAll()
      .where('route', '=', route)
      .where('site', '=', site)
      .where('stream', '=', stream),
  );
  const findKey = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('lane').select(['route', 'site', 'stream']).where('id', '=', id),
  );
  const earliest = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('delivery')
      .select('due_at as due')
      .where('lane_id', '=', id)
      .where('due_at', 'is not', null)
      .orderBy('due_at')
      .limit(1),
  );
  const put = db.prepare((query, p: { route: string; site: string; stream: number; paused: number }) =>
    query
      .insertInto('lane')
      .values({ route: p.route, site: p.site, stream: p.stream, paused: p.paused })
      .onConflict((conflict) =>
        conflict.columns(['route', 'site', 'stream']).doUpdateSet((row) => ({ paused: row.ref('excluded.paused') })),
      ),
  );
  const add = db.prepare((query, p: { route: string; stream: number }) =>
    query
      .insertInto('lane')
      .values({ route: p.route, stream: p.stream })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const nextRoute = db.prepare((query, p: { after: string }) =>
    query.selectFrom('lane').select('route').where('route', '>', p.after).orderBy('route').limit(1),
  );
  const ofRoute = db.prepare((query, p: { route: string }) =>
    query.selectFrom('lane').select(['id', 'site', 'stream', 'known_at']).where('route', '=', p.route),
  );
  const see = db.prepare((query, p: { routes: string; now: number }) =>
    query
      .updateTable('lane')
      .set({ known_at: p.now })
      // Those that mail comes into stand for all of the route: there may be thousands of sites.
      .where('site', '=', '')
      .where('route', 'in', sql<string>`(select value from json_each(${p.routes}))`),
  );
  const move = db.prepare((query, p: { from: number; to: number }) =>
    query
      .updateTable('delivery')
      // The only server that may have what is in doubt is gone with its route.
      .set((row) => ({ lane_id: p.to, flags: row('flags', '&', ~FLAGS.inDoubt) }))
      .where('lane_id', '=', p.from)
      .where('due_at', 'is not', null),
  );

  function dueAt(id: number): number | undefined {
    return earliest.get({ id })?.due ?? undefined;
  }

  const columnsOf = ({ route, site = '', stream }: LaneKey) => ({ route, site, stream: STREAMS.indexOf(stream) });

  function idOf({ route, stream }: LaneKey): number {
    const lane = columnsOf({ route, stream });
    add.run(lane);
    return (find.get(lane) as LaneRow).id;
  }

  /** The names of routes, found without a look at each lane. */
  function routes(): string[] {
    const names: string[] = [];
    for (let at = nextRoute.get({ after: '' }); at !== undefined; at = nextRoute.get({ after: at.route }))
      names.push(at.route);
    return names;
  }

  return {
    idOf,
    find: (lane) => find.get(columnsOf(lane)),
    keyOf(id) {
      const known = keys.get(id);
      if (known !== undefined) return known;
      const { route = '', site = '', stream = 0 } = findKey.get({ id }) ?? {};
      const key = { route, site, stream: STREAMS[stream] ?? 'transactional' };
      if (keys.size >= KEPT) keys.clear();
      keys.set(id, key);
      return key;
    },
    dueAt,
    pause: (lane, paused) => void put.run({ ...columnsOf(lane), paused: paused ? 1 : 0 }),
    see: (routes, now) => void see.run({ routes: JSON.stringify(routes), now }),
    reroute(known, to, seenBefore) {
      let moved = 0;
      for (const route of routes()) {
        if (known.has(route)) continue;
        const lanes = ofRoute.all({ route });
        if (lanes.some(({ site, known_at }) => site === '' && known_at >= seenBefore)) continue;
        for (const { id, stream } of lanes) {
          if (dueAt(id) === undefined) continue;
          moved += move.run({ from: id, to: idOf({ route: to, stream: STREAMS[stream] ?? 'transactional' }) });
        }
      }
      return moved;
    },
  };
}
