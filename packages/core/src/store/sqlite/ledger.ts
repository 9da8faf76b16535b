import { MailRelayError } from '../../errors.ts';
import { EVENT_TYPES, type EventType, type MessageEvent } from '../../events.ts';
import { type Content, DELIVERY_STATES, type DeliveryState, encodeId, VERDICTS } from '../../message.ts';
import type { Metric } from '../port.ts';
import type { WayMetric } from '../report-port.ts';
import { createCounts } from './counts.ts';
import type { Database } from './database.ts';
import { packDetail, unpackDetail } from './detail.ts';
import { createFeed } from './feed.ts';
import { MessageFacts, STREAMS } from './ledger-facts.ts';
import { createPhrases } from './phrases.ts';
import { type Beats, createPulses } from './pulses.ts';
import { createWayCounts, type Walked, type WayNames } from './way-counts.ts';
import type { Way } from './way-rows.ts';

export { type MessageFacts, STREAMS } from './ledger-facts.ts';

/** Bits of `delivery.flags`: what was counted once. */
export const FLAGS = {
  deferred: 1,
  opened: 2,
  openedHuman: 4,
  clicked: 8,
  clickedHuman: 16,
  unsubscribed: 32,
  delivered: 64,
  bounced: 128,
  complained: 256,
  failed: 512,
  hardBounced: 1024,
  inDoubt: 2048,
} as const;

/** Bits of what came back about a mail. */
export const CAME_BACK: number = VERDICTS.reduce<number>((bits, verdict) => bits | FLAGS[verdict], 0);

/** Storage code of a state. */
export const stateCode = (state: DeliveryState): number => DELIVERY_STATES.indexOf(state);
/** State of a storage code. */
export const stateOf = (code: number): DeliveryState => DELIVERY_STATES[code] ?? 'failed';

const CACHED = 2000;
/** Characters of content; a message with its own HTML is much larger than one with a template. */
const CACHED_LENGTH = 16_000_000;

/** Writes events and counts, and knows messages. */
export interface Ledger {
  message(id: number): MessageFacts | undefined;
  /** A message that was just written, so that it need not be read again. */
  remember(
    facts: Omit<MessageFacts, 'content'>,
    content: { readonly id: number; readonly value: Content; readonly length: number },
  ): MessageFacts;
  /** Stores an event, and answers it as others see it. `sharesUrl`: its URL is that of other events, too. Inside of `write`. */
  event(
    delivery: { readonly id: number; readonly recipient: string },
    facts: MessageFacts,
    type: EventType,
    at: number,
    detail: Readonly<Record<string, unknown>>,
    options?: { readonly sharesUrl?: boolean },
  ): MessageEvent;
  /** Counts what happens before mail is on its way. */
  count(facts: MessageFacts, metric: Exclude<Metric, WayMetric>, at: number, n?: number): void;
  /** Counts what happens to a delivery on its way, and after it. */
  countOf(delivery: Walked, facts: MessageFacts, metric: WayMetric, at: number, n?: number): void;
  /** What a delivery has on its way. */
  wayOf(delivery: Walked): Way;
  /** Deferred mail left (`sent`) or came to nothing (`lost`), so long after it was first deferred. */
  waited(delivery: Walked, how: 'sent' | 'lost', ms: number, at: number): void;
  /** What alerts look at. `at`: when the mail was sent, or ended. */
  beat(facts: MessageFacts, at: number, beats: Beats): void;
  /** An event out of its row. */
  read(row: EventRow, recipient: string, facts: MessageFacts): MessageEvent;
}

/** A row of an event. */
export interface EventRow {
  readonly id: number;
  readonly delivery_id: number;
  readonly type: number;
  readonly at: number;
  readonly detail: string | null;
}

