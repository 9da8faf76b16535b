import type { MessageEvent } from '../../events.ts';
import { type Content, type DeliveryState, decodeId, encodeId, RECIPIENT_KINDS } from '../../message.ts';
import type { DeliveryRecord, ListQuery, LogStore } from '../port.ts';
import { type Database, idAt } from './database.ts';
import { type DeliveryRow, doubtOf, readDelivery } from './delivery-row.ts';
import type { MessageIdOf } from './intake.ts';
import { type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import { UNSENT } from './migrations/initial.ts';
import { createOperations, factsOf } from './operations.ts';
import type { SiteLanes } from './site-lanes.ts';
import type { Query } from './statements.ts';

const SHOWN_DELIVERIES = 100;
const SHOWN_EVENTS = 500;

/** Reads deliveries in SQLite, and changes their state by hand. */
export function createLog(
  db: Database,
  ledger: Ledger,
  messageIdOf: MessageIdOf,
  sites: Pick<SiteLanes, 'touched' | 'reschedule'>,
): LogStore {
  const operations = createOperations(db, ledger, sites);
  const findDelivery = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').selectAll().where('id', '=', id),
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
    const facts = factsOf(ledger, row);
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
      ...doubtOf(row),
      acceptedAt: new Date(row.accepted_at),
      dueAt: row.due_at === null ? undefined : new Date(row.due_at),
      updatedAt: new Date(row.updated_at),
      reason: row.reason ?? undefined,
    };
  }

  function eventsOf(rows: readonly DeliveryRow[]): MessageEvent[] {
    return rows
      .flatMap((row) => {
        const facts = factsOf(ledger, row);
        const { id, recipient } = row;
        // Every delivery was accepted, so that event is not stored.
        const accepted = { id, delivery_id: id, type: 0, at: row.accepted_at, detail: null };
        return [accepted, ...firstEvents.all({ id })].map((event) => ledger.read(event, recipient, facts));
      })
      .slice(0, SHOWN_EVENTS);
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
    apply: operations.apply,
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
