import { canonical } from '../../canonical.ts';
import { MailRelayError } from '../../errors.ts';
import { EVENT_TYPES } from '../../events.ts';
import {
  type Accepted,
  type DeliveryState,
  decodeId,
  encodeId,
  RECIPIENT_KINDS,
  type SubmittedRecipient,
} from '../../message.ts';
import { scopesCovering } from '../../scope.ts';
import type { AcceptInput, Appended, Enclosures, IntakeStore } from '../port.ts';
import { createKeepBlob } from './blobs.ts';
import { contentHash } from './content-hash.ts';
import type { Database } from './database.ts';
import { createFeed } from './feed.ts';
import { createIdempotency } from './idempotency.ts';
import type { Journal } from './journal-port.ts';
import { type Ledger, type MessageFacts, parseJson, stateCode, stateOf } from './ledger.ts';
import { createMessages } from './messages.ts';
import { createNotedMail } from './noted-mail.ts';

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

/** One that was inserted now, or by an earlier run. */
interface Accepting extends Delivered {
  readonly repeated: boolean;
}

type Inserted = Accepting | Extract<Appended, { rejected: unknown }>;

/** Most deliveries that an answer lists. */
const ANSWERED = 1000;

const ACCEPTED = EVENT_TYPES.indexOf('accepted');

