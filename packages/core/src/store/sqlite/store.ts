import type { QueueStore } from '../../queue/port.ts';
import { resolveSuppression, type SuppressionPolicy } from '../../suppression-policy.ts';
import type { HostApi } from '../../thread/port.ts';
import type { Store } from '../port.ts';
import { createActivityStore } from './activity.ts';
import { createAlertStore } from './alerts.ts';
import { createBlobs } from './blobs.ts';
import { createClaims } from './claims.ts';
import { createConsequences } from './consequences.ts';
import { createDatabase } from './database.ts';
import type { Disk } from './disk.ts';
import { createDomainSites } from './domain-sites.ts';
import { createDoubts } from './doubts.ts';
import { createEndpointStore } from './endpoints.ts';
import { createFeedbackStore } from './feedback.ts';
import { createIntake, type MessageIdOf } from './intake.ts';
import { createJournal } from './journal.ts';
import type { Journal } from './journal-port.ts';
import { createLanes } from './lanes.ts';
import { createLedger } from './ledger.ts';
import { createLog } from './log.ts';
import { createNotices } from './notices.ts';
import { createQueueStore } from './queue.ts';
import { createRateLog } from './rates.ts';
import { createReportSweep } from './report-sweep.ts';
import { createReportStore } from './reports.ts';
import { createScreened } from './screened.ts';
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
  log = () => {},
  openDisk,
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
  /** Told what cannot be stored although it was answered. @default nobody */
  readonly log?: HostApi['log'];
  /** Keeps the log of the database. @default on the disk, while this thread goes on */
  readonly openDisk?: (log: string) => Disk;
}): Store {
  const db = createDatabase(path, openDisk);
  const lanes = createLanes(db);
  const ledger = createLedger(db, { lanes, providerOf, siteOf, waysPerDay });
  const screened = createScreened(db);
  const suppressions = createSuppressionStore(db, ledger, screened);
  const rates = createRateLog(db);
  const sites = createSiteLanes(db, lanes, rates);
  const journal = createJournal(db, log);
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
    claims: createClaims(db, ledger, screened),
    sites,
    consequences,
    domains,
    policy,
    sweep(now: number) {
      sweepReports(now);
      domains.sweep(now);
    },
  };
  /** Methods that take the tables as they are, whatever the journal has. */
  function asTheyAre<T extends object>(whole: T, names: readonly (keyof T)[]): T {
    const taken = names.map((name) => {
      const method = whole[name] as (...parameters: unknown[]) => unknown;
      return [name, (...parameters: unknown[]) => db.asTheyAre(() => method(...parameters))] as const;
    });
    return { ...whole, ...Object.fromEntries(taken) };
  }

  return {
    intake: createIntake(db, { ledger, journal, messageIdOf }),
    // What is on its way, or looks for it, is in its tables.
    queue: asTheyAre(withJournal(createQueueStore(db, ledger, parts), journal), [
      'settle',
      'started',
      'beat',
      'nextDueAt',
      'nextSlotAt',
    ]),
    sites: asTheyAre(createSiteQueue(db, parts), ['sort', 'readyAt', 'sitesOf', 'keepSites', 'applyRule', 'lane']),
    log: asTheyAre(createLog(db, ledger, messageIdOf, sites), ['content', 'labels']),
    // No entry of the journal changes the list.
    suppressions: asTheyAre(suppressions, ['find']),
    activity: activities,
    feedback: createFeedbackStore({
      db,
      ledger,
      messageIdOf,
      activities,
      consequences,
      doubts: createDoubts(db, ledger, sites),
    }),
    reports: createReportStore(db),
    subscriptions,
    endpoints: createEndpointStore(db, rows, subscriptions.remove),
    alerts: createAlertStore(db, notices),
    blobs: createBlobs(db),
    async open() {
      await db.open();
      try {
        journal.recover();
      } catch (error) {
        await db.close();
        throw error;
      }
    },
    posted: journal.posted,
    async close() {
      journal.close();
      await db.close();
    },
    size: async () => ({ bytes: db.bytes() }),
  };
}

/** Results in one piece that say that mail goes out in numbers: the thread has enough to do. */
const NUMBERS = 16;

/** With each beat, what processes that are gone have left is posted. */
function withJournal(queue: QueueStore, journal: Journal): QueueStore {
  return {
    ...queue,
    beat(owner, options) {
      journal.adopt();
      return queue.beat(owner, options);
    },
    settle(settlements, options) {
      if (settlements.length >= NUMBERS) journal.press();
      return queue.settle(settlements, options);
    },
  };
}
