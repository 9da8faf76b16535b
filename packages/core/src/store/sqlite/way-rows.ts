import type { Stream } from '../../message.ts';
import { WAY_METRICS, type WayMetric } from '../report-port.ts';
import type { Database } from './database.ts';
import { STREAMS } from './ledger-facts.ts';
import { createRecent } from './recent.ts';
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
type CountRow = { readonly day: number; readonly way: number } & Readonly<Record<WayMetric, number>>;

/** Ways whose numbers are kept in memory. */
const KEPT = 10_000;

/** Rows in SQLite. */
export function createWayRows(db: Database, waysPerDay: number): WayRows {
  const ids = createRecent<string, number>(KEPT);
  /** Days that have as many ways as they may. */
  const full = new Set<number>();
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
  const addTo = db.prepare((query, p: CountRow) =>
    query
      .updateTable('way_count')
      .set((row) => Object.fromEntries(WAY_METRICS.map((metric) => [metric, row(metric, '+', p[metric])])))
      .where('day', '=', p.day)
      .where('way_id', '=', p.way),
  );
  const begin = db.prepare((query, p: CountRow) =>
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

  function isFull(day: number): boolean {
    if (full.has(day)) return true;
    if ((countDay.get({ day })?.n ?? 0) < waysPerDay) return false;
    full.add(day);
    return true;
  }

  function put({ way, day, counts, waits }: WayAddition, always: boolean): boolean {
    const known = idOf(way);
    const counted = known !== undefined && addTo.run({ ...counts, day, way: known }) > 0;
    if (!counted && !always && isFull(day)) return false;
    const id = known ?? insert.insert({ ...way, stream: STREAMS.indexOf(way.stream), day });
    ids.set(keyOf(way), id);
    if (!counted) {
      begin.run({ ...counts, day, way: id });
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
  return JSON.stringify([domain, route, provider, site, stream]);
}
