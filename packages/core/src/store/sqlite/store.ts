import type { Store } from '../port.ts';
import { createActivityStore } from './activity.ts';
import { createBlobs } from './blobs.ts';
import { createClaims } from './claims.ts';
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
import { createSuppressionStore } from './suppressions.ts';

/** The store in one SQLite file. */
export function createSqliteStore({
  path,
  messageIdOf,
}: {
  readonly path: string;
  readonly messageIdOf: MessageIdOf;
}): Store {
  const db = createDatabase(path);
  const ledger = createLedger(db);
  const suppressions = createSuppressionStore(db, ledger);
  const lanes = createLanes(db);
  const rates = createRateLog(db);
  const sites = createSiteLanes(db, lanes, rates);
  const parts = { rates, lanes, claims: createClaims(db, ledger), sites };
  return {
    intake: createIntake(db, ledger, messageIdOf),
    queue: createQueueStore(db, ledger, suppressions, parts),
    sites: createSiteQueue(db, parts),
    log: createLog(db, ledger, messageIdOf, sites),
    suppressions,
    activity: createActivityStore(db, ledger),
    feedback: createFeedbackStore(db, ledger, suppressions),
    reports: createReportStore(db),
    blobs: createBlobs(db),
    open: () => db.open(),
    close: () => db.close(),
    size: async () => ({ bytes: db.bytes() }),
  };
}
