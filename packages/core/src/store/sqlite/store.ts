import { resolveSuppression, type SuppressionPolicy } from '../../suppression-policy.ts';
import type { Store } from '../port.ts';
import { createActivityStore } from './activity.ts';
import { createAlertStore } from './alerts.ts';
import { createBlobs } from './blobs.ts';
import { createClaims } from './claims.ts';
import { createConsequences } from './consequences.ts';
import { createDatabase } from './database.ts';
import { createDomainSites } from './domain-sites.ts';
import { createEndpointStore } from './endpoints.ts';
import { createFeedbackStore } from './feedback.ts';
import { createIntake, type MessageIdOf } from './intake.ts';
import { createLanes } from './lanes.ts';
import { createLedger } from './ledger.ts';
import { createLog } from './log.ts';
import { createNotices } from './notices.ts';
import { createQueueStore } from './queue.ts';
import { createRateLog } from './rates.ts';
import { createReportSweep } from './report-sweep.ts';
import { createReportStore } from './reports.ts';
import { createSiteLanes } from './site-lanes.ts';
import { createSiteQueue } from './site-queue.ts';
import { createSubscriptionRows } from './subscription-rows.ts';
import { createSubscriptionStore } from './subscriptions.ts';
import { createSuppressionStore } from './suppressions.ts';
import type { WayNames } from './way-counts.ts';

/** Combinations of domain, site, route and stream that one day counts by name; what is over is counted together. */
const WAYS_PER_DAY = 2000;

/** The store in one SQLite file. */
export function createSqliteStore({
  path,
  messageIdOf,
  policy = resolveSuppression(),
  providerOf = () => '',
  siteOf = () => undefined,
  waysPerDay = WAYS_PER_DAY,
}: {
  readonly path: string;
  readonly messageIdOf: MessageIdOf;
  /** What bounces in the session follow. @default that of the option */
  readonly policy?: SuppressionPolicy;
  /** Whose servers a route speaks with. @default not known */
  readonly providerOf?: WayNames['providerOf'];
  /** The site behind a domain, for mail whose lane has none. @default not known */
  readonly siteOf?: WayNames['siteOf'];
  /** Ways that are counted by name on one day. @default 2000 */
  readonly waysPerDay?: number;
}): Store {
  const db = createDatabase(path);
  const lanes = createLanes(db);
  const ledger = createLedger(db, { lanes, providerOf, siteOf, waysPerDay });
  const suppressions = createSuppressionStore(db, ledger);
  const rates = createRateLog(db);
  const sites = createSiteLanes(db, lanes, rates);
  const activities = createActivityStore(db, ledger);
  const consequences = createConsequences(db, ledger, suppressions);
  const notices = createNotices(db);
  const rows = createSubscriptionRows(db);
  const subscriptions = createSubscriptionStore(db, { rows, ledger, notices });
  const domains = createDomainSites(db);
  const sweepReports = createReportSweep(db);
  const parts = {
    rates,
    lanes,
    claims: createClaims(db, ledger),
    sites,
    consequences,
    domains,
    policy,
    sweep(now: number) {
      sweepReports(now);
      domains.sweep(now);
    },
  };
  return {
    intake: createIntake(db, ledger, messageIdOf),
    queue: createQueueStore(db, ledger, parts),
    sites: createSiteQueue(db, parts),
    log: createLog(db, ledger, messageIdOf, sites),
    suppressions,
    activity: activities,
    feedback: createFeedbackStore({ db, ledger, messageIdOf, activities, consequences }),
    reports: createReportStore(db),
    subscriptions,
    endpoints: createEndpointStore(db, rows, subscriptions.remove),
    alerts: createAlertStore(db, notices),
    blobs: createBlobs(db),
    open: () => db.open(),
    close: () => db.close(),
    size: async () => ({ bytes: db.bytes() }),
  };
}
