import { MailRelayError } from '../../errors.ts';
import type { MessageEvent } from '../../events.ts';
import {
  DELIVERY_STATES,
  type DeliveryState,
  decodeId,
  encodeId,
  RECIPIENT_KINDS,
  statesBefore,
  transition,
} from '../../message.ts';
import type { DeliveryRecord, LogStore, Selection } from '../port.ts';
import type { Database, Row, Value } from './database.ts';
import type { MessageIdOf } from './intake.ts';
import { type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import { readDelivery } from './queue.ts';

const EVENT_BY = { cancel: 'cancelled', hold: 'held', release: 'released', retry: 'retried' } as const;
const SHOWN_DELIVERIES = 100;
const SHOWN_EVENTS = 500;

/** Reads deliveries in SQLite, and changes their state by hand. */
export function createLog(db: Database, ledger: Ledger, messageIdOf: MessageIdOf): LogStore {
  function record(row: Row): DeliveryRecord {
    const facts = factsOf(row);
    const state = stateOf(row.state);
    return {
      id: encodeId('dlv', Number(row.id)),
      messageId: encodeId('msg', facts.id),
      recipient: row.recipient as string,
      kind: RECIPIENT_KINDS[Number(row.kind)] ?? 'to',
      state,
      stream: facts.content.stream,
      campaign: facts.campaign,
      template: facts.content.template,
      subject: facts.content.subject,
      route: facts.route,
      attempts: Number(row.attempts),
      acceptedAt: new Date(Number(row.accepted_at)),
      dueAt: row.due_at === null ? undefined : new Date(Number(row.due_at)),
      updatedAt: new Date(Number(row.updated_at)),
      reason: (row.reason as string | null) ?? undefined,
    };
  }

  function factsOf(row: Row): MessageFacts {
    const facts = ledger.message(Number(row.message_id));
    if (facts === undefined)
      throw new MailRelayError('STORE_CORRUPT', { row: `delivery ${row.id}`, reason: 'a delivery has no message' });
    return facts;
  }

  function eventsOf(rows: readonly Row[]): MessageEvent[] {
    return rows
      .flatMap((row) => {
        const facts = factsOf(row);
        const recipient = row.recipient as string;
        const accepted = ledger.read(
          { id: row.id as number, delivery_id: row.id as number, type: 0, at: row.accepted_at as number, detail: null },
          recipient,
          facts,
        );
        const events = db.all(
          'SELECT * FROM event WHERE delivery_id = ? ORDER BY id LIMIT ?',
          row.id as number,
          SHOWN_EVENTS,
        );
        return [accepted, ...events.map((event) => ledger.read(event, recipient, facts))];
      })
      .slice(0, SHOWN_EVENTS);
  }

  function selected(selection: Selection, by: keyof typeof EVENT_BY): Row[] {
    const states = statesBefore(by).map(stateCode).join(', ');
    if ('campaign' in selection) {
      const campaign = db.get('SELECT id FROM campaign WHERE name = ?', selection.campaign);
      if (campaign === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { campaign: selection.campaign });
      return db.all(
        `SELECT d.* FROM message m JOIN delivery d ON d.message_id = m.id WHERE m.campaign_id = ? AND d.state IN (${states})`,
        campaign.id as number,
      );
    }
    const column = selection.id.startsWith('dlv_') ? 'id' : 'message_id';
    const id = decodeId(column === 'id' ? 'dlv' : 'msg', selection.id) ?? 0;
    const rows = db.all(`SELECT * FROM delivery WHERE ${column} = ?`, id);
    if (rows.length === 0) throw new MailRelayError('MESSAGE_NOT_FOUND', { id: selection.id });
    const fit = rows.filter((row) => transition(stateOf(row.state), by) !== undefined);
    if (fit.length === 0) {
      throw new MailRelayError('MESSAGE_STATE', {
        id: selection.id,
        reason: `${by} is not possible from ${stateOf(rows[0]?.state)}`,
      });
    }
    return fit;
  }

  return {
    async get(id) {
      const delivery = decodeId('dlv', id);
      const one = delivery === undefined ? undefined : db.get('SELECT * FROM delivery WHERE id = ?', delivery);
      const facts = ledger.message(one === undefined ? (decodeId('msg', id) ?? 0) : Number(one.message_id));
      if (facts === undefined) return undefined;
      const rows =
        one === undefined
          ? db.all('SELECT * FROM delivery WHERE message_id = ? ORDER BY id LIMIT ?', facts.id, SHOWN_DELIVERIES)
          : [one];
      const counts: Partial<Record<DeliveryState, number>> = {};
      for (const row of db.all(
        'SELECT state, count(*) AS n FROM delivery WHERE message_id = ? GROUP BY state',
        facts.id,
      ))
        counts[stateOf(row.state)] = Number(row.n);
      const { content } = facts;
      return {
        id: encodeId('msg', facts.id),
        messageId: messageIdOf({ content, messageId: facts.id, deliveryId: Number(rows[0]?.id ?? 0) }),
        stream: content.stream,
        campaign: facts.campaign,
        template: content.template,
        subject: content.subject,
        tags: facts.tags,
        metadata: facts.metadata as Readonly<Record<string, string>> | undefined,
        acceptedAt: new Date(facts.createdAt),
        counts,
        deliveries: rows.map(record),
        events: eventsOf(rows.slice(0, 10)),
      };
    },
    async list(query) {
      const where: string[] = [];
      const values: Value[] = [];
      const add = (sql: string, value: Value): void => {
        where.push(sql);
        values.push(value);
      };
      if (query.message !== undefined) add('d.message_id = ?', decodeId('msg', query.message) ?? 0);
      if (query.campaign !== undefined)
        add(
          'd.message_id IN (SELECT m.id FROM message m JOIN campaign c ON c.id = m.campaign_id WHERE c.name = ?)',
          query.campaign,
        );
      if (query.recipient !== undefined) add('d.recipient = ?', query.recipient);
      if (query.state !== undefined) add('d.state = ?', DELIVERY_STATES.indexOf(query.state));
      if (query.stream !== undefined)
        add('d.lane_id IN (SELECT id FROM lane WHERE stream = ?)', STREAMS.indexOf(query.stream));
      if (query.from !== undefined) add('d.accepted_at >= ?', query.from.getTime());
      if (query.to !== undefined) add('d.accepted_at < ?', query.to.getTime());
      if (query.after !== undefined) add('d.id < ?', decodeId('dlv', query.after) ?? 0);
      const filter = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
      const items = db
        .all(`SELECT d.* FROM delivery d ${filter} ORDER BY d.id DESC LIMIT ?`, ...values, query.limit)
        .map(record);
      return { items, next: items.length === query.limit ? items.at(-1)?.id : undefined };
    },
    content: async (id) => ledger.message(id)?.content,
    async delivery(id) {
      const row = db.get('SELECT * FROM delivery WHERE id = ?', id);
      return row && readDelivery(row);
    },
    apply: (selection, by, { now, reason }) =>
      db.write(() =>
        selected(selection, by).map((row) => {
          const facts = factsOf(row);
          const to = transition(stateOf(row.state), by) as DeliveryState;
          const dueAt = to === 'queued' ? Math.max(now, by === 'release' ? (facts.sendAt ?? 0) : 0) : null;
          db.run(
            'UPDATE delivery SET state = ?, due_at = ?, updated_at = ?, reason = ? WHERE id = ?',
            stateCode(to),
            dueAt,
            now,
            reason ?? null,
            row.id as number,
          );
          const from = stateOf(row.state);
          if (to === 'cancelled') ledger.count(facts, 'cancelled', now);
          // A delivery that goes back into the queue is not final any more.
          if (
            by === 'retry' &&
            (from === 'failed' || from === 'bounced' || from === 'suppressed' || from === 'cancelled')
          )
            ledger.count(facts, from, now, -1);
          const detail = reason === undefined ? {} : { reason };
          return ledger.event(
            { id: Number(row.id), recipient: row.recipient as string },
            facts,
            EVENT_BY[by],
            now,
            detail,
          );
        }),
      ),
  };
}
