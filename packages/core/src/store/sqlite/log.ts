import { sql } from 'kysely';
import { MailRelayError } from '../../errors.ts';
import type { MessageEvent } from '../../events.ts';
import {
  type Content,
  type DeliveryState,
  decodeId,
  encodeId,
  RECIPIENT_KINDS,
  statesBefore,
  transition,
  VERDICTS,
} from '../../message.ts';
import type { Cursor, DeliveryRecord, ListQuery, LogStore, Selection } from '../port.ts';
import { type Database, idAt } from './database.ts';
import { type DeliveryRow, readDelivery } from './delivery-row.ts';
import type { MessageIdOf } from './intake.ts';
import { FLAGS, type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import { UNSENT } from './migrations/initial.ts';
import type { SiteLanes } from './site-lanes.ts';
import type { Query } from './statements.ts';

const EVENT_BY = { cancel: 'cancelled', hold: 'held', release: 'released', retry: 'retried' } as const;
type Operation = keyof typeof EVENT_BY;
/** Most deliveries of one change; more would keep others from writing. */
const APPLIED = 500;
/** Bits of what came back. */
const BACK = VERDICTS.reduce((bits, verdict) => bits | FLAGS[verdict], 0);
const SHOWN_DELIVERIES = 100;
const SHOWN_EVENTS = 500;

/** Reads deliveries in SQLite, and changes their state by hand. */
export function createLog(
  db: Database,
  ledger: Ledger,
  messageIdOf: MessageIdOf,
  sites: Pick<SiteLanes, 'touched' | 'reschedule'>,
): LogStore {
  const findDelivery = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').selectAll().where('id', '=', id),
  );
  const findCampaign = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('campaign').select('id').where('name', '=', name),
  );
  const messagesOf = db.prepare((query, p: { campaign: number; from: number }) =>
    query
      .selectFrom('message')
      .select('id')
      .where('campaign_id', '=', p.campaign)
      .where('campaign_id', 'is not', null)
      .where('id', '>=', p.from)
      .orderBy('id')
      .limit(APPLIED),
  );
  const fitting = db.prepare((query, p: { id: number; states: string }) =>
    query.selectFrom('delivery').selectAll().where('id', '=', p.id).where(stateIn(p.states)),
  );
  const fittingOf = db.prepare((query, p: { message: number; after: number; states: string; limit: number }) =>
    query
      .selectFrom('delivery')
      .selectAll()
      .where('message_id', '=', p.message)
      .where('id', '>', p.after)
      .where(stateIn(p.states))
      .orderBy('id')
      .limit(p.limit),
  );
  const routeOf = db.prepare((query, { lane }: { lane: number }) =>
    query.selectFrom('lane').select(['route', 'site']).where('id', '=', lane),
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

  /** What is sent anew can come back anew. */
  const forgetVerdicts = db.prepare((query, { id }: { id: number }) =>
    query
      .updateTable('delivery')
      .set((row) => ({ flags: row('flags', '&', ~BACK) }))
      .where('id', '=', id),
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
    const content = readable(facts);
    const lane = routeOf.get({ lane: row.lane_id });
    return {
      id: encodeId('dlv', row.id),
      messageId: encodeId('msg', facts.id),
      recipient: row.recipient,
      kind: RECIPIENT_KINDS[row.kind] ?? 'to',
      state: stateOf(row.state),
      stream: facts.stream,
      campaign: facts.campaign,
      template: content?.template,
      subject: content?.subject,
      route: lane?.route ?? facts.route,
      site: lane?.site === '' ? undefined : lane?.site,
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

  /** The next deliveries of a selection that allow a transition; `next` says where to go on, where there may be more. */
  function pageOf(
    selection: Selection,
    by: Operation,
    { message, delivery }: Cursor,
  ): { readonly rows: DeliveryRow[]; readonly next: Cursor | undefined } {
    const states = JSON.stringify(statesBefore(by).map(stateCode));
    const one = 'id' in selection ? decodeId('dlv', selection.id) : undefined;
    if (one !== undefined) return { rows: one > delivery ? fitting.all({ id: one, states }) : [], next: undefined };
    const messages = messagesFrom(selection, message);
    const rows: DeliveryRow[] = [];
    for (const { id } of messages) {
      const after = id === message ? delivery : 0;
      rows.push(...fittingOf.all({ message: id, after, states, limit: APPLIED - rows.length }));
      const last = rows.at(-1);
      if (last !== undefined && rows.length === APPLIED) return { rows, next: { message: id, delivery: last.id } };
    }
    const last = messages.length === APPLIED ? messages.at(-1) : undefined;
    return { rows, next: last && { message: last.id + 1, delivery: 0 } };
  }

  function messagesFrom(selection: Selection, from: number): readonly { readonly id: number }[] {
    if ('id' in selection) return [{ id: decodeId('msg', selection.id) ?? 0 }];
    const campaign = findCampaign.get({ name: selection.campaign });
    if (campaign === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { campaign: selection.campaign });
    return messagesOf.all({ campaign: campaign.id, from });
  }

  /** Why a transition applies to nothing: an error, but for a campaign, where some deliveries rarely are in every state. */
  function explain(selection: Selection, by: Operation): void {
    if ('campaign' in selection) return;
    const delivery = decodeId('dlv', selection.id);
    const row =
      delivery === undefined
        ? firstDeliveries(decodeId('msg', selection.id) ?? 0)[0]
        : findDelivery.get({ id: delivery });
    if (row === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { id: selection.id });
    const reason = `${by} is not possible from ${stateOf(row.state)}`;
    throw new MailRelayError('MESSAGE_STATE', { id: selection.id, reason });
  }

  function applyTo(
    row: DeliveryRow,
    by: Operation,
    { now, reason }: { readonly now: number; readonly reason?: string | undefined },
  ): MessageEvent {
    const facts = factsOf(row);
    const from = stateOf(row.state);
    const to = transition(from, by) as DeliveryState;
    const dueAt = to === 'queued' ? Math.max(now, by === 'release' ? (facts.sendAt ?? 0) : 0) : null;
    move.run({ id: row.id, state: stateCode(to), dueAt, now, reason: reason ?? null });
    sites.touched(row.lane_id);
    if (by === 'retry' && (row.flags & BACK) !== 0) forgetVerdicts.run({ id: row.id });
    if (to === 'cancelled') ledger.count(facts, 'cancelled', now);
    // A delivery that goes back into the queue is not final any more.
    if (by === 'retry' && (from === 'failed' || from === 'bounced' || from === 'suppressed' || from === 'cancelled'))
      ledger.count(facts, from, now, -1);
    const detail = reason === undefined ? {} : { reason };
    return ledger.event({ id: row.id, recipient: row.recipient }, facts, EVENT_BY[by], now, detail);
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
    labels(id) {
      const facts = ledger.message(id);
      return { campaign: facts?.campaign, tags: facts?.tags ?? [] };
    },
    async delivery(id) {
      const row = findDelivery.get({ id });
      return row && readDelivery(row);
    },
    apply: (selection, by, options) =>
      db.write(() => {
        const { rows, next } = pageOf(selection, by, options.after ?? { message: 0, delivery: 0 });
        if (rows.length === 0 && options.after === undefined) explain(selection, by);
        const events = rows.map((row) => applyTo(row, by, options));
        sites.reschedule(options.now);
        return { events, next };
      }),
  };
}

/** One damaged content does not hide the page that it is on. */
function readable(facts: MessageFacts): Content | undefined {
  try {
    return facts.content;
  } catch {
    return undefined;
  }
}

/** @param states - JSON of state codes */
function stateIn(states: string) {
  return sql<boolean>`state in (select value from json_each(${states}))`;
}

/** How far the clocks of processes on one file, and one clock over time, may be apart, ms. */
const CLOCK_SLACK_MS = 86_400_000;

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
  if (state !== undefined) {
    page = page.where('state', '=', stateCode(state));
    if (state !== 'sent' && state !== 'delivered') page = page.where(UNSENT);
  }
  if (stream !== undefined)
    page = page.where('lane_id', 'in', (lanes) =>
      lanes.selectFrom('lane').select('id').where('stream', '=', STREAMS.indexOf(stream)),
    );
  // Ids grow with time, so that they bound the search.
  if (from !== undefined)
    page = page.where('accepted_at', '>=', from.getTime()).where('id', '>=', idAt(from.getTime() - CLOCK_SLACK_MS));
  if (to !== undefined)
    page = page.where('accepted_at', '<', to.getTime()).where('id', '<', idAt(to.getTime() + CLOCK_SLACK_MS));
  if (after !== undefined) page = page.where('id', '<', decodeId('dlv', after) ?? 0);
  return page;
}
