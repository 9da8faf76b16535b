import { STREAMS } from '../message.ts';
import { type NamedCounts, type ReportStore, WAY_DIMENSIONS, WAY_METRICS, type WayMetric } from '../store/port.ts';
import { outcomesOf } from './figures.ts';
import type { Breakdown, BreakdownQuery, OutcomeCounts, OutcomeFigures, ReportDimension, ReportOrder } from './port.ts';

/** Reports by a dimension; undefined where the campaign that is asked for never was. */
export async function breakdown(
  store: Pick<ReportStore, 'ways' | 'days' | 'campaigns' | 'campaignDays'>,
  by: ReportDimension,
  query: BreakdownQuery,
): Promise<Breakdown | undefined> {
  const found = await countsOf(store, by, query);
  if (found === undefined) return undefined;
  const rows = found
    .map(({ name, counts }) => ({ name, ...outcomesOf(counts) }))
    .filter(({ tried }) => tried >= query.minVolume)
    .sort(comparing(query.order))
    .slice(0, query.limit);
  const { from, to } = query;
  return {
    by,
    from: new Date(from),
    to: new Date(to),
    total: outcomesOf(sumOf(found.map(({ counts }) => counts))),
    rows,
    more: found.length - rows.length,
  };
}

async function countsOf(
  store: Pick<ReportStore, 'ways' | 'days' | 'campaigns' | 'campaignDays'>,
  by: ReportDimension,
  query: BreakdownQuery,
): Promise<readonly NamedCounts<WayMetric>[] | undefined> {
  const { from, to, campaign, stream } = query;
  if (campaign !== undefined) return store.campaignDays({ campaign, from, to });
  if (by === 'campaign') return store.campaigns({ from, to });
  if ((by !== 'day' && by !== 'stream') || WAY_DIMENSIONS.some((one) => query[one] !== undefined))
    return store.ways(by, query);
  // Counts by day and stream are kept for ever.
  if (by === 'day') return (await store.days({ from, to, stream })).map(({ day, counts }) => ({ name: day, counts }));
  const streams = STREAMS.filter((one) => stream === undefined || one === stream);
  const days = await Promise.all(streams.map((one) => store.days({ from, to, stream: one })));
  return streams.flatMap((name, index) => {
    const counts = (days[index] ?? []).map((day) => day.counts);
    return counts.length === 0 ? [] : [{ name, counts: sumOf(counts) }];
  });
}

function sumOf(all: readonly OutcomeCounts[]): OutcomeCounts {
  const sums = Object.fromEntries(WAY_METRICS.map((metric) => [metric, 0])) as Record<WayMetric, number>;
  for (const counts of all) for (const metric of WAY_METRICS) sums[metric] += counts[metric];
  return sums;
}

type Row = OutcomeFigures & { readonly name: string | undefined };

/** What has no name comes last among its equals. */
function comparing(order: ReportOrder): (one: Row, other: Row) => number {
  const name = ({ name: text = '\uffff' }: Row): string => text;
  const byName = (one: Row, other: Row): number => (name(one) < name(other) ? -1 : name(one) > name(other) ? 1 : 0);
  if (order === 'name') return byName;
  const of = (row: Row): number => (order === 'tried' ? row.tried : (row.rates[order] ?? -1));
  return (one, other) => of(other) - of(one) || other.tried - one.tried || byName(one, other);
}
