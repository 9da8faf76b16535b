import { createHash } from 'node:crypto';
import { canonical } from '../../canonical.ts';
import { MailRelayError } from '../../errors.ts';
import {
  type Accepted,
  type DeliveryState,
  decodeId,
  encodeId,
  RECIPIENT_KINDS,
  type SubmittedRecipient,
} from '../../message.ts';
import { scopesCovering } from '../../scope.ts';
import type { AcceptInput, Appended, IntakeStore } from '../port.ts';
import type { Database } from './database.ts';
import { type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import type { Tables } from './tables.ts';

/** Names the RFC 5322 Message-ID of a mail. */
export type MessageIdOf = (mail: {
  readonly content: AcceptInput['content'];
  readonly messageId: number;
  readonly deliveryId: number;
}) => string;

interface NewDelivery {
  readonly id: number;
  readonly messageId: number;
  readonly laneId: number;
  readonly recipient: string;
  readonly kind: number;
  readonly state: number;
  readonly now: number;
  readonly dueAt: number | null;
  readonly data: string | null;
}

/** A delivery by its number. */
interface Delivered {
  readonly id: number;
  readonly recipient: string;
  readonly state: DeliveryState;
}

type Inserted = Delivered | Extract<Appended, { rejected: unknown }>;

/** Most deliveries that an answer lists. */
const ANSWERED = 1000;

/** Accepts messages into SQLite. */
export function createIntake(db: Database, ledger: Ledger, messageIdOf: MessageIdOf): IntakeStore {
  const findContent = db.prepare((query, { hash }: { hash: string }) =>
    query.selectFrom('content').select('id').where('hash', '=', hash),
  );
  const insertContent = db.prepare((query, { hash, json }: { hash: string; json: string }) =>
    query.insertInto('content').values({ hash, json }).returning('id'),
  );
  const findLane = db.prepare((query, { route, stream }: { route: string; stream: number }) =>
    query.selectFrom('lane').select('id').where('route', '=', route).where('stream', '=', stream),
  );
  const insertLane = db.prepare((query, p: { route: string; stream: number; now: number }) =>
    query.insertInto('lane').values({ route: p.route, stream: p.stream, known_at: p.now }).returning('id'),
  );
  const findCampaign = db.prepare((query, { name }: { name: string }) =>
    query.selectFrom('campaign').select('id').where('name', '=', name),
  );
  const insertCampaign = db.prepare((query, { name }: { name: string }) =>
    query.insertInto('campaign').values({ name }).returning('id'),
  );
  const insertMessageRow = db.prepare((query, p: Tables['message']) =>
    query.insertInto('message').values({
      id: p.id,
      content_id: p.content_id,
      campaign_id: p.campaign_id,
      lane_id: p.lane_id,
      send_at: p.send_at,
      created_at: p.created_at,
      extra: p.extra,
    }),
  );
  const findSuppressed = db.prepare((query, { address }: { address: string }) =>
    query.selectFrom('suppression').select('scope').where('address', '=', address),
  );
  const insertDeliveryRow = db.prepare((query, p: NewDelivery) =>
    query
      .insertInto('delivery')
      .values({
        id: p.id,
        message_id: p.messageId,
        lane_id: p.laneId,
        recipient: p.recipient,
        kind: p.kind,
        state: p.state,
        accepted_at: p.now,
        due_at: p.dueAt,
        updated_at: p.now,
        data: p.data,
      })
      .onConflict((conflict) => conflict.columns(['recipient', 'message_id']).doNothing()),
  );
  const findKey = db.prepare((query, { key }: { key: string }) =>
    query.selectFrom('idempotency').select(['hash', 'message_id']).where('key', '=', key),
  );
  const insertKey = db.prepare((query, p: { key: string; hash: string; messageId: number; now: number }) =>
    query.insertInto('idempotency').values({ key: p.key, hash: p.hash, message_id: p.messageId, created_at: p.now }),
  );
  const firstDeliveries = db.prepare((query, { messageId }: { messageId: number }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'recipient', 'state'])
      .where('message_id', '=', messageId)
      .orderBy('id')
      .limit(ANSWERED),
  );

  function contentOf(content: AcceptInput['content']): { id: number; value: AcceptInput['content']; length: number } {
    const json = JSON.stringify(content);
    const hash = sha256(json);
    const { id } = (findContent.get({ hash }) ?? insertContent.get({ hash, json })) as { id: number };
    return { id, value: content, length: json.length };
  }

  function insertMessage(input: Omit<AcceptInput, 'recipients'>): MessageFacts {
    const { campaign, tags, metadata, route, sendAt, now } = input;
    const { stream } = input.content;
    const content = contentOf(input.content);
    const lane = { route, stream: STREAMS.indexOf(stream) };
    const campaignId =
      campaign === undefined
        ? undefined
        : (findCampaign.get({ name: campaign }) ?? insertCampaign.get({ name: campaign }))?.id;
    const { id: laneId } = (findLane.get(lane) ?? insertLane.get({ ...lane, now })) as { id: number };
    const id = db.nextId(now);
    insertMessageRow.run({
      id,
      content_id: content.id,
      campaign_id: campaignId ?? null,
      lane_id: laneId,
      send_at: sendAt ?? null,
      created_at: now,
      extra: tags.length === 0 && metadata === undefined ? null : JSON.stringify({ tags, metadata }),
    });
    const facts = { id, stream, campaignId, campaign, laneId, route, sendAt, createdAt: now, tags, metadata };
    return ledger.remember(facts, content);
  }

  function insertDelivery(facts: MessageFacts, recipient: SubmittedRecipient, now: number): Inserted {
    const { address, name, data, locale, tracking, metadata, rendered } = recipient;
    const id = db.nextId(now);
    const own = JSON.stringify({ name, data, locale, tracking, metadata, rendered });
    const suppressed = findSuppressed.all({ address: address.toLowerCase() });
    const covered =
      suppressed.length > 0 &&
      scopesCovering(facts.content).some((one) => suppressed.some(({ scope }) => scope === one));
    const dueAt = Math.max(now, facts.sendAt ?? 0);
    const state = covered ? 'suppressed' : dueAt > now ? 'scheduled' : 'queued';
    const inserted = insertDeliveryRow.run({
      id,
      messageId: facts.id,
      laneId: facts.laneId,
      recipient: address,
      kind: RECIPIENT_KINDS.indexOf(recipient.kind),
      state: stateCode(state),
      now,
      dueAt: covered ? null : dueAt,
      data: own === '{}' ? null : own,
    });
    if (inserted === 0) return { rejected: 'duplicate' };
    if (covered)
      ledger.event({ id, recipient: address }, facts, 'suppressed', now, { reason: 'on the suppression list' });
    return { id, recipient: address, state };
  }

  function insertAll(facts: MessageFacts, recipients: readonly SubmittedRecipient[], now: number): Inserted[] {
    const results = recipients.map((recipient) => insertDelivery(facts, recipient, now));
    const accepted = results.filter(isAccepted);
    const suppressed = accepted.filter(({ state }) => state === 'suppressed').length;
    if (accepted.length > 0) ledger.count(facts, 'accepted', now, accepted.length);
    if (suppressed > 0) ledger.count(facts, 'suppressed', now, suppressed);
    return results;
  }

  /** The message that the key made before; throws where it had other content. */
  function earlier(key: string | undefined, hash: string): number | undefined {
    if (key === undefined) return undefined;
    const row = findKey.get({ key });
    if (row === undefined) return undefined;
    if (row.hash !== hash)
      throw new MailRelayError('IDEMPOTENCY_CONFLICT', {
        idempotencyKey: key,
        reason: `the key ${key} belongs to another message`,
      });
    return row.message_id;
  }

  function remember(key: string | undefined, hash: string, id: number, now: number): void {
    if (key !== undefined) insertKey.run({ key, hash, messageId: id, now });
  }

  /** What an earlier call was answered. */
  function answerAgain(id: number): Accepted {
    const facts = ledger.message(id);
    if (facts === undefined)
      throw new MailRelayError('STORE_CORRUPT', { reason: 'a message that was accepted is gone' });
    const deliveries = firstDeliveries.all({ messageId: id }).map((row) => ({
      id: row.id,
      recipient: row.recipient,
      state: stateOf(row.state),
    }));
    return answer(facts, deliveries, true);
  }

  function answer(facts: MessageFacts, deliveries: readonly Delivered[], repeated: boolean): Accepted {
    const { id, content } = facts;
    return {
      id: encodeId('msg', id),
      messageId: messageIdOf({ content, messageId: id, deliveryId: deliveries[0]?.id ?? 0 }),
      deliveries: deliveries.map((delivery) => ({ ...delivery, id: encodeId('dlv', delivery.id) })),
      repeated,
    };
  }

  return {
    accept: (input) =>
      db.write(() => {
        const hash = input.idempotencyKey === undefined ? '' : contentHash(input, input.recipients);
        const before = earlier(input.idempotencyKey, hash);
        if (before !== undefined) return answerAgain(before);
        const facts = insertMessage(input);
        const results = insertAll(facts, input.recipients, input.now);
        remember(input.idempotencyKey, hash, facts.id, input.now);
        return answer(facts, results.filter(isAccepted).slice(0, ANSWERED), false);
      }),
    open: (input) =>
      db.write(() => {
        const hash = input.idempotencyKey === undefined ? '' : contentHash(input, []);
        const before = earlier(input.idempotencyKey, hash);
        if (before !== undefined) {
          const { id, messageId } = answerAgain(before);
          return { id, messageId, repeated: true };
        }
        const facts = insertMessage(input);
        remember(input.idempotencyKey, hash, facts.id, input.now);
        const { id, messageId } = answer(facts, [], false);
        return { id, messageId, repeated: false };
      }),
    append: (id, recipients, { now }) =>
      db.write(() => {
        const facts = ledger.message(decodeId('msg', id) ?? 0);
        if (facts === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { id });
        return insertAll(facts, recipients, now).map((result) =>
          isAccepted(result) ? { id: encodeId('dlv', result.id), state: result.state } : result,
        );
      }),
  };
}

function isAccepted(result: Inserted): result is Delivered {
  return 'id' in result;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** What must be the same for a key to be repeated: all that the host handed in, but not the version that a template has by now. */
function contentHash(
  { content, campaign, tags, metadata, sendAt, route }: Omit<AcceptInput, 'recipients'>,
  recipients: readonly SubmittedRecipient[],
): string {
  // Objects come with their keys in any order; the headers of one name stay in theirs.
  const headers = content.headers.toSorted(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const all = { ...content, headers, version: undefined };
  return sha256(canonical([all, campaign, tags, metadata, sendAt, route, recipients]));
}
