import { sql } from 'kysely';
import { type ReportStore, WAY_METRICS, type WayDimension, type WayMetric, type WayQuery } from '../report-port.ts';
import type { Database } from './database.ts';
import { STREAMS } from './ledger-facts.ts';
import type { Query } from './statements.ts';

export const DAY_MS = 86_400_000;

/** A day since the epoch, as people write it. */
export function dayName(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Questions over counts by way, in SQLite. */
export function createWayReports(db: Database): Pick<ReportStore, 'ways' | 'waits'> {
  return {
    async ways(by, query) {
      const rows = db.select((from) =>
        counted(from, query)
          .select([columnOf(by).as('name')])
          .select((row) => WAY_METRICS.map((metric) => row.fn.sum<number>(metric).as(metric)))
          .groupBy('name')
          .orderBy('name'),
      );
      return rows.flatMap(({ name, ...sums }) => {
        const counts = sums as unknown as Record<WayMetric, number>;
        // What counted there may have moved to an earlier day.
        return WAY_METRICS.every((metric) => counts[metric] === 0) ? [] : [{ name: nameOf(by, name), counts }];
      });
    },
    async waits(query) {
      return db.select((from) =>
        chosen(from.selectFrom('wait').innerJoin('way', 'way.id', 'wait.way_id'), query)
          .where('wait.day', '>=', Math.floor(query.from / DAY_MS))
          .where('wait.day', '<', Math.ceil(query.to / DAY_MS))
          .select((row) => ['step', row.fn.sum<number>('sent').as('sent'), row.fn.sum<number>('lost').as('lost')])
          .groupBy('step')
          .orderBy('step'),
      );
    },
  };
}

function counted(from: Query, query: WayQuery) {
  return chosen(from.selectFrom('way_count').innerJoin('way', 'way.id', 'way_count.way_id'), query)
    .where('way_count.day', '>=', Math.floor(query.from / DAY_MS))
    .where('way_count.day', '<', Math.ceil(query.to / DAY_MS));
}

/** Of ways only those that are asked for. */
function chosen<Q extends { where(column: never, is: never, value: never): Q }>(rows: Q, query: WayQuery): Q {
  const { stream, domain, site, route, provider } = query;
  const wanted = { domain, site, route, provider, stream: stream === undefined ? undefined : STREAMS.indexOf(stream) };
  return Object.entries(wanted).reduce(
    (left, [column, value]) =>
      value === undefined ? left : left.where(`way.${column}` as never, '=' as never, value as never),
    rows,
  );
}

function columnOf(by: WayDimension | 'stream' | 'day') {
  return by === 'day' ? sql.ref<string | number>('way_count.day') : sql.ref<string | number>(`way.${by}`);
}

function nameOf(by: WayDimension | 'stream' | 'day', value: string | number): string | undefined {
  if (by === 'day') return dayName(value as number);
  if (by === 'stream') return STREAMS[value as number];
  return value === '' ? undefined : (value as string);
}
