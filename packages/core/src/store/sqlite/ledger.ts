import { MailRelayError } from '../../errors.ts';
import { EVENT_TYPES, type EventType, type MessageEvent } from '../../events.ts';
import { type Content, DELIVERY_STATES, type DeliveryState, encodeId, type Stream } from '../../message.ts';
import { METRICS, type Metric } from '../port.ts';
import type { Database, Row, Value } from './database.ts';

/** What events and counts need to know of a message. */
export interface MessageFacts {
  readonly id: number;
  readonly contentId: number;
  readonly content: Content;
  readonly campaignId: number | undefined;
  readonly campaign: string | undefined;
  readonly laneId: number;
  readonly route: string;
  readonly sendAt: number | undefined;
  readonly createdAt: number;
  readonly tags: readonly string[];
  readonly metadata: Row | undefined;
}

/** Bits of `delivery.flags`: what was counted once. */
export const FLAGS = {
  deferred: 1,
  opened: 2,
  openedHuman: 4,
  clicked: 8,
  clickedHuman: 16,
  unsubscribed: 32,
} as const;

/** Storage codes. */
export const STREAMS: readonly Stream[] = ['transactional', 'broadcast'];
/** Storage code of a state. */
export const stateCode = (state: DeliveryState): number => DELIVERY_STATES.indexOf(state);
/** State of a storage code. */
export const stateOf = (code: Value | undefined): DeliveryState => DELIVERY_STATES[Number(code)] ?? 'failed';

const DAY_MS = 86_400_000;
const CACHED = 2000;

/** Writes events and counts, and knows messages. */
export interface Ledger {
  message(id: number): MessageFacts | undefined;
  /** Stores an event, and answers it as others see it. Inside of `write`. */
  event(
    delivery: { readonly id: number; readonly recipient: string },
    facts: MessageFacts,
    type: EventType,
    at: number,
    detail: Readonly<Record<string, unknown>>,
  ): MessageEvent;
  count(facts: MessageFacts, metric: Metric, at: number, n?: number): void;
  /** An event out of its row. */
  read(row: Row, recipient: string, facts: MessageFacts): MessageEvent;
}

/** Everything about events and counts. */
export function createLedger(db: Database): Ledger {
  const messages = new Map<number, MessageFacts>();
  const contents = new Map<number, Content>();
  db.onRollback(() => {
    messages.clear();
    contents.clear();
  });

  function contentOf(id: number): Content | undefined {
    const known = contents.get(id);
    if (known !== undefined) return known;
    const row = db.get('SELECT json FROM content WHERE id = ?', id);
    if (row === undefined) return undefined;
    const content = parseJson<Content>(row.json as string, `content ${id}`);
    if (contents.size >= CACHED) contents.clear();
    contents.set(id, content);
    return content;
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
      stream: facts.content.stream,
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
      const row = db.get(
        `SELECT m.*, c.name AS campaign, l.route FROM message m JOIN lane l ON l.id = m.lane_id LEFT JOIN campaign c ON c.id = m.campaign_id WHERE m.id = ?`,
        id,
      );
      const content = row && contentOf(Number(row.content_id));
      if (row === undefined || content === undefined) return undefined;
      const extra =
        row.extra === null ? {} : parseJson<{ tags?: string[]; metadata?: Row }>(row.extra as string, `message ${id}`);
      const facts: MessageFacts = {
        id,
        contentId: Number(row.content_id),
        content,
        campaignId: row.campaign_id === null ? undefined : Number(row.campaign_id),
        campaign: (row.campaign as string | null) ?? undefined,
        laneId: Number(row.lane_id),
        route: row.route as string,
        sendAt: row.send_at === null ? undefined : Number(row.send_at),
        createdAt: Number(row.created_at),
        tags: extra.tags ?? [],
        metadata: extra.metadata,
      };
      if (messages.size >= CACHED) messages.clear();
      messages.set(id, facts);
      return facts;
    },
    event(delivery, facts, type, at, detail) {
      const id = db.nextId();
      const text = Object.keys(detail).length === 0 ? null : JSON.stringify(detail);
      db.run(
        'INSERT INTO event (id, delivery_id, type, at, detail) VALUES (?, ?, ?, ?, ?)',
        id,
        delivery.id,
        EVENT_TYPES.indexOf(type),
        at,
        text,
      );
      return view(id, delivery, facts, type, at, detail);
    },
    count(facts, metric, at, n = 1) {
      const day = Math.floor(at / DAY_MS);
      // Streams are the scopes -1 and -2, so that campaigns keep their own numbers.
      const scopes = [
        -1 - STREAMS.indexOf(facts.content.stream),
        ...(facts.campaignId === undefined ? [] : [facts.campaignId]),
      ];
      for (const scope of scopes) {
        db.run(
          'INSERT INTO report (scope, day, metric, n) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n',
          scope,
          day,
          METRICS.indexOf(metric),
          n,
        );
      }
    },
    read(row, recipient, facts) {
      const detail =
        row.detail === null ? {} : parseJson<Record<string, unknown>>(row.detail as string, `event ${row.id}`);
      const type = EVENT_TYPES[Number(row.type)] ?? 'failed';
      return view(Number(row.id), { id: Number(row.delivery_id), recipient }, facts, type, Number(row.at), detail);
    },
  };
}

/** Reads JSON of a row. @throws MailRelayError `STORE_CORRUPT` */
export function parseJson<T>(text: string, what: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new MailRelayError('STORE_CORRUPT', { row: what, reason: `${what} cannot be read` }, { cause: error });
  }
}
