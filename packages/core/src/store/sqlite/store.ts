import { resolveSuppression, type SuppressionPolicy } from '../../suppression-policy.ts';
import type { Store } from '../port.ts';
import { createActivityStore } from './activity.ts';
import { createBlobs } from './blobs.ts';
import { createClaims } from './claims.ts';
import { createConsequences } from './consequences.ts';
import { createDatabase } from './database.ts';
import { createFeedbackStore } from './feedback.ts';
import { createIntake, type MessageIdOf } from './intake.ts';
import { createLanes } from './lanes.ts';
import { createLedger } from './ledger.ts';
import { createLog } from './log.ts';
import { createQueueStore } from './queue.ts';
import { createRateLog } from './rates.ts';
import { createReportStore } from './reports.ts';
import { createSiteLanes } from './site-lanes.ts';
import { createSiteQueue } from './site-queue.ts';
import { createSubscriptionStore } from './subscriptions.ts';
import { createSuppressionStore } from './suppressions.ts';

/** The store in one SQLite file. */
export function createSqliteStore({
  path,
  messageIdOf,
  policy = resolveSuppression(),
}: {
  readonly path: string;
  readonly messageIdOf: MessageIdOf;
  /** What bounces in the session follow. @default that of the option */
  readonly policy?: SuppressionPolicy;
}): Store {
  const db = createDatabase(path);
  const ledger = createLedger(db);
  const suppressions = createSuppressionStore(db, ledger);
  const lanes = createLanes(db);
  const rates = createRateLog(db);
  const sites = createSiteLanes(db, lanes, rates);
  const activities = createActivityStore(db, ledger);
  const consequences = createConsequences(db, ledger, suppressions);
  const parts = { rates, lanes, claims: createClaims(db, ledger), sites, consequences, policy };
  return {
    intake: createIntake(db, ledger, messageIdOf),
    queue: createQueueStore(db, ledger, parts),
    sites: createSiteQueue(db, parts),
    log: createLog(db, ledger, messageIdOf, sites),
    suppressions,
    activity: activities,
    feedback: createFeedbackStore({ db, ledger, messageIdOf, activities, consequences }),
    reports: createReportStore(db),
    subscriptions: createSubscriptionStore(db, ledger),
    blobs: createBlobs(db),
    open: () => db.open(),
    close: () => db.close(),
    size: async () => ({ bytes: db.bytes() }),
  };
}
