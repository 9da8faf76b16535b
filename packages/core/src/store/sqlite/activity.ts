import { EVENT_TYPES, type MessageEvent } from '../../events.ts';
import type { Activity, ActivityStore, DeliveryActivity } from '../port.ts';
import type { Database } from './database.ts';
import { unpackDetail } from './detail.ts';
import { FLAGS, type Ledger, type MessageFacts } from './ledger.ts';

const RECENT_MS = 10_000;
const CLICKED = EVENT_TYPES.indexOf('clicked');

/** What readers do, in SQLite. */
export function createActivityStore(db: Database, ledger: Ledger): ActivityStore {
  const find = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select(['message_id', 'recipient', 'sent_at', 'flags']).where('id', '=', id),
  );
  const setFlag = db.prepare((query, p: { id: number; flag: number }) =>
    query
      .updateTable('delivery')
      .set((row) => ({ flags: row('flags', '|', p.flag) }))
      .where('id', '=', p.id)
      .where((row) => row(row('flags', '&', p.flag), '=', 0)),
  );
  const recentClicks = db.prepare((query, p: { id: number; since: number }) =>
    query
      .selectFrom('event')
      .select((row) => row.fn.countAll<number>().as('n'))
      .where('delivery_id', '=', p.id)
      .where('type', '=', CLICKED)
      .where('at', '>', p.since),
  );
  const clicks = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('event').select(['detail', 'at']).where('delivery_id', '=', id).where('type', '=', CLICKED),
  );
  const countLink = db.prepare(
    (query, p: { campaign: number; form: string; first: number; human: number; firstHuman: number }) =>
      query
        .insertInto('link')
        .values({
          campaign_id: p.campaign,
          form: p.form,
          total: 1,
          distinct_n: p.first,
          total_human: p.human,
          distinct_human: p.firstHuman,
        })
        .onConflict((conflict) =>
          conflict.columns(['campaign_id', 'form']).doUpdateSet((row) => ({
            total: row('link.total', '+', 1),
            distinct_n: row('link.distinct_n', '+', row.ref('excluded.distinct_n')),
            total_human: row('link.total_human', '+', row.ref('excluded.total_human')),
            distinct_human: row('link.distinct_human', '+', row.ref('excluded.distinct_human')),
          })),
        ),
  );

  const once = (id: number, flag: number): boolean => setFlag.run({ id, flag }) > 0;

  function countReading(id: number, facts: MessageFacts, activity: Activity): void {
    const { type, at, agent } = activity;
    const human = isHuman(agent?.kind);
    const name = type === 'opened' ? 'opens' : 'clicks';
    ledger.count(facts, `${name}Total`, at);
    const first = once(id, type === 'opened' ? FLAGS.opened : FLAGS.clicked);
    if (first) ledger.count(facts, `${name}Unique`, at);
    if (human) {
      ledger.count(facts, `${name}TotalHuman`, at);
      if (once(id, type === 'opened' ? FLAGS.openedHuman : FLAGS.clickedHuman))
        ledger.count(facts, `${name}UniqueHuman`, at);
    }
    if (type === 'clicked' && facts.campaignId !== undefined) countClick(id, facts.campaignId, human, first, activity);
  }

  /** @param first - nothing in this mail was clicked before */
  function countClick(id: number, campaign: number, human: boolean, first: boolean, activity: Activity): void {
    const { url, link, form } = activity;
    if (url === undefined) return;
    const earlier = first ? [] : clicks.all({ id });
    const before = earlier
      .map(({ detail, at }) => unpackDetail(JSON.parse(detail ?? '{}'), { at, route: '' }) as Partial<Activity>)
      .filter((click) => (form === undefined ? click.url === url : click.link === link));
    const humanBefore = before.some(({ agent }) => isHuman(agent?.kind));
    countLink.run({
      campaign,
      form: form ?? url,
      first: before.length === 0 ? 1 : 0,
      human: human ? 1 : 0,
      firstHuman: human && !humanBefore ? 1 : 0,
    });
  }

  function look(deliveryId: number, now = Number.POSITIVE_INFINITY): DeliveryActivity | undefined {
    const row = find.get({ id: deliveryId });
    if (row === undefined) return undefined;
    const clicked = (row.flags & FLAGS.clicked) !== 0;
    return {
      messageId: row.message_id,
      recipient: row.recipient,
      sentAt: row.sent_at ?? undefined,
      recentClicks: clicked ? (recentClicks.get({ id: deliveryId, since: now - RECENT_MS })?.n ?? 0) : 0,
    };
  }

  return {
    look,
    record: (activities) =>
      db.write(() =>
        activities.flatMap((activity): MessageEvent[] => {
          const { type, at, deliveryId: id, form: _, known = look(id), ...detail } = activity;
          const facts = known && ledger.message(known.messageId);
          if (known === undefined || facts === undefined) return [];
          if (type === 'unsubscribed') {
            if (!once(id, FLAGS.unsubscribed)) return [];
            ledger.count(facts, 'unsubscribed', at);
          } else countReading(id, facts, activity);
          return [ledger.event({ id, recipient: known.recipient }, facts, type, at, detail)];
        }),
      ),
  };
}

function isHuman(kind: string | undefined): boolean {
  return kind === 'human' || kind === 'proxy';
}
