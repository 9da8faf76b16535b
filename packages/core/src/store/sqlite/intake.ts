import { createHash } from 'node:crypto';
import { MailRelayError } from '../../errors.ts';
import { type Accepted, decodeId, encodeId, RECIPIENT_KINDS, type SubmittedRecipient } from '../../message.ts';
import type { AcceptInput, Appended, IntakeStore } from '../port.ts';
import type { Database } from './database.ts';
import { type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import { scopesOf } from './scopes.ts';
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
  const insertLane = db.prepare((query, { route, stream }: { route: string; stream: number }) =>
    query.insertInto('lane').values({ route, stream }).returning('id'),
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
  const findRecipient = db.prepare((query, { messageId, recipient }: { messageId: number; recipient: string }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'state'])
      .where('recipient', '=', recipient)
      .where('message_id', '=', messageId),
  );
  const nameInRun = db.prepare((query, p: { run: number; id: number }) =>
    query
      .insertInto('run')
      .values({ run: p.run, delivery_id: p.id })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const forgetRun = db.prepare((query, { run }: { run: number }) => query.deleteFrom('run').where('run', '=', run));
  const findSuppression = db.prepare((query, { address, scope }: { address: string; scope: string }) =>
    query.selectFrom('suppression').select('since').where('address', '=', address).where('scope', '=', scope),
  );
  const insertDeliveryRow = db.prepare((query, p: NewDelivery) =>
    query.insertInto('delivery').values({
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
    }),
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

  function insertMessage(input: Omit<AcceptInput, 'recipients'>): MessageFacts {
    const json = JSON.stringify(input.content);
    const hash = sha256(json);
    const content = findContent.get({ hash }) ?? insertContent.get({ hash, json });
    const lane = { route: input.route, stream: STREAMS.indexOf(input.content.stream) };
    const campaign =
      input.campaign === undefined
        ? undefined
        : (findCampaign.get({ name: input.campaign }) ?? insertCampaign.get({ name: input.campaign }));
    const extra =
      input.tags.length === 0 && input.metadata === undefined
        ? null
        : JSON.stringify({ tags: input.tags, metadata: input.metadata });
    const id = db.nextId();
    insertMessageRow.run({
      id,
      content_id: (content as { id: number }).id,
      campaign_id: campaign?.id ?? null,
      lane_id: ((findLane.get(lane) ?? insertLane.get(lane)) as { id: number }).id,
      send_at: input.sendAt ?? null,
      created_at: input.now,
      extra,
    });
    return ledger.message(id) as MessageFacts;
  }

  function insertDelivery(facts: MessageFacts, recipient: SubmittedRecipient, now: number, run?: number): Appended {
    const { address, name, data, locale, tracking, metadata, rendered } = recipient;
    const before = findRecipient.get({ messageId: facts.id, recipient: address });
    if (before !== undefined) {
      if (run === undefined || nameInRun.run({ run, id: before.id }) === 0) return { rejected: 'duplicate' };
      return { id: encodeId('dlv', before.id), state: stateOf(before.state), repeated: true };
    }
    const id = db.nextId();
    const own = JSON.stringify({ name, data, locale, tracking, metadata, rendered });
    const key = address.toLowerCase();
    const covered = scopesOf(facts.content).some((scope) => findSuppression.get({ address: key, scope }) !== undefined);
    const dueAt = Math.max(now, facts.sendAt ?? 0);
    const state = covered ? 'suppressed' : dueAt > now ? 'scheduled' : 'queued';
    insertDeliveryRow.run({
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
    if (covered)
      ledger.event({ id, recipient: address }, facts, 'suppressed', now, { reason: 'on the suppression list' });
    if (run !== undefined) nameInRun.run({ run, id });
    return { id: encodeId('dlv', id), state, repeated: false };
  }

  function insertAll(
    facts: MessageFacts,
    recipients: readonly SubmittedRecipient[],
    now: number,
    run?: number,
  ): Appended[] {
    const results = recipients.map((recipient) => insertDelivery(facts, recipient, now, run));
    const accepted = results.filter((result) => 'id' in result && !result.repeated);
    const suppressed = accepted.filter((result) => 'id' in result && result.state === 'suppressed').length;
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

  function answer(id: number, repeated: boolean): Accepted {
    const facts = ledger.message(id);
    if (facts === undefined)
      throw new MailRelayError('STORE_CORRUPT', { reason: 'a message that was accepted is gone' });
    const rows = firstDeliveries.all({ messageId: id });
    const deliveries = rows.map((row) => ({
      id: encodeId('dlv', row.id),
      recipient: row.recipient,
      state: stateOf(row.state),
    }));
    return {
      id: encodeId('msg', id),
      messageId: messageIdOf({ content: facts.content, messageId: id, deliveryId: rows[0]?.id ?? 0 }),
      deliveries,
      repeated,
    };
  }

  return {
    accept: (input) =>
      db.write(() => {
        const hash = input.idempotencyKey === undefined ? '' : contentHash(input, input.recipients);
        const before = earlier(input.idempotencyKey, hash);
        if (before !== undefined) return answer(before, true);
        const facts = insertMessage(input);
        insertAll(facts, input.recipients, input.now);
        remember(input.idempotencyKey, hash, facts.id, input.now);
        return answer(facts.id, false);
      }),
    open: (input) =>
      db.write(() => {
        const hash = input.idempotencyKey === undefined ? '' : contentHash(input, []);
        const before = earlier(input.idempotencyKey, hash);
        const id = before ?? insertMessage(input).id;
        if (before === undefined) remember(input.idempotencyKey, hash, id, input.now);
        const { messageId } = answer(id, false);
        return { id: encodeId('msg', id), messageId, repeated: before !== undefined };
      }),
    append: (id, recipients, { now, run }) =>
      db.write(() => {
        const facts = ledger.message(decodeId('msg', id) ?? 0);
        if (facts === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { id });
        return insertAll(facts, recipients, now, run);
      }),
    endRun: (run) => db.write(() => void forgetRun.run({ run })),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/**
 * What must be the same for a key to be repeated: all that the host handed in, but neither the version that a template has by
 * now nor the time to send at, which a retry may well have computed anew.
 */
function contentHash(
  { content, campaign, tags, metadata, route }: Omit<AcceptInput, 'recipients'>,
  recipients: readonly SubmittedRecipient[],
): string {
  return sha256(JSON.stringify([{ ...content, version: undefined }, campaign, tags, metadata, route, recipients]));
}
