import { sql } from 'kysely';
import type { LaneKey, LaneRecord } from '../../queue/port.ts';
import type { Database } from './database.ts';
import { STREAMS, stateCode } from './ledger.ts';
import { UNSENT } from './migrations/initial.ts';

/** Waiting deliveries of a lane are counted up to here: counting millions would hold up everything else. */
const COUNTED = 100_000;

/** A lane by its number. */
export interface LaneRow {
  readonly id: number;
  readonly paused: number;
}

/** The lanes, and what waits in them. */
export interface Lanes {
  find(lane: LaneKey): LaneRow | undefined;
  /** Number of a lane; makes one where there is none. */
  idOf(lane: LaneKey): number;
  /** Route of a lane; lanes never change it. */
  routeOf(id: number): string;
  /** Earliest due time; undefined where nothing waits. */
  dueAt(id: number): number | undefined;
  pause(lane: LaneKey, paused: boolean): void;
  list(): LaneRecord[];
  /** A process that has these routes is there. */
  see(routes: readonly string[], now: number): void;
  /** Moves what waits on routes that nobody has to another; answers how many deliveries. Routes that somebody had since `seenBefore` are waited for. */
  reroute(known: ReadonlySet<string>, to: string, seenBefore: number): number;
}

/** Lanes in SQLite. Writes are for inside of `write`. */
export function createLanes(db: Database): Lanes {
  const routes = new Map<number, string>();
  const find = db.prepare((query, { route, stream }: { route: string; stream: number }) =>
    query.selectFrom('lane').select(['id', 'paused']).where('route', '=', route).where('stream', '=', stream),
  );
  const findRoute = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('lane').select('route').where('id', '=', id),
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
  const put = db.prepare((query, p: { route: string; stream: number; paused: number }) =>
    query
      .insertInto('lane')
      .values({ route: p.route, stream: p.stream, paused: p.paused })
      .onConflict((conflict) =>
        conflict.columns(['route', 'stream']).doUpdateSet((row) => ({ paused: row.ref('excluded.paused') })),
      ),
  );
  const add = db.prepare((query, p: { route: string; stream: number }) =>
    query
      .insertInto('lane')
      .values({ route: p.route, stream: p.stream })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const all = db.prepare((query) => query.selectFrom('lane').selectAll());
  const waiting = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('delivery')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where(
        'id',
        'in',
        query
          .selectFrom('delivery')
          .select('id')
          .where('lane_id', '=', id)
          .where('due_at', 'is not', null)
          .limit(COUNTED),
      ),
  );
  const sending = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('delivery')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where('state', '=', stateCode('sending'))
      .where(UNSENT)
      .where('lane_id', '=', id),
  );
  const see = db.prepare((query, p: { routes: string; now: number }) =>
    query
      .updateTable('lane')
      .set({ known_at: p.now })
      .where('route', 'in', sql<string>`(select value from json_each(${p.routes}))`),
  );
  const move = db.prepare((query, p: { from: number; to: number }) =>
    query.updateTable('delivery').set({ lane_id: p.to }).where('lane_id', '=', p.from).where('due_at', 'is not', null),
  );

  function dueAt(id: number): number | undefined {
    return earliest.get({ id })?.due ?? undefined;
  }

  function idOf({ route, stream }: LaneKey): number {
    const lane = { route, stream: STREAMS.indexOf(stream) };
    add.run(lane);
    return (find.get(lane) as LaneRow).id;
  }

  return {
    idOf,
    find: ({ route, stream }) => find.get({ route, stream: STREAMS.indexOf(stream) }),
    routeOf(id) {
      const route = routes.get(id) ?? findRoute.get({ id })?.route ?? '';
      routes.set(id, route);
      return route;
    },
    dueAt,
    pause: ({ route, stream }, paused) =>
      void put.run({ route, stream: STREAMS.indexOf(stream), paused: paused ? 1 : 0 }),
    list: () =>
      all.all({}).map(({ id, route, stream, paused }) => ({
        route,
        stream: STREAMS[stream] ?? 'transactional',
        paused: paused === 1,
        waiting: waiting.get({ id })?.n ?? 0,
        sending: sending.get({ id })?.n ?? 0,
        oldestDueAt: dueAt(id),
      })),
    see: (routes, now) => void see.run({ routes: JSON.stringify(routes), now }),
    reroute(known, to, seenBefore) {
      let moved = 0;
      for (const { id, route, stream, known_at } of all.all({})) {
        if (known.has(route) || known_at >= seenBefore || dueAt(id) === undefined) continue;
        moved += move.run({ from: id, to: idOf({ route: to, stream: STREAMS[stream] ?? 'transactional' }) });
      }
      return moved;
    },
  };
}
