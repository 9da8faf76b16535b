import type { Generated } from 'kysely';
import type { WayMetric } from '../report-port.ts';

/** Counts: per campaign (its id) and per stream (-1, -2), day (since the epoch) and metric (place in `METRICS`). */
interface ReportTable {
  scope: number;
  day: number;
  metric: number;
  n: number;
}

/** What mail had on its way; empty text is for what is not known, or not counted by name. */
interface WayTable {
  id: Generated<number>;
  route: string;
  provider: string;
  site: string;
  /** Place in `STREAMS`. */
  stream: number;
  domain: string;
  /** The last day with counts of it. */
  last_day: number;
}

/** Counts by way and day (since the epoch). */
type WayCountTable = { day: number; way_id: number } & Record<WayMetric, number>;

/** How long deferred mail waited, in steps. */
interface WaitTable {
  day: number;
  way_id: number;
  step: number;
  sent: number;
  lost: number;
}

/** What alerts look at: by hour (since the epoch) in which mails ended or were sent, and scope as in `report`. */
interface PulseTable {
  slot: number;
  scope: number;
  tried: number;
  sent: number;
  hard: number;
  complained: number;
}

/** Alerts that are not resolved. */
interface AlertTable {
  id: Generated<number>;
  scope: number;
  /** Place in `ALERT_KINDS`. */
  kind: number;
  threshold: number;
  since: number;
  /** What was counted as it was raised, and of how many. */
  n: number;
  total: number;
  window_ms: number;
}

interface LinkTable {
  id: Generated<number>;
  campaign_id: number;
  /** The address as it stands in the template. */
  form: string;
  total: Generated<number>;
  distinct_n: Generated<number>;
  total_human: Generated<number>;
  distinct_human: Generated<number>;
}

/** What reports and alerts are made of. */
export interface ReportTables {
  report: ReportTable;
  way: WayTable;
  way_count: WayCountTable;
  wait: WaitTable;
  pulse: PulseTable;
  alert: AlertTable;
  link: LinkTable;
}
