import type { Stream } from '../../message.ts';
import { WAY_METRICS, type WayMetric } from '../report-port.ts';
import type { Database } from './database.ts';
import { STREAMS } from './ledger-facts.ts';
import { createRecent } from './recent.ts';
import type { Prepared } from './statements.ts';
import type { WayAddition } from './way-counts.ts';

/** What mail had on its way. */
export interface Way {
  readonly route: string;
  readonly provider: string;
  readonly site: string;
  readonly stream: Stream;
  readonly domain: string;
}

/** The rows of counts by way. Inside of `write`. */
export interface WayRows {
  /** Answers false where the day has as many ways as it may, and this is not one of them. */
  put(addition: WayAddition): boolean;
  putAlways(addition: WayAddition): void;
}

type Columns = Omit<Way, 'stream'> & { readonly stream: number };
type CountRow = { readonly day: number; readonly way: number } & Readonly<Partial<Record<WayMetric, number>>>;
const NONE = Object.fromEntries(WAY_METRICS.map((metric) => [metric, 0])) as Readonly<Record<WayMetric, number>>;

/** Ways whose numbers are kept in memory. */
const KEPT = 10_000;
/** Statements that are kept; there are more sets of figures than anybody needs. */
const MOST_PREPARED = 100;
/** Days that are kept in memory. */
const MOST_FULL = 8;
/** Processes that may count ways at the same time without more of them than there may be. */
const PROCESSES = 8;

/** Rows in SQLite. */
export function createWayRows(db: Database, waysPerDay: number): WayRows {
  const ids = createRecent<string, number>(KEPT);
  /** Days that have as many ways as they may, with those that they have: no other comes to them. */
  const full = new Map<number, ReadonlyMap<string, number>>();
  /** How many ways may come to a day before those that it has are counted again: others may have come from other processes. */
  const uncounted = new Map<number, number>();
  db.onRollback(() => {
    ids.clear();
    full.clear();
  });
  const find = db.prepare((query, p: Columns) =>
    query
      .selectFrom('way')
      .select('id')
      .where('domain', '=', p.domain)
      .where('route', '=', p.route)
      .where('provider', '=', p.provider)
      .where('site', '=', p.site)
      .where('stream', '=', p.stream),
  );
  const insert = db.prepare((query, p: Columns & { readonly day: number }) =>
    query.insertInto('way').values({
      route: p.route,
      provider: p.provider,
      site: p.site,
      stream: p.stream,
      domain: p.domain,
      last_day: p.day,
    }),
  );
  const seeDay = db.prepare((query, p: { readonly id: number; readonly day: number }) =>
    query.updateTable('way').set({ last_day: p.day }).where('id', '=', p.id).where('last_day', '<', p.day),
  );
  const countDay = db.prepare((query, p: { readonly day: number }) =>
    query
      .selectFrom('way_count')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where('day', '=', p.day),
  );
  const list = db.prepare((query, p: { readonly day: number }) =>
    query
      .selectFrom('way_count')
      .innerJoin('way', 'way.id', 'way_count.way_id')
      .select(['way.id', 'way.route', 'way.provider', 'way.site', 'way.stream', 'way.domain'])
      .where('day', '=', p.day),
  );
  /** By the figures that change: mostly one or two of them do. */
  const additions = new Map<string, Prepared<CountRow, unknown>>();
  function addTo(day: number, way: number, counts: WayAddition['counts']): boolean {
    const changed = Object.keys(counts) as WayMetric[];
    const key = changed.join();
    const known = additions.get(key);
    const update =
      known ??
      db.prepare((query, p: CountRow) =>
        query
          .updateTable('way_count')
          .set((of) => Object.fromEntries(changed.map((metric) => [metric, of(metric, '+', p[metric] as number)])))
          .where('day', '=', p.day)
          .where('way_id', '=', p.way),
      );
    if (known === undefined && additions.size < MOST_PREPARED) additions.set(key, update);
    return update.run({ ...counts, day, way }) > 0;
  }
  const begin = db.prepare((query, p: CountRow & typeof NONE) =>
    query.insertInto('way_count').values({
      day: p.day,
      way_id: p.way,
      ...(Object.fromEntries(WAY_METRICS.map((metric) => [metric, p[metric]])) as Record<WayMetric, number>),
    }),
  );
  const addWait = db.prepare(
    (
      query,
      p: {
        readonly day: number;
        readonly way: number;
        readonly step: number;
        readonly sent: number;
        readonly lost: number;
      },
    ) =>
      query
        .insertInto('wait')
        .values({ day: p.day, way_id: p.way, step: p.step, sent: p.sent, lost: p.lost })
        .onConflict((conflict) =>
          conflict.columns(['day', 'way_id', 'step']).doUpdateSet((row) => ({
            sent: row('wait.sent', '+', row.ref('excluded.sent')),
            lost: row('wait.lost', '+', row.ref('excluded.lost')),
          })),
        ),
  );

  function idOf(way: Way): number | undefined {
    const key = keyOf(way);
    const known = ids.get(key) ?? find.get({ ...way, stream: STREAMS.indexOf(way.stream) })?.id;
    if (known !== undefined) ids.set(key, known);
    return known;
  }

  /** The ways of a day that is full; undefined where it is not. */
  function allOf(day: number): ReadonlyMap<string, number> | undefined {
    const known = full.get(day);
    if (known !== undefined) return known;
    const left = uncounted.get(day) ?? 0;
    if (left > 0) {
      uncounted.set(day, left - 1);
      return undefined;
    }
    const room = waysPerDay - (countDay.get({ day })?.n ?? 0);
    if (room > 0) {
      if (uncounted.size >= MOST_FULL) uncounted.clear();
      uncounted.set(day, Math.ceil(room / PROCESSES) - 1);
      return undefined;
    }
    const all = new Map(
      list
        .all({ day })
        .map(({ id, ...way }) => [keyOf({ ...way, stream: STREAMS[way.stream] ?? 'transactional' }), id]),
    );
    // There are few days at a time.
    if (full.size >= MOST_FULL) full.clear();
    full.set(day, all);
    return all;
  }

  function put({ way, day, counts, waits }: WayAddition, always: boolean): boolean {
    if (waits.size === 0 && Object.values(counts).every((n) => n === 0)) return true;
    const all = always ? undefined : full.get(day);
    const known = all === undefined ? idOf(way) : all.get(keyOf(way));
    if (all !== undefined && known === undefined) return false;
    const counted = known !== undefined && addTo(day, known, counts);
    if (!counted && !always && allOf(day) !== undefined) return false;
    const id = known ?? insert.insert({ ...way, stream: STREAMS.indexOf(way.stream), day });
    ids.set(keyOf(way), id);
    if (!counted) {
      begin.run({ ...NONE, ...counts, day, way: id });
      if (known !== undefined) seeDay.run({ id, day });
    }
    for (const [step, wait] of waits) addWait.run({ day, way: id, step, ...wait });
    return true;
  }

  return {
    put: (addition) => put(addition, false),
    putAlways: (addition) => void put(addition, true),
  };
}

function keyOf({ route, provider, site, stream, domain }: Way): string {
  // Names of routes may have anything in them, but no line ends.
  return `${domain}\n${route}\n${provider}\n${site}\n${stream}`;
}
