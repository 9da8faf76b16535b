import { EVENT_TYPES } from '../../events.ts';
import type { Settlement } from '../../queue/port.ts';
import { DAY_MS } from './counts.ts';
import type { Database } from './database.ts';
import { firstDay } from './first-days.ts';
import { FLAGS, type Ledger, type MessageFacts } from './ledger.ts';
import type { Walked } from './way-counts.ts';

type Result = Exclude<Settlement['result'], { readonly type: 'returned' }>;

/** A delivery as it is after an attempt. */
interface Settled extends Walked {
  readonly id: number;
  readonly flags: number;
  readonly firsts: string | null;
}

interface How {
  readonly firstDeferral: boolean;
  /** Flags of a delivery that bounces or fails, as they were before. */
  readonly before: number;
  readonly now: number;
}

/** What the end of an attempt counts for. Inside of `write`. */
export interface Tallies {
  settled(delivery: Settled, facts: MessageFacts, result: Result, how: How): void;
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

  function ended(
    delivery: Settled,
    facts: MessageFacts,
    result: Exclude<Result, { type: 'deferred' }>,
    how: How,
  ): void {
    const { type } = result;
    const { flags } = delivery;
    const { before, now } = how;
    if (type === 'suppressed') {
      ledger.count(facts, type, now);
      return;
    }
    // What a bounce mail has said has counted already.
    if (type === 'sent' || (before & FLAGS[type]) === 0) ledger.countOf(delivery, facts, type, now);
    const hard = (flags & ~before & FLAGS.hardBounced) !== 0 && type === 'bounced';
    if (hard) ledger.countOf(delivery, facts, 'hardBounced', now);
    if (type === 'sent')
      for (const verdict of ['bounced', 'failed'] as const)
        if ((flags & FLAGS[verdict]) !== 0)
          ledger.countOf(delivery, facts, 'returned', returnedAt(delivery, verdict, now));
    ledger.beat(facts, now, { tried: 1, sent: type === 'sent' ? 1 : 0, hard: hard ? 1 : 0 });
    if ((flags & FLAGS.deferred) === 0) return;
    const since = deferredAt(delivery.id);
    if (since !== undefined) ledger.waited(delivery, type === 'sent' ? 'sent' : 'lost', Math.max(0, now - since), now);
  }

  return {
    settled(delivery, facts, result, how) {
      if (result.type !== 'deferred') return ended(delivery, facts, result, how);
      const { firstDeferral, now } = how;
      ledger.countOf(delivery, facts, 'deferrals', now);
      if (firstDeferral) ledger.countOf(delivery, facts, 'deferred', now);
    },
  };
}

/** What came back while it was being sent is returned on the day on which it bounced or failed. */
function returnedAt({ firsts }: Settled, verdict: 'bounced' | 'failed', now: number): number {
  const day = firstDay(firsts, verdict);
  return day === undefined ? now : day * DAY_MS;
}
