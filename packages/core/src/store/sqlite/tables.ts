import type { Generated } from 'kysely';
import type { ReportTables } from './report-tables.ts';
import type { SubscriptionTables } from './subscription-tables.ts';

/** What all deliveries of a message share; messages that say the same share it too. */
interface ContentTable {
  id: Generated<number>;
  json: string;
}

interface CampaignTable {
  id: Generated<number>;
  name: string;
}

interface LaneTable {
  id: Generated<number>;
  route: string;
  /** Empty for the lane that mail of a route and a stream comes into. */
  site: Generated<string>;
  /** Place in `STREAMS`. */
  stream: number;
  paused: Generated<number>;
  /** When a process that has the route was last seen. */
  known_at: Generated<number>;
  /** Of a site: when something in it may start; null where nothing waits for a time alone. */
  ready_at: Generated<number | null>;
  /** Of a site: deliveries that are handed out. */
  held: Generated<number>;
  /** Of a site: 1 where its servers answered the last time, -1 where they did not, 0 where they were never asked. */
  answers: Generated<number>;
  /** JSON of the rule that acts on it. */
  rule: Generated<string | null>;
}

/** A text that many events share. */
interface PhraseTable {
  id: Generated<number>;
  text: string;
}

/** The site behind a recipient's domain, until it has to be looked up again. */
interface DomainSiteTable {
  domain: string;
  site: string;
  until: number;
}

interface MessageTable {
  id: number;
  content_id: number;
  campaign_id: number | null;
  lane_id: number;
  send_at: number | null;
  created_at: number;
  /** JSON of tags and metadata. */
  extra: string | null;
}

interface DeliveryTable {
  id: number;
  message_id: number;
  lane_id: number;
  recipient: string;
  /** Place in `RECIPIENT_KINDS`. */
  kind: number;
  /** Place in `DELIVERY_STATES`. */
  state: number;
  /** What was counted once: bits of `FLAGS`. */
  flags: Generated<number>;
  /** JSON of the links that were clicked: bits by the link's number. */
  clicked: Generated<string | null>;
  /** Days on which it counts for what counts once, see `first-days.ts`. */
  firsts: Generated<string | null>;
  attempts: Generated<number>;
  accepted_at: number;
  /** Set while it waits, and only then. */
  due_at: number | null;
  updated_at: number;
  sent_at: number | null;
  /** The process that has it in its hands. */
  owner: number | null;
  /** Last reply of a server, or why it is held, failed or suppressed. */
  reason: string | null;
  /** JSON of what the recipient has of its own. */
  data: string | null;
}

interface EventTable {
  delivery_id: number;
  id: number;
  /** Place in `EVENT_TYPES`. */
  type: number;
  at: number;
  /** See `detail.ts`. */
  detail: string | null;
}

interface SuppressionTable {
  address: string;
  scope: string;
  reason: string;
  evidence: string | null;
  since: number;
  /** When it ends; null for never. */
  until: number | null;
  /** When it was lifted, and what was noted. */
  lifted_at: number | null;
  note: string | null;
}

/** Feedback that has come, by the hash of its id, so that it counts once. */
interface SeenTable {
  id: number;
  at: number;
}

/** Feedback about mail that is not known here. */
interface UnmatchedTable {
  id: number;
  json: string;
}

/** Soft bounces that count towards a suppression. */
interface SoftBounceTable {
  address: string;
  at: number;
  delivery_id: number;
}

/** Mail that was answered, and is not in its own tables yet. */
interface JournalTable {
  id: number;
  /** By the clock of the machine, ms. */
  at: number;
  json: string;
  /** When it could not be posted; tried again by the next process that opens the file. */
  failed_at: Generated<number | null>;
}

interface IdempotencyTable {
  key: string;
  hash: string;
  message_id: number;
  created_at: number;
}

interface BlobTable {
  /** Place in `BLOB_KINDS`. */
  kind: number;
  key: string;
  at: number;
  bytes: Uint8Array;
}

/** Processes that deliver, and when each last said so. */
interface OwnerTable {
  id: Generated<number>;
  pid: number;
  host: string;
  beat_at: number;
  /** JSON: names of the routes that it is configured with. */
  routes: string;
}

/** Starts of a rated route, counted until `bucket_end` and a window. */
interface RateStartTable {
  route: string;
  bucket_end: number;
  n: number;
}

/** Starts that a process may still make: what it has claimed, and not said to have begun. */
interface RateReservedTable {
  owner: number;
  route: string;
  n: number;
}

/** Temporary: the deliveries that a run under an idempotency key has named. On disk, as a list may be of any length. */
interface RunTable {
  run: number;
  delivery_id: number;
}

/** One row: the last id that was given away, and the types of events that go into the feed, as bits. */
interface SequenceTable {
  last_id: number;
  wanted: Generated<number>;
}

/** The tables of the store. */
export interface Tables extends ReportTables, SubscriptionTables {
  content: ContentTable;
  campaign: CampaignTable;
  lane: LaneTable;
  domain_site: DomainSiteTable;
  message: MessageTable;
  delivery: DeliveryTable;
  event: EventTable;
  suppression: SuppressionTable;
  journal: JournalTable;
  phrase: PhraseTable;
  idempotency: IdempotencyTable;
  blob: BlobTable;
  owner: OwnerTable;
  rate_start: RateStartTable;
  rate_reserved: RateReservedTable;
  run: RunTable;
  sequence: SequenceTable;
  seen: SeenTable;
  unmatched: UnmatchedTable;
  soft_bounce: SoftBounceTable;
}