/** Accepts messages into SQLite. */
export function createIntake(
  db: Database,
  {
    ledger,
    journal,
    messageIdOf,
  }: { readonly ledger: Ledger; readonly journal: Journal; readonly messageIdOf: MessageIdOf },
): IntakeStore {
  const messages = createMessages(db, ledger);
  const keepBlob = createKeepBlob(db);
  const feed = createFeed(db);
  const { earlier, remember } = createIdempotency(db);
  const findRecipient = db.prepare((query, { messageId, recipient }: { messageId: number; recipient: string }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'state', 'data'])
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
  // No entry of the journal changes the list.
  const findSuppressed = db.prepare(
    (query, { address, now }: { address: string; now: number }) =>
      query
        .selectFrom('suppression')
        .select('scope')
        .where('address', '=', address)
        .where('lifted_at', 'is', null)
        .where((row) => row.or([row('until', 'is', null), row('until', '>', now)])),
    { early: true },
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
  const firstDeliveries = db.prepare((query, { messageId }: { messageId: number }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'recipient', 'state'])
      .where('message_id', '=', messageId)
      .orderBy('id')
      .limit(ANSWERED),
  );

  /** An address that the message has already: known to the run, or from an earlier run. */
  function insertedBefore(messageId: number, recipient: string, own: string, run: number | undefined): Inserted {
    const before = findRecipient.get({ messageId, recipient });
    if (before === undefined || run === undefined || nameInRun.run({ run, id: before.id }) === 0)
      return { rejected: 'duplicate' };
    if (!isSameJson(before.data ?? '{}', own, `delivery ${before.id}`)) return { rejected: 'conflict' };
    return { id: before.id, recipient, state: stateOf(before.state), repeated: true };
  }

  /** Deliveries of one message may wait for different routes. */
  function laneOf(facts: MessageFacts, route: string | undefined, now: number): number {
    return route === undefined || route === facts.route ? facts.laneId : messages.laneOf(route, facts.stream, now);
  }

  function insertDelivery(
    facts: MessageFacts,
    recipient: SubmittedRecipient,
    {
      now,
      run,
      route,
      id = db.nextId(now),
    }: {
      readonly now: number;
      readonly run: number | undefined;
      readonly route: string | undefined;
      readonly id: number | undefined;
    },
  ): Inserted {
    const { address, name, data, locale, tracking, metadata, rendered } = recipient;
    const own = JSON.stringify({ name, data, locale, tracking, metadata, rendered });
    const suppressed = findSuppressed.all({ address: address.toLowerCase(), now });
    const covered =
      suppressed.length > 0 &&
      scopesCovering(facts.content).some((one) => suppressed.some(({ scope }) => scope === one));
    const dueAt = Math.max(now, facts.sendAt ?? 0);
    const state = covered ? 'suppressed' : dueAt > now ? 'scheduled' : 'queued';
    const inserted = insertDeliveryRow.run({
      id,
      messageId: facts.id,
      laneId: laneOf(facts, route, now),
      recipient: address,
      kind: RECIPIENT_KINDS.indexOf(recipient.kind),
      state: stateCode(state),
      now,
      dueAt: covered ? null : dueAt,
      data: own === '{}' ? null : own,
    });
    if (inserted === 0) return insertedBefore(facts.id, address, own, run);
    feed.note(id, id, ACCEPTED);
    if (covered)
      ledger.event({ id, recipient: address }, facts, 'suppressed', now, { reason: 'on the suppression list' });
    if (run !== undefined) nameInRun.run({ run, id });
    return { id, recipient: address, state, repeated: false };
  }

  function insertAll(
    facts: MessageFacts,
    recipients: readonly SubmittedRecipient[],
    { now, run, routes, ids }: Parameters<IntakeStore['append']>[2] & { readonly ids?: readonly number[] },
  ): Inserted[] {
    const results = recipients.map((recipient, index) =>
      insertDelivery(facts, recipient, { now, run, route: routes?.[index], id: ids?.[index] }),
    );
    const accepted = results.filter(isAccepted).filter(({ repeated }) => !repeated);
    const suppressed = accepted.filter(({ state }) => state === 'suppressed').length;
    if (accepted.length > 0) ledger.count(facts, 'accepted', now, accepted.length);
    if (suppressed > 0) ledger.count(facts, 'suppressed', now, suppressed);
    return results;
  }

  function keepEnclosed(enclosed: Enclosures | undefined): void {
    for (const [hash, bytes] of enclosed ?? []) keepBlob('attachment', hash, bytes);
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

  function answer(
    { id, content }: Pick<MessageFacts, 'id' | 'content'>,
    deliveries: readonly Delivered[],
    repeated: boolean,
  ): Accepted {
    return {
      id: encodeId('msg', id),
      messageId: messageIdOf({ content, messageId: id, deliveryId: deliveries[0]?.id ?? 0 }),
      deliveries: deliveries.map(({ id: number, recipient, state }) => ({
        id: encodeId('dlv', number),
        recipient,
        state,
      })),
      repeated,
    };
  }

  function acceptNow(input: AcceptInput, enclosed: Enclosures | undefined): Accepted {
    const hash = input.idempotencyKey === undefined ? '' : contentHash(input, input.recipients);
    const before = earlier(input.idempotencyKey, hash);
    if (before !== undefined) return answerAgain(before);
    keepEnclosed(enclosed);
    const facts = messages.insert(input);
    const results = insertAll(facts, input.recipients, input);
    remember(input.idempotencyKey, hash, facts.id, input.now);
    return answer(facts, results.filter(isAccepted).slice(0, ANSWERED), false);
  }

  const noteMail = createNotedMail({
    db,
    journal,
    isSuppressed: (address, now) => findSuppressed.get({ address, now }) !== undefined,
    post({ input, ids: [id, ...ids] }) {
      insertAll(messages.insert(input, id), input.recipients, { ...input, ids });
    },
  });

  return {
    async accept(input, enclosed, onPosted) {
      let posted = false;
      const accepted = await db.write(() => {
        const noted = noteMail(input, enclosed, onPosted);
        posted = noted === undefined;
        if (noted === undefined) return acceptNow(input, enclosed);
        return answer({ id: noted.id, content: input.content }, noted.deliveries, false);
      });
      if (posted) onPosted?.();
      return accepted;
    },
    open: (input, enclosed) =>
      db.write(() => {
        const hash = input.idempotencyKey === undefined ? '' : contentHash(input, []);
        const before = earlier(input.idempotencyKey, hash);
        if (before !== undefined) {
          const { id, messageId } = answerAgain(before);
          return { id, messageId, repeated: true };
        }
        keepEnclosed(enclosed);
        const facts = messages.insert(input);
        remember(input.idempotencyKey, hash, facts.id, input.now);
        const { id, messageId } = answer(facts, [], false);
        return { id, messageId, repeated: false };
      }),
    append: (id, recipients, options) =>
      db.write(() => {
        const facts = ledger.message(decodeId('msg', id) ?? 0);
        if (facts === undefined) throw new MailRelayError('MESSAGE_NOT_FOUND', { id });
        return insertAll(facts, recipients, options).map((result) =>
          isAccepted(result)
            ? { id: encodeId('dlv', result.id), state: result.state, repeated: result.repeated }
            : result,
        );
      }),
    endRun: (run) => db.write(() => void forgetRun.run({ run })),
  };
}

/** Whether what is stored is the same JSON, but for the order of keys. @throws MailRelayError `STORE_CORRUPT` */
function isSameJson(stored: string, fresh: string, what: string): boolean {
  return stored === fresh || canonical(parseJson(stored, what)) === canonical(JSON.parse(fresh));
}

function isAccepted(result: Inserted): result is Accepting {
  return 'id' in result;
}
