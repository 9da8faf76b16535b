import { EVENT_TYPES, type MessageEvent } from '../../events.ts';
import type { Activity, ActivityStore } from '../port.ts';
import type { Database, Row } from './database.ts';
import { FLAGS, type Ledger, type MessageFacts } from './ledger.ts';

const RECENT_MS = 10_000;

/** What readers do, in SQLite. */
export function createActivityStore(db: Database, ledger: Ledger): ActivityStore {
  const clicked = EVENT_TYPES.indexOf('clicked');

  function countOnce(row: Row, flag: number): boolean {
    return (
      db.run('UPDATE delivery SET flags = flags | ? WHERE id = ? AND (flags & ?) = 0', flag, row.id as number, flag) > 0
    );
  }

  function countReading(row: Row, facts: MessageFacts, { type, at, agent, url }: Activity): void {
    const human = agent?.kind === 'human' || agent?.kind === 'proxy';
    const name = type === 'opened' ? 'opens' : 'clicks';
    ledger.count(facts, `${name}Total`, at);
    if (countOnce(row, type === 'opened' ? FLAGS.opened : FLAGS.clicked)) ledger.count(facts, `${name}Unique`, at);
    if (human) {
      ledger.count(facts, `${name}TotalHuman`, at);
      if (countOnce(row, type === 'opened' ? FLAGS.openedHuman : FLAGS.clickedHuman))
        ledger.count(facts, `${name}UniqueHuman`, at);
    }
    if (type !== 'clicked' || url === undefined || facts.campaignId === undefined) return;
    const before = db
      .all('SELECT detail FROM event WHERE delivery_id = ? AND type = ?', row.id as number, clicked)
      .map(({ detail }) => JSON.parse(String(detail)) as { url?: string; agent?: { kind: string } });
    const same = before.filter((event) => event.url === url);
    const humanBefore = same.some(({ agent: earlier }) => earlier?.kind === 'human' || earlier?.kind === 'proxy');
    db.run(
      `INSERT INTO link (campaign_id, url, total, unique_n, total_human, unique_human) VALUES (?, ?, 1, ?, ?, ?)
       ON CONFLICT DO UPDATE SET total = total + 1, unique_n = unique_n + excluded.unique_n, total_human = total_human + excluded.total_human, unique_human = unique_human + excluded.unique_human`,
      facts.campaignId,
      url,
      same.length === 0 ? 1 : 0,
      human ? 1 : 0,
      human && !humanBefore ? 1 : 0,
    );
  }

  return {
    look(deliveryId, now) {
      const row = db.get('SELECT sent_at FROM delivery WHERE id = ?', deliveryId);
      if (row === undefined) return undefined;
      const recent = db.get(
        'SELECT count(*) AS n FROM event WHERE delivery_id = ? AND type = ? AND at > ?',
        deliveryId,
        clicked,
        now - RECENT_MS,
      );
      return { sentAt: row.sent_at === null ? undefined : Number(row.sent_at), recentClicks: Number(recent?.n) };
    },
    record: (activities) =>
      db.write(() =>
        activities.flatMap((activity): MessageEvent[] => {
          const row = db.get('SELECT id, message_id, recipient FROM delivery WHERE id = ?', activity.deliveryId);
          const facts = row && ledger.message(Number(row.message_id));
          if (row === undefined || facts === undefined) return [];
          const { type, at, deliveryId: _, ...detail } = activity;
          if (type === 'unsubscribed') {
            if (!countOnce(row, FLAGS.unsubscribed)) return [];
            ledger.count(facts, 'unsubscribed', at);
          } else countReading(row, facts, activity);
          return [ledger.event({ id: Number(row.id), recipient: row.recipient as string }, facts, type, at, detail)];
        }),
      ),
  };
}
