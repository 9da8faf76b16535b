import { sql } from 'kysely';
import { MailRelayError } from '../../errors.ts';
import type { MessageEvent } from '../../events.ts';
import { type DeliveryState, decodeId, statesBefore, transition } from '../../message.ts';
import type { Cursor, LogStore, Selection } from '../port.ts';
import type { Database } from './database.ts';
import type { DeliveryRow } from './delivery-row.ts';
import { CAME_BACK, FLAGS, type Ledger, type MessageFacts, stateCode, stateOf } from './ledger.ts';
import type { SiteLanes } from './site-lanes.ts';

const EVENT_BY = { cancel: 'cancelled', hold: 'held', release: 'released', retry: 'retried' } as const;
type Operation = keyof typeof EVENT_BY;
/** Most deliveries of one change; more would keep others from writing. */
const APPLIED = 500;
/** Bits of what came back, or may have arrived. */
const BACK = CAME_BACK | FLAGS.hardBounced | FLAGS.inDoubt;

/** Changes the state of deliveries by hand, in SQLite. */
export function createOperations(
  db: Database,
  ledger: Ledger,
  sites: Pick<SiteLanes, 'touched' | 'reschedule'>,
): Pick<LogStore, 'apply'> {
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
  const firstOf = db.prepare((query, { messageId }: { messageId: number }) =>
    query.selectFrom('delivery').select('state').where('message_id', '=', messageId).orderBy('id').limit(1),
  );
  const stateOfOne = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select('state').where('id', '=', id),
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
        ? firstOf.get({ messageId: decodeId('msg', selection.id) ?? 0 })
        : stateOfOne.get({ id: delivery });
    if (row === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { id: selection.id });
    const reason = `${by} is not possible from ${stateOf(row.state)}`;
    throw new MailRelayError('MESSAGE_STATE', { id: selection.id, reason });
  }

  /** A delivery that goes back into the queue is not final any more, and what is sent anew is counted anew. */
  function uncount(row: DeliveryRow, facts: MessageFacts, from: DeliveryState, now: number): void {
    const { flags } = row;
    const came = (['bounced', 'failed'] as const).filter((verdict) => (flags & FLAGS[verdict]) !== 0);
    if (from === 'suppressed' || from === 'cancelled') ledger.count(facts, from, now, -1);
    const over = from === 'failed' || from === 'bounced' ? [from] : [];
    for (const verdict of new Set([...over, ...came])) ledger.countOf(row, facts, verdict, now, -1);
    if (came.length > 0 && row.sent_at !== null) {
      ledger.countOf(row, facts, 'returned', now, -came.length);
      ledger.countOf(row, facts, 'sent', now, -1);
    }
    if ((flags & FLAGS.hardBounced) !== 0) ledger.countOf(row, facts, 'hardBounced', now, -1);
    if ((flags & BACK) !== 0) forgetVerdicts.run({ id: row.id });
  }

  function applyTo(
    row: DeliveryRow,
    by: Operation,
    { now, reason }: { readonly now: number; readonly reason?: string | undefined },
  ): MessageEvent {
    const facts = factsOf(ledger, row);
    const from = stateOf(row.state);
    const to = transition(from, by) as DeliveryState;
    const dueAt = to === 'queued' ? Math.max(now, by === 'release' ? (facts.sendAt ?? 0) : 0) : null;
    move.run({ id: row.id, state: stateCode(to), dueAt, now, reason: reason ?? null });
    sites.touched(row.lane_id);
    if (to === 'cancelled') ledger.count(facts, 'cancelled', now);
    if (by === 'retry') uncount(row, facts, from, now);
    const detail = reason === undefined ? {} : { reason };
    return ledger.event({ id: row.id, recipient: row.recipient }, facts, EVENT_BY[by], now, detail);
  }

  return {
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

/** @throws MailRelayError `STORE_CORRUPT` */
export function factsOf(ledger: Ledger, row: DeliveryRow): MessageFacts {
  const facts = ledger.message(row.message_id);
  if (facts === undefined)
    throw new MailRelayError('STORE_CORRUPT', { row: `delivery ${row.id}`, reason: 'a delivery has no message' });
  return facts;
}

/** @param states - JSON of state codes */
function stateIn(states: string) {
  return sql<boolean>`state in (select value from json_each(${states}))`;
}
