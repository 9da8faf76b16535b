import { breakdown } from '../report/breakdown.ts';
import { campaignReport, summaryReport } from '../report/figures.ts';
import { deferralReport } from '../report/waits.ts';
import type { Store } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';

/** Reports out of what the store has counted. */
export function createReporting({
  reports,
}: Pick<Store, 'reports'>): Pick<EngineApi, 'campaignReport' | 'summaryReport' | 'breakdown' | 'deferralReport'> {
  return {
    async campaignReport(name) {
      const counts = await reports.campaign(name);
      return counts && campaignReport(name, counts, await reports.links(name, 50));
    },
    summaryReport: async (query) => summaryReport(query, await reports.days(query)),
    breakdown: (by, query) => breakdown(reports, by, query),
    deferralReport: async (query) => deferralReport(query, await reports.waits(query)),
  };
}
