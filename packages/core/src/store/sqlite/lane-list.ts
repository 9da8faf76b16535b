import { sql } from 'kysely';
import type { LaneKey, LaneQuery, LaneRecord, QueueTotals } from '../../queue/port.ts';
import type { Database } from './database.ts';
import { STREAMS } from './ledger.ts';
import { createRunning } from './running.ts';

/** Waiting deliveries of a lane are counted up to here, and those of all lanes: counting millions would hold up everything else. */
const COUNTED = 100_000;
const COUNTED_ALL = 1_000_000;
/** Of each of many lanes so many are counted at least, for their order. */
const LEAST_COUNTED = 50;

/** A lane as it is listed. */
interface Listed {
  readonly id: number;
  readonly route: string;
  readonly site: string;
  readonly stream: number;
  readonly paused: number;
  readonly due: number | null;
  /** Deliveries that wait, as far as they were counted. */
  readonly n: number;
}

/** Lanes, as operators see them. */
export interface LaneList {
  list(query: LaneQuery): LaneRecord[];
  /** One of the list. */
  record(lane: LaneKey): LaneRecord | undefined;
  totals(): QueueTotals;
}

/** Thousands of sites may have had mail once. */
const SHOWN = sql<boolean>`(site = '' or ready_at is not null or held > 0 or paused = 1 or rule is not null)`;

/** Lists lanes in SQLite. */
export function createLaneList(db: Database): LaneList {
  const count = db.prepare((query) =>
    query
      .selectFrom('lane')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where(SHOWN),
  );
  const select = (query: Parameters<Parameters<Database['prepare']>[0]>[0], counted: number) =>
    query
      .selectFrom('lane')
      .select(['id', 'route', 'site', 'stream', 'paused'])
      .select(
        sql<number | null>`(select due_at from delivery where lane_id = lane.id and due_at is not null
          order by due_at limit 1)`.as('due'),
      )
      .select(
        sql<number>`(select count(*) from
          (select 1 from delivery where lane_id = lane.id and due_at is not null limit ${counted}))`.as('n'),
      );
  const shown = db.prepare((query, p: { counted: number }) => select(query, p.counted).where(SHOWN));
  const one = db.prepare((query, p: { route: string; site: string; stream: number }) =>
    select(query, COUNTED).where('route', '=', p.route).where('site', '=', p.site).where('stream', '=', p.stream),
  );
  const waiting = db.prepare((query, p: { id: number; most: number }) =>
    query
      .selectFrom(
        sql`(select 1 from delivery where lane_id = ${p.id} and due_at is not null limit ${p.most})`.as('due'),
      )
      .select((row) => row.fn.countAll<number>().as('n')),
  );
  const allWaiting = db.prepare((query) =>
    query
      .selectFrom(sql`(select 1 from delivery where due_at is not null limit ${COUNTED_ALL})`.as('due'))
      .select((row) => row.fn.countAll<number>().as('n')),
  );
  const sending = createRunning(db);

  function running(): ReadonlyMap<number, number> {
    return new Map(sending().map(({ lane_id, n }) => [lane_id, n]));
  }

  /** All lanes that are shown; those of a route that is paused are paused with it. */
  function lanes(counted: number): Listed[] {
    const rows = shown.all({ counted });
    const stopped = new Set(rows.filter(({ site, paused }) => site === '' && paused === 1).map(routeOf));
    return rows.map((row) => (stopped.has(routeOf(row)) ? { ...row, paused: 1 } : row));
  }

  return {
    list({ route, stream, site, limit, offset }) {
      const sent = running();
      const counted = Math.max(LEAST_COUNTED, Math.min(COUNTED, Math.floor(COUNTED_ALL / (count.get({})?.n || 1))));
      const busy = ({ id, n }: Listed): number => n + (sent.get(id) ?? 0);
      const page = lanes(counted)
        .filter(
          (lane) =>
            (route === undefined || lane.route === route) &&
            (site === undefined || lane.site === site) &&
            (stream === undefined || STREAMS[lane.stream] === stream),
        )
        .sort((a, b) => busy(b) - busy(a) || inOrder(a, b))
        .slice(offset, offset + limit);
      let left = COUNTED_ALL;
      const exact = page.map((lane) => {
        const most = Math.min(COUNTED, left);
        const n = lane.n < counted || most <= counted ? lane.n : (waiting.get({ id: lane.id, most })?.n ?? 0);
        left -= n;
        return { ...lane, n };
      });
      return exact.sort((a, b) => busy(b) - busy(a) || inOrder(a, b)).map((lane) => recordOf(lane, sent));
    },
    record({ route, site = '', stream }) {
      const key = { route, stream: STREAMS.indexOf(stream) };
      const lane = one.get({ ...key, site });
      if (lane === undefined) return undefined;
      const whole = site === '' ? lane : one.get({ ...key, site: '' });
      return recordOf({ ...lane, paused: whole?.paused === 1 ? 1 : lane.paused }, running());
    },
    totals() {
      const due = lanes(0).flatMap((lane) => (lane.paused === 1 || lane.due === null ? [] : [lane.due]));
      return {
        waiting: allWaiting.get({})?.n ?? 0,
        sending: [...running().values()].reduce((sum, n) => sum + n, 0),
        oldestDueAt: due.length === 0 ? undefined : due.reduce((one, other) => Math.min(one, other)),
      };
    },
  };
}

function routeOf({ route, stream }: Listed): string {
  return `${stream} ${route}`;
}

/** Those that have as much to do stay where they were. */
function inOrder(a: Listed, b: Listed): number {
  const [one, other] = [`${a.route}\t${a.site}\t${a.stream}`, `${b.route}\t${b.site}\t${b.stream}`];
  return one < other ? -1 : 1;
}

function recordOf({ id, route, site, stream, paused, due, n }: Listed, sent: ReadonlyMap<number, number>): LaneRecord {
  return {
    route,
    stream: STREAMS[stream] ?? 'transactional',
    site: site === '' ? undefined : site,
    paused: paused === 1,
    waiting: n,
    sending: sent.get(id) ?? 0,
    oldestDueAt: due ?? undefined,
  };
}
