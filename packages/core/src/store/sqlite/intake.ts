import { createHash } from 'node:crypto';
import { MailRelayError } from '../../errors.ts';
import { type Accepted, decodeId, encodeId, RECIPIENT_KINDS, type SubmittedRecipient } from '../../message.ts';
import type { AcceptInput, Appended, IntakeStore } from '../port.ts';
import type { Database } from './database.ts';
import { type Ledger, type MessageFacts, STREAMS, stateCode, stateOf } from './ledger.ts';
import { scopesOf } from './scopes.ts';

/** Names the RFC 5322 Message-ID of a mail. */
export type MessageIdOf = (mail: {
  readonly content: AcceptInput['content'];
  readonly messageId: number;
  readonly deliveryId: number;
}) => string;

/** Accepts messages into SQLite. */
export function createIntake(db: Database, ledger: Ledger, messageIdOf: MessageIdOf): IntakeStore {
  function idOf(sql: string, insert: string, ...values: (string | number)[]): number {
    const found = db.get(sql, ...values.slice(0, sql.split('?').length - 1));
    if (found !== undefined) return Number(found.id);
    db.run(insert, ...values);
    return Number(db.get(sql, ...values.slice(0, sql.split('?').length - 1))?.id);
  }

  function insertMessage(input: Omit<AcceptInput, 'recipients'>): MessageFacts {
    const json = JSON.stringify(input.content);
    const contentId = idOf(
      'SELECT id FROM content WHERE hash = ?',
      'INSERT INTO content (hash, json) VALUES (?, ?)',
      sha256(json),
      json,
    );
    const lane = idOf(
      'SELECT id FROM lane WHERE route = ? AND stream = ?',
      'INSERT INTO lane (route, stream) VALUES (?, ?)',
      input.route,
      STREAMS.indexOf(input.content.stream),
    );
    const campaign =
      input.campaign === undefined
        ? null
        : idOf('SELECT id FROM campaign WHERE name = ?', 'INSERT INTO campaign (name) VALUES (?)', input.campaign);
    const extra =
      input.tags.length === 0 && input.metadata === undefined
        ? null
        : JSON.stringify({ tags: input.tags, metadata: input.metadata });
    const id = db.nextId();
    db.run(
      'INSERT INTO message (id, content_id, campaign_id, lane_id, send_at, created_at, extra) VALUES (?, ?, ?, ?, ?, ?, ?)',
      id,
      contentId,
      campaign,
      lane,
      input.sendAt ?? null,
      input.now,
      extra,
    );
    return ledger.message(id) as MessageFacts;
  }

  function insertDelivery(facts: MessageFacts, recipient: SubmittedRecipient, now: number): Appended {
    const { address, name, data, locale, tracking, metadata, rendered } = recipient;
    if (db.get('SELECT id FROM delivery WHERE message_id = ? AND recipient = ?', facts.id, address) !== undefined)
      return { rejected: 'duplicate' };
    const id = db.nextId();
    const own = JSON.stringify({ name, data, locale, tracking, metadata, rendered });
    const covered = scopesOf(facts.content).some(
      (scope) =>
        db.get('SELECT 1 FROM suppression WHERE address = ? AND scope = ?', address.toLowerCase(), scope) !== undefined,
    );
    const dueAt = Math.max(now, facts.sendAt ?? 0);
    const state = covered ? 'suppressed' : dueAt > now ? 'scheduled' : 'queued';
    db.run(
      'INSERT INTO delivery (id, message_id, lane_id, recipient, kind, state, accepted_at, due_at, updated_at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      facts.id,
      facts.laneId,
      address,
      RECIPIENT_KINDS.indexOf(recipient.kind),
      stateCode(state),
      now,
      covered ? null : dueAt,
      now,
      own === '{}' ? null : own,
    );
    if (covered)
      ledger.event({ id, recipient: address }, facts, 'suppressed', now, { reason: 'on the suppression list' });
    return { id: encodeId('dlv', id), state };
  }

  function insertAll(facts: MessageFacts, recipients: readonly SubmittedRecipient[], now: number): Appended[] {
    const results = recipients.map((recipient) => insertDelivery(facts, recipient, now));
    const accepted = results.filter((result) => 'id' in result);
    const suppressed = accepted.filter(({ state }) => state === 'suppressed').length;
    if (accepted.length > 0) ledger.count(facts, 'accepted', now, accepted.length);
    if (suppressed > 0) ledger.count(facts, 'suppressed', now, suppressed);
    return results;
  }

  /** The message that the key made before; throws where it had other content. */
  function earlier(key: string | undefined, hash: string): number | undefined {
    if (key === undefined) return undefined;
    const row = db.get('SELECT hash, message_id FROM idempotency WHERE key = ?', key);
    if (row === undefined) return undefined;
    if (row.hash !== hash)
      throw new MailRelayError('IDEMPOTENCY_CONFLICT', {
        idempotencyKey: key,
        reason: `the key ${key} belongs to another message`,
      });
    return Number(row.message_id);
  }

  function remember(key: string | undefined, hash: string, id: number, now: number): void {
    if (key !== undefined)
      db.run('INSERT INTO idempotency (key, hash, message_id, created_at) VALUES (?, ?, ?, ?)', key, hash, id, now);
  }

  function answer(id: number, repeated: boolean): Accepted {
    const facts = ledger.message(id);
    if (facts === undefined)
      throw new MailRelayError('STORE_CORRUPT', { reason: 'a message that was accepted is gone' });
    const rows = db.all('SELECT id, recipient, state FROM delivery WHERE message_id = ? ORDER BY id LIMIT 1000', id);
    const deliveries = rows.map((row) => ({
      id: encodeId('dlv', Number(row.id)),
      recipient: row.recipient as string,
      state: stateOf(row.state),
    }));
    return {
      id: encodeId('msg', id),
      messageId: messageIdOf({ content: facts.content, messageId: id, deliveryId: Number(rows[0]?.id ?? 0) }),
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
    append: (id, recipients, { now }) =>
      db.write(() => {
        const facts = ledger.message(decodeId('msg', id) ?? 0);
        if (facts === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { id });
        return insertAll(facts, recipients, now);
      }),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** What must be the same for a key to be repeated: all that the host handed in, but not the version that a template has by now. */
function contentHash(
  { content, campaign, tags, metadata, sendAt, route }: Omit<AcceptInput, 'recipients'>,
  recipients: readonly SubmittedRecipient[],
): string {
  return sha256(
    JSON.stringify([{ ...content, version: undefined }, campaign, tags, metadata, sendAt, route, recipients]),
  );
}
