import { METRICS, type Metric, type ReportStore } from '../port.ts';
import type { Database, Row } from './database.ts';
import { STREAMS } from './ledger.ts';

const DAY_MS = 86_400_000;

/** Counts in SQLite. */
export function createReportStore(db: Database): ReportStore {
  return {
    async campaign(name) {
      const campaign = db.get('SELECT id FROM campaign WHERE name = ?', name);
      if (campaign === undefined) return undefined;
      return countsOf(
        db.all('SELECT metric, sum(n) AS n FROM report WHERE scope = ? GROUP BY metric', campaign.id as number),
      );
    },
    async links(campaign, limit) {
      const rows = db.all(
        'SELECT l.* FROM link l JOIN campaign c ON c.id = l.campaign_id WHERE c.name = ? ORDER BY l.unique_human DESC, l.total DESC, l.url LIMIT ?',
        campaign,
        limit,
      );
      return rows.map((row) => ({
        url: row.url as string,
        unique: Number(row.unique_n),
        total: Number(row.total),
        uniqueHuman: Number(row.unique_human),
        totalHuman: Number(row.total_human),
      }));
    },
    async days({ from, to, stream }) {
      const scopes = STREAMS.filter((one) => stream === undefined || one === stream).map(
        (one) => -1 - STREAMS.indexOf(one),
      );
      const rows = db.all(
        `SELECT day, metric, sum(n) AS n FROM report WHERE scope IN (${scopes.join(', ')}) AND day >= ? AND day < ? GROUP BY day, metric ORDER BY day`,
        Math.floor(from / DAY_MS),
        Math.ceil(to / DAY_MS),
      );
      return [...Map.groupBy(rows, (row) => Number(row.day))].map(([day, counts]) => ({
        day: new Date(day * DAY_MS).toISOString().slice(0, 10),
        counts: countsOf(counts),
      }));
    },
  };
}

function countsOf(rows: readonly Row[]): Readonly<Record<Metric, number>> {
  const counts = Object.fromEntries(METRICS.map((metric) => [metric, 0])) as Record<Metric, number>;
  for (const row of rows) {
    const metric = METRICS[Number(row.metric)];
    if (metric !== undefined) counts[metric] = Number(row.n);
  }
  return counts;
}
