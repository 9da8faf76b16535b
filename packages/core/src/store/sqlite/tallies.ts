import { EVENT_TYPES } from '../../events.ts';
import type { Settlement } from '../../queue/port.ts';
import type { Database } from './database.ts';
import { FLAGS, type Ledger, type MessageFacts } from './ledger.ts';
import type { Walked } from './way-counts.ts';

type Result = Exclude<Settlement['result'], { readonly type: 'returned' }>;

/** A delivery as it is after an attempt. */
interface Settled extends Walked {
  readonly id: number;
  readonly flags: number;
}

/** What the end of an attempt counts for. Inside of `write`. */
export interface Tallies {
  settled(
    delivery: Settled,
    facts: MessageFacts,
    result: Result,
    how: { readonly firstDeferral: boolean; readonly now: number },
  ): void;
}

const DEFERRED = EVENT_TYPES.indexOf('deferred');
const RETRIED = EVENT_TYPES.indexOf('retried');

/** Tallies in SQLite. */
export function createTallies(db: Database, ledger: Ledger): Tallies {
  const deferrals = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('event')
      .select(['type', 'at'])
      .where('delivery_id', '=', id)
      .where('type', 'in', [DEFERRED, RETRIED])
      .orderBy('id'),
  );

  /** When a delivery was first deferred since it was last put into the queue. */
  function deferredAt(id: number): number | undefined {
    const rows = deferrals.all({ id });
    return rows.slice(rows.findLastIndex(({ type }) => type === RETRIED) + 1)[0]?.at;
  }

  function ended(delivery: Settled, facts: MessageFacts, result: Exclude<Result, { type: 'deferred' }>, now: number) {
    const { type } = result;
    if (type === 'suppressed') return ledger.count(facts, type, now);
    const { flags } = delivery;
    // A bounce mail that was faster than the answer of the server has counted already.
    const known = type === 'bounced' && (flags & FLAGS.bounced) !== 0;
    if (!known) ledger.countOf(delivery, facts, type, now);
    const hard = type === 'bounced' && result.kind === 'hard' && !known;
    if (hard) ledger.countOf(delivery, facts, 'hardBounced', now);
    if (type === 'sent')
      for (const verdict of ['bounced', 'failed'] as const)
        if ((flags & FLAGS[verdict]) !== 0) ledger.countOf(delivery, facts, 'returned', now);
    ledger.beat(facts, now, { tried: 1, ...(type === 'sent' ? { sent: 1 } : {}), ...(hard ? { hard: 1 } : {}) });
    if ((flags & FLAGS.deferred) === 0) return;
    const since = deferredAt(delivery.id);
    if (since !== undefined) ledger.waited(delivery, type === 'sent' ? 'sent' : 'lost', Math.max(0, now - since), now);
  }

  return {
    settled(delivery, facts, result, { firstDeferral, now }) {
      if (result.type !== 'deferred') return ended(delivery, facts, result, now);
      ledger.countOf(delivery, facts, 'deferrals', now);
      if (firstDeferral) ledger.countOf(delivery, facts, 'deferred', now);
    },
  };
}
