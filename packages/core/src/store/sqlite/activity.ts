import type { MessageEvent } from '../../events.ts';
import type { Activity, ActivityStore, DeliveryActivity } from '../port.ts';
import type { Database } from './database.ts';
import { countOnce, type FirstFigure } from './first-days.ts';
import { FLAGS, type Ledger, type MessageFacts } from './ledger.ts';
import { createLinks } from './links.ts';
import { createRecentClicks } from './recent-clicks.ts';

/** What is known of a delivery before something is counted. */
interface Reader {
  readonly message_id: number;
  readonly lane_id: number;
  readonly recipient: string;
  readonly sent_at: number | null;
  readonly flags: number;
  readonly clicked: string | null;
  readonly firsts: string | null;
}

/** What changes of a delivery. */
type Kept = Pick<Reader, 'flags' | 'clicked' | 'firsts'>;

/** Bits of a link in `delivery.clicked`. */
const LINK = { clicked: 1, byHuman: 2 } as const;

/** What readers do, and how other changes add to it. */
export interface Activities extends ActivityStore {
  /** Records one. Inside of `write`. */
  recordNow(activity: Activity): MessageEvent[];
}

/** What readers do, in SQLite. */
export function createActivityStore(db: Database, ledger: Ledger): Activities {
  const links = createLinks(db);
  const recentClicks = createRecentClicks(db);
  const find = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('delivery')
      .select(['message_id', 'lane_id', 'recipient', 'sent_at', 'flags', 'clicked', 'firsts'])
      .where('id', '=', id),
  );
  const mark = db.prepare((query, p: { id: number } & Kept) =>
    query.updateTable('delivery').set({ flags: p.flags, clicked: p.clicked, firsts: p.firsts }).where('id', '=', p.id),
  );

  /** Counts a click of a link, and answers what the delivery keeps of it. */
  function countClick(
    campaign: number,
    { url, form }: Activity,
    human: boolean,
    clicked: string | null,
  ): string | null {
    if (url === undefined) return clicked;
    const link = links.idOf(campaign, form ?? url);
    const kept = (clicked === null ? {} : JSON.parse(clicked)) as Record<number, number>;
    const before = kept[link] ?? 0;
    const first = (before & LINK.clicked) === 0;
    const firstHuman = human && (before & LINK.byHuman) === 0;
    links.count(link, { human, first, firstHuman });
    if (!first && !firstHuman) return clicked;
    return JSON.stringify({ ...kept, [link]: before | LINK.clicked | (human ? LINK.byHuman : 0) });
  }

  /** Counts what counts once beside what `firsts` says; answers the days that the delivery keeps. */
  function counted(
    row: Reader,
    firsts: string | null,
    facts: MessageFacts,
    figure: FirstFigure,
    flag: number,
    at: number,
  ): string | null {
    return countOnce(ledger, firsts, { delivery: row, facts, figure, counted: (row.flags & flag) !== 0, at });
  }

  /** What a reader does again changes nothing of the row, and costs no page of the disk. */
  function keep(id: number, row: Kept, { flags, clicked, firsts }: Kept): void {
    if (flags !== row.flags || clicked !== row.clicked || firsts !== row.firsts)
      mark.run({ id, flags, clicked, firsts });
  }

  function countReading(id: number, row: Reader, facts: MessageFacts, activity: Activity): void {
    const { type, at, agent } = activity;
    const human = isHuman(agent?.kind);
    const [name, flag, humanFlag] =
      type === 'opened'
        ? (['opens', FLAGS.opened, FLAGS.openedHuman] as const)
        : (['clicks', FLAGS.clicked, FLAGS.clickedHuman] as const);
    ledger.countOf(row, facts, `${name}Total`, at);
    let firsts = counted(row, row.firsts, facts, `${name}Unique`, flag, at);
    if (human) {
      ledger.countOf(row, facts, `${name}TotalHuman`, at);
      firsts = counted(row, firsts, facts, `${name}UniqueHuman`, humanFlag, at);
    }
    if (type === 'clicked') recentClicks.add(id, at);
    const flags = row.flags | flag | (human ? humanFlag : 0);
    const clicked =
      type === 'clicked' && facts.campaignId !== undefined
        ? countClick(facts.campaignId, activity, human, row.clicked)
        : row.clicked;
    keep(id, row, { flags, clicked, firsts });
  }

  /** Mail that is read has gone out, and it goes out from its tables: only what is not there is looked for in the journal. */
  function readerOf(id: number): Reader | undefined {
    return db.asTheyAre(() => find.get({ id })) ?? find.get({ id });
  }

  function recordOne(deliveryId: number, activityOf: (row: Reader) => Activity | undefined): MessageEvent[] {
    const row = readerOf(deliveryId);
    const activity = row && activityOf(row);
    return row === undefined || activity === undefined ? [] : db.asTheyAre(() => recordOf(row, activity));
  }

  function recordNow(activity: Activity): MessageEvent[] {
    return recordOne(activity.deliveryId, () => activity);
  }

  function knownOf(row: Reader, { deliveryId, at }: Pick<Activity, 'deliveryId' | 'at'>): DeliveryActivity {
    return {
      messageId: row.message_id,
      sentAt: row.sent_at ?? undefined,
      recentClicks: (row.flags & FLAGS.clicked) === 0 ? 0 : recentClicks.count(deliveryId, at),
    };
  }

  function recordOf(row: Reader, activity: Activity): MessageEvent[] {
    const { type, at, deliveryId: id, form, ...detail } = activity;
    const facts = ledger.message(row.message_id);
    if (facts === undefined) return [];
    if (type === 'unsubscribed') {
      const firsts = counted(row, row.firsts, facts, type, FLAGS.unsubscribed, at);
      keep(id, row, { flags: row.flags | FLAGS.unsubscribed, clicked: row.clicked, firsts });
      if ((row.flags & FLAGS.unsubscribed) !== 0) return [];
    } else if (type === 'resubscribed') {
      ledger.countOf(row, facts, type, at);
    } else countReading(id, row, facts, activity);
    // Links that differ by recipient have a form, and mail that is no campaign's may have links of its own.
    const sharesUrl = detail.link !== undefined && form === undefined && facts.campaignId !== undefined;
    return [ledger.event({ id, recipient: row.recipient }, facts, type, at, detail, { sharesUrl })];
  }

  return {
    recordNow,
    record: (activities) => db.write(() => activities.flatMap(recordNow)),
    read: (readings, activityOf) =>
      db.write(() =>
        readings.flatMap((reading) =>
          recordOne(reading.deliveryId, (row) => activityOf(reading, knownOf(row, reading))),
        ),
      ),
  };
}

function isHuman(kind: string | undefined): boolean {
  return kind === 'human' || kind === 'proxy';
}
