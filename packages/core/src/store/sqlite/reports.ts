import { METRICS, type Metric, type ReportStore } from '../port.ts';
import type { NamedCounts } from '../report-port.ts';
import type { Database } from './database.ts';
import { STREAMS } from './ledger.ts';
import { createWayReports, DAY_MS, dayName } from './way-reports.ts';

/** Counts in SQLite. */
export function createReportStore(db: Database): ReportStore {
  const findCampaign = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('campaign').select('id').where('name', '=', name),
  );
  const sums = db.prepare((query, { scope }: { scope: number }) =>
    query
      .selectFrom('report')
      .select((row) => ['metric', row.fn.sum<number>('n').as('n')])
      .where('scope', '=', scope)
      .groupBy('metric'),
  );
  const topLinks = db.prepare((query, { campaign, limit }: { campaign: number; limit: number }) =>
    query
      .selectFrom('link')
      .selectAll()
      .where('campaign_id', '=', campaign)
      .orderBy('distinct_human', 'desc')
      .orderBy('total', 'desc')
      .orderBy('form')
      .limit(limit),
  );

  return {
    async campaign(name) {
      const campaign = findCampaign.get({ name });
      return campaign && countsOf(sums.all({ scope: campaign.id }));
    },
    async links(name, limit) {
      const campaign = findCampaign.get({ name });
      if (campaign === undefined) return [];
      return topLinks.all({ campaign: campaign.id, limit }).map((row) => ({
        url: row.form,
        unique: row.distinct_n,
        total: row.total,
        uniqueHuman: row.distinct_human,
        totalHuman: row.total_human,
      }));
    },
    async days({ from, to, stream }) {
      const scopes = STREAMS.filter((one) => stream === undefined || one === stream).map(
        (one) => -1 - STREAMS.indexOf(one),
      );
      const rows = db.select((query) =>
        query
          .selectFrom('report')
          .select((row) => ['day', 'metric', row.fn.sum<number>('n').as('n')])
          .where('scope', 'in', scopes)
          .where('day', '>=', Math.floor(from / DAY_MS))
          .where('day', '<', Math.ceil(to / DAY_MS))
          .groupBy(['day', 'metric'])
          .orderBy('day'),
      );
      return named(rows.map(({ day, ...row }) => ({ ...row, name: dayName(day) }))).map(({ name = '', counts }) => ({
        day: name,
        counts,
      }));
    },
    async campaigns({ from, to }) {
      const rows = db.select((query) =>
        query
          .selectFrom('report')
          .innerJoin('campaign', 'campaign.id', 'report.scope')
          .select((row) => ['campaign.name', 'metric', row.fn.sum<number>('n').as('n')])
          .where('scope', '>', 0)
          .where('day', '>=', Math.floor(from / DAY_MS))
          .where('day', '<', Math.ceil(to / DAY_MS))
          .groupBy(['campaign.name', 'metric'])
          .orderBy('campaign.name'),
      );
      return named(rows);
    },
    async campaignDays({ campaign, from, to }) {
      const known = findCampaign.get({ name: campaign });
      if (known === undefined) return undefined;
      const rows = db.select((query) =>
        query
          .selectFrom('report')
          .select(['day', 'metric', 'n'])
          .where('scope', '=', known.id)
          .where('day', '>=', Math.floor(from / DAY_MS))
          .where('day', '<', Math.ceil(to / DAY_MS))
          .orderBy('day'),
      );
      return named(rows.map(({ day, metric, n }) => ({ name: dayName(day), metric, n })));
    },
    ...createWayReports(db),
  };
}

function named(
  rows: readonly { readonly name: string; readonly metric: number; readonly n: number }[],
): NamedCounts<Metric>[] {
  // What counted there may have moved to an earlier day.
  const left = rows.filter(({ n }) => n !== 0);
  return [...Map.groupBy(left, ({ name }) => name)].map(([name, counts]) => ({ name, counts: countsOf(counts) }));
}

function countsOf(rows: readonly { readonly metric: number; readonly n: number }[]): Readonly<Record<Metric, number>> {
  const counts = Object.fromEntries(METRICS.map((metric) => [metric, 0])) as Record<Metric, number>;
  for (const row of rows) {
    const metric = METRICS[row.metric];
    if (metric !== undefined) counts[metric] = row.n;
  }
  return counts;
}
