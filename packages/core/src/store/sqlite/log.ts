import { MailRelayError } from '../../errors.ts';
import type { MessageEvent } from '../../events.ts';
import { type DeliveryState, decodeId, encodeId, RECIPIENT_KINDS, statesBefore, transition } from '../../message.ts';
import type { DeliveryRecord, ListQuery, LogStore, Selection } from '../port.ts';
import type { Database } from './database.ts';
import { type DeliveryRow, readDelivery } from './delivery-row.ts';
import type { MessageIdOf } from './intake.ts';
import { type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import type { Query } from './statements.ts';

const EVENT_BY = { cancel: 'cancelled', hold: 'held', release: 'released', retry: 'retried' } as const;
const SHOWN_DELIVERIES = 100;
const SHOWN_EVENTS = 500;

/** Reads deliveries in SQLite, and changes their state by hand. */
export function createLog(db: Database, ledger: Ledger, messageIdOf: MessageIdOf): LogStore {
  const findDelivery = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').selectAll().where('id', '=', id),
  );
  const findCampaign = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('campaign').select('id').where('name', '=', name),
  );
  const routeOf = db.prepare((query, { lane }: { lane: number }) =>
    query.selectFrom('lane').select('route').where('id', '=', lane),
  );
  const countStates = db.prepare((query, { messageId }: { messageId: number }) =>
    query
      .selectFrom('delivery')
      .select((row) => ['state', row.fn.countAll<number>().as('n')])
      .where('message_id', '=', messageId)
      .groupBy('state'),
  );
  const firstEvents = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('event').selectAll().where('delivery_id', '=', id).orderBy('id').limit(SHOWN_EVENTS),
  );
  const move = db.prepare(
    (query, p: { id: number; state: number; dueAt: number | null; now: number; reason: string | null }) =>
      query
        .updateTable('delivery')
        .set({ state: p.state, due_at: p.dueAt, updated_at: p.now, reason: p.reason })
        .where('id', '=', p.id),
  );

  const firstDeliveries = (messageId: number): DeliveryRow[] =>
    db.select((query) =>
      query
        .selectFrom('delivery')
        .selectAll()
        .where('message_id', '=', messageId)
        .orderBy('id')
        .limit(SHOWN_DELIVERIES),
    );

  function record(row: DeliveryRow): DeliveryRecord {
    const facts = factsOf(row);
    return {
      id: encodeId('dlv', row.id),
      messageId: encodeId('msg', facts.id),
      recipient: row.recipient,
      kind: RECIPIENT_KINDS[row.kind] ?? 'to',
      state: stateOf(row.state),
      stream: facts.content.stream,
      campaign: facts.campaign,
      template: facts.content.template,
      subject: facts.content.subject,
      route: routeOf.get({ lane: row.lane_id })?.route ?? facts.route,
      attempts: row.attempts,
      acceptedAt: new Date(row.accepted_at),
      dueAt: row.due_at === null ? undefined : new Date(row.due_at),
      updatedAt: new Date(row.updated_at),
      reason: row.reason ?? undefined,
    };
  }

  function factsOf(row: DeliveryRow): MessageFacts {
    const facts = ledger.message(row.message_id);
    if (facts === undefined)
      throw new MailRelayError('STORE_CORRUPT', { row: `delivery ${row.id}`, reason: 'a delivery has no message' });
    return facts;
  }

  function eventsOf(rows: readonly DeliveryRow[]): MessageEvent[] {
    return rows
      .flatMap((row) => {
        const facts = factsOf(row);
        const { id, recipient } = row;
        // Every delivery was accepted, so that event is not stored.
        const accepted = { id, delivery_id: id, type: 0, at: row.accepted_at, detail: null };
        return [accepted, ...firstEvents.all({ id })].map((event) => ledger.read(event, recipient, facts));
      })
      .slice(0, SHOWN_EVENTS);
  }

  function selected(selection: Selection, by: keyof typeof EVENT_BY): DeliveryRow[] {
    if ('campaign' in selection) {
      const campaign = findCampaign.get({ name: selection.campaign });
      if (campaign === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { campaign: selection.campaign });
      return db.select((query) =>
        query
          .selectFrom('delivery')
          .selectAll('delivery')
          .innerJoin('message', 'message.id', 'delivery.message_id')
          .where('message.campaign_id', '=', campaign.id)
          .where('delivery.state', 'in', statesBefore(by).map(stateCode)),
      );
    }
    const column = selection.id.startsWith('dlv_') ? 'id' : 'message_id';
    const id = decodeId(column === 'id' ? 'dlv' : 'msg', selection.id) ?? 0;
    const rows = db.select((query) => query.selectFrom('delivery').selectAll().where(column, '=', id));
    if (rows.length === 0) throw new MailRelayError('MESSAGE_NOT_FOUND', { id: selection.id });
    const fit = rows.filter((row) => transition(stateOf(row.state), by) !== undefined);
    if (fit.length === 0) {
      throw new MailRelayError('MESSAGE_STATE', {
        id: selection.id,
        reason: `${by} is not possible from ${stateOf((rows[0] as DeliveryRow).state)}`,
      });
    }
    return fit;
  }

  return {
    async get(id) {
      const delivery = decodeId('dlv', id);
      const one = delivery === undefined ? undefined : findDelivery.get({ id: delivery });
      const facts = ledger.message(one?.message_id ?? decodeId('msg', id) ?? 0);
      if (facts === undefined) return undefined;
      const rows = one === undefined ? firstDeliveries(facts.id) : [one];
      const counts: Partial<Record<DeliveryState, number>> = {};
      for (const { state, n } of countStates.all({ messageId: facts.id })) counts[stateOf(state)] = n;
      const { content } = facts;
      return {
        id: encodeId('msg', facts.id),
        messageId: messageIdOf({ content, messageId: facts.id, deliveryId: rows[0]?.id ?? 0 }),
        stream: content.stream,
        campaign: facts.campaign,
        template: content.template,
        subject: content.subject,
        tags: facts.tags,
        metadata: facts.metadata,
        acceptedAt: new Date(facts.createdAt),
        counts,
        deliveries: rows.map(record),
        events: eventsOf(rows.slice(0, 10)),
      };
    },
    async list(query) {
      const items = db.select((build) => listed(build, query)).map(record);
      return { items, next: items.length === query.limit ? items.at(-1)?.id : undefined };
    },
    content: async (id) => ledger.message(id)?.content,
    async delivery(id) {
      const row = findDelivery.get({ id });
      return row && readDelivery(row);
    },
    apply: (selection, by, { now, reason }) =>
      db.write(() =>
        selected(selection, by).map((row) => {
          const facts = factsOf(row);
          const to = transition(stateOf(row.state), by) as DeliveryState;
          const dueAt = to === 'queued' ? Math.max(now, by === 'release' ? (facts.sendAt ?? 0) : 0) : null;
          move.run({ id: row.id, state: stateCode(to), dueAt, now, reason: reason ?? null });
          const from = stateOf(row.state);
          if (to === 'cancelled') ledger.count(facts, 'cancelled', now);
          // A delivery that goes back into the queue is not final any more.
          if (
            by === 'retry' &&
            (from === 'failed' || from === 'bounced' || from === 'suppressed' || from === 'cancelled')
          )
            ledger.count(facts, from, now, -1);
          const detail = reason === undefined ? {} : { reason };
          return ledger.event({ id: row.id, recipient: row.recipient }, facts, EVENT_BY[by], now, detail);
        }),
      ),
  };
}

/** A page of the log, newest first. */
function listed(build: Query, query: ListQuery) {
  let page = build.selectFrom('delivery').selectAll().orderBy('id', 'desc').limit(query.limit);
  const { message, campaign, recipient, state, stream, from, to, after } = query;
  if (message !== undefined) page = page.where('message_id', '=', decodeId('msg', message) ?? 0);
  if (campaign !== undefined)
    page = page.where('message_id', 'in', (messages) =>
      messages
        .selectFrom('message')
        .innerJoin('campaign', 'campaign.id', 'message.campaign_id')
        .select('message.id')
        .where('campaign.name', '=', campaign),
    );
  if (recipient !== undefined) page = page.where('recipient', '=', recipient);
  if (state !== undefined) page = page.where('state', '=', stateCode(state));
  if (stream !== undefined)
    page = page.where('lane_id', 'in', (lanes) =>
      lanes.selectFrom('lane').select('id').where('stream', '=', STREAMS.indexOf(stream)),
    );
  if (from !== undefined) page = page.where('accepted_at', '>=', from.getTime());
  if (to !== undefined) page = page.where('accepted_at', '<', to.getTime());
  if (after !== undefined) page = page.where('id', '<', decodeId('dlv', after) ?? 0);
  return page;
}