/** Everything about events and counts. */
export function createLedger(db: Database, names: WayNames): Ledger {
  const counts = createCounts(db);
  const ways = createWayCounts(db, names);
  const pulses = createPulses(db);
  const phrases = createPhrases(db);
  const messages = new Map<number, MessageFacts>();
  const contents = new Map<number, Content>();
  let cachedLength = 0;
  function forget(): void {
    messages.clear();
    contents.clear();
    cachedLength = 0;
  }
  db.onRollback(forget);

  const findContent = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('content').select('json').where('id', '=', id),
  );
  const findMessage = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('message')
      .innerJoin('lane', 'lane.id', 'message.lane_id')
      .leftJoin('campaign', 'campaign.id', 'message.campaign_id')
      .selectAll('message')
      .select(['campaign.name as campaign', 'lane.route', 'lane.stream'])
      .where('message.id', '=', id),
  );
  const insertEvent = db.prepare((query, p: EventRow) =>
    query
      .insertInto('event')
      .values({ id: p.id, delivery_id: p.delivery_id, type: p.type, at: p.at, detail: p.detail }),
  );
  const feed = createFeed(db);

  function keepContent(id: number, content: Content, length: number): Content {
    if (contents.size >= CACHED || cachedLength > CACHED_LENGTH) forget();
    contents.set(id, content);
    cachedLength += length;
    return content;
  }

  function keepMessage(facts: Omit<MessageFacts, 'content'>, contentId: number): MessageFacts {
    const whole = new MessageFacts(facts, contentId, contentOf);
    if (messages.size >= CACHED) messages.clear();
    messages.set(facts.id, whole);
    return whole;
  }

  function contentOf(id: number): Content {
    const known = contents.get(id);
    if (known !== undefined) return known;
    const row = findContent.get({ id });
    if (row === undefined) throw new MailRelayError('STORE_CORRUPT', { row: `content ${id}`, reason: 'it is gone' });
    return keepContent(id, parseJson<Content>(row.json, `content ${id}`), row.json.length);
  }

  function view(
    id: number,
    delivery: { readonly id: number; readonly recipient: string },
    facts: MessageFacts,
    type: EventType,
    at: number,
    detail: Readonly<Record<string, unknown>>,
  ): MessageEvent {
    const { retryAt, ...rest } = detail;
    return {
      id: encodeId('evt', id),
      type,
      at: new Date(at),
      messageId: encodeId('msg', facts.id),
      deliveryId: encodeId('dlv', delivery.id),
      recipient: delivery.recipient,
      stream: facts.stream,
      campaign: facts.campaign,
      tags: facts.tags,
      ...rest,
      ...(retryAt === undefined ? {} : { retryAt: new Date(retryAt as number) }),
    } as MessageEvent;
  }

  return {
    message(id) {
      const known = messages.get(id);
      if (known !== undefined) return known;
      const row = findMessage.get({ id });
      if (row === undefined) return undefined;
      const extra = extraOf(row.extra);
      const facts = {
        id,
        stream: STREAMS[row.stream] ?? 'transactional',
        campaignId: row.campaign_id ?? undefined,
        campaign: row.campaign ?? undefined,
        laneId: row.lane_id,
        route: row.route,
        sendAt: row.send_at ?? undefined,
        createdAt: row.created_at,
        tags: extra.tags ?? [],
        metadata: extra.metadata,
      };
      return keepMessage(facts, row.content_id);
    },
    remember(facts, { id, value, length }) {
      // The store hands out one object per content, whoever brought it: what is prepared for one is there for all.
      if (!contents.has(id)) keepContent(id, value, length);
      return keepMessage(facts, id);
    },
    event(delivery, facts, type, at, detail, { sharesUrl = false } = {}) {
      const id = db.nextId(at);
      const packed = packDetail(detail, { at, route: facts.route, phrases, sharesUrl });
      const code = EVENT_TYPES.indexOf(type);
      insertEvent.run({ id, delivery_id: delivery.id, type: code, at, detail: packed });
      feed.note(id, delivery.id, code);
      return view(id, delivery, facts, type, at, detail);
    },
    count: (facts, metric, at, n = 1) => counts.add(facts, metric, at, n),
    countOf(delivery, facts, metric, at, n = 1) {
      counts.add(facts, metric, at, n);
      ways.add(delivery, metric, at, n);
    },
    wayOf: ways.of,
    waited: ways.waited,
    beat: pulses.add,
    read(row, recipient, facts) {
      const packed = row.detail === null ? {} : parseJson<Record<string, unknown>>(row.detail, `event ${row.id}`);
      const detail = unpackDetail(packed, { at: row.at, route: facts.route, phrases });
      const type = EVENT_TYPES[row.type] ?? 'failed';
      return view(row.id, { id: row.delivery_id, recipient }, facts, type, row.at, detail);
    },
  };
}

/** Tags and metadata; a damaged row has none, since what became of its mail matters more. */
function extraOf(text: string | null): Partial<Pick<MessageFacts, 'tags' | 'metadata'>> {
  try {
    return text === null ? {} : (JSON.parse(text) as Partial<MessageFacts>);
  } catch {
    return {};
  }
}

/** Reads JSON of a row. @throws MailRelayError `STORE_CORRUPT` */
export function parseJson<T>(text: string, what: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new MailRelayError('STORE_CORRUPT', { row: what, reason: `${what} cannot be read` }, { cause: error });
  }
}
