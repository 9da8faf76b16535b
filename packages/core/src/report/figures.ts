import type { Stream } from '../message.ts';
import type { LinkCount } from '../store/port.ts';
import { METRICS, type Metric } from '../store/port.ts';
import type { CampaignReport, Counts, Figures, Rates, SummaryReport } from './port.ts';

/** Figures and rates out of counts. */
function figuresOf(counts: Counts): Figures {
  const final = counts.sent + counts.bounced + counts.failed + counts.suppressed + counts.cancelled;
  return {
    accepted: counts.accepted,
    pending: Math.max(0, counts.accepted - final),
    sent: counts.sent,
    deferred: counts.deferred,
    deferrals: counts.deferrals,
    bounced: counts.bounced,
    failed: counts.failed,
    suppressed: counts.suppressed,
    cancelled: counts.cancelled,
    complained: counts.complained,
    unsubscribed: counts.unsubscribed,
    resubscribed: counts.resubscribed,
    opens: {
      unique: counts.opensUnique,
      total: counts.opensTotal,
      human: { unique: counts.opensUniqueHuman, total: counts.opensTotalHuman },
    },
    clicks: {
      unique: counts.clicksUnique,
      total: counts.clicksTotal,
      human: { unique: counts.clicksUniqueHuman, total: counts.clicksTotalHuman },
    },
    rates: ratesOf(counts),
  };
}

function ratesOf(counts: Counts): Rates {
  const tried = counts.sent + counts.bounced + counts.failed;
  const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole);
  return {
    delivery: share(counts.sent, tried),
    bounce: share(counts.bounced, tried),
    open: share(counts.opensUniqueHuman, counts.sent),
    click: share(counts.clicksUniqueHuman, counts.sent),
    clickToOpen: share(counts.clicksUniqueHuman, counts.opensUniqueHuman),
    unsubscribe: share(counts.unsubscribed, counts.sent),
    complaint: share(counts.complained, counts.sent),
  };
}

/** The report of one campaign. */
export function campaignReport(campaign: string, counts: Counts, links: readonly LinkCount[]): CampaignReport {
  return { campaign, ...figuresOf(counts), links };
}

/** The report of a span of days. */
export function summaryReport(
  query: { readonly from: number; readonly to: number; readonly stream: Stream | undefined },
  days: readonly { readonly day: string; readonly counts: Counts }[],
): SummaryReport {
  const total = Object.fromEntries(
    METRICS.map((metric) => [metric, days.reduce((sum, { counts }) => sum + counts[metric], 0)]),
  ) as Record<Metric, number>;
  return {
    from: new Date(query.from),
    to: new Date(query.to),
    stream: query.stream,
    ...figuresOf(total),
    days: days.map(({ day, counts }) => ({ day, ...figuresOf(counts) })),
  };
}
