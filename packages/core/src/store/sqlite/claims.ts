import { sql } from 'kysely';
import { transition } from '../../message.ts';
import type { ClaimedDelivery } from '../../queue/port.ts';
import type { Database } from './database.ts';
import { type DeliveryRow, doubtOf, readDelivery } from './delivery-row.ts';
import { type Ledger, stateCode } from './ledger.ts';
import type { Screened } from './screened.ts';

const CLAIMED = stateCode(transition('queued', 'claim') ?? 'sending');

/** Hands out what is due in a lane. Inside of `write`. */
export interface Claims {
  take(request: {
    readonly lane: number;
    readonly limit: number;
    readonly owner: number;
    readonly now: number;
  }): ClaimedDelivery[];
}

/** Claims in SQLite. */
export function createClaims(db: Database, ledger: Ledger, screened: Pick<Screened, 'screen'>): Claims {
  const findDue = db.prepare((query, p: { lane: number; now: number; limit: number }) =>
    query
      .selectFrom('delivery')
      .selectAll()
      .where('lane_id', '=', p.lane)
      .where('due_at', '<=', p.now)
      .orderBy('due_at')
      .orderBy('id')
      .limit(p.limit),
  );
  const take = db.prepare((query, p: { ids: string; owner: number; now: number }) =>
    query
      .updateTable('delivery')
      .set({ state: CLAIMED, owner: p.owner, due_at: null, updated_at: p.now })
      .where('id', 'in', sql<number>`(select value from json_each(${p.ids}))`),
  );
  const giveUp = db.prepare((query, p: { id: number; now: number; reason: string }) =>
    query
      .updateTable('delivery')
      .set({ state: stateCode('failed'), due_at: null, updated_at: p.now, reason: p.reason })
      .where('id', '=', p.id),
  );

  function readOne(row: DeliveryRow, now: number): ClaimedDelivery[] {
    const { id, recipient, attempts } = row;
    try {
      return [{ ...readDelivery(row), attempts, ...doubtOf(row) }];
    } catch {
      // One damaged row must not stop the others.
      const reply = 'corrupt row';
      giveUp.run({ id, now, reason: reply });
      const facts = ledger.message(row.message_id);
      if (facts !== undefined) {
        ledger.countOf(row, facts, 'failed', now);
        ledger.beat(facts, now, { tried: 1 });
        ledger.event({ id, recipient }, facts, 'failed', now, { reply, reason: 'system', attempt: attempts });
      }
      return [];
    }
  }

  return {
    take({ lane, limit, owner, now }) {
      const claimed = findDue.all({ lane, now, limit }).flatMap((found) => readOne(found, now));
      if (claimed.length === 0) return claimed;
      take.run({ ids: JSON.stringify(claimed.map(({ id }) => id)), owner, now });
      screened.screen(claimed.map(({ address }) => address));
      return claimed;
    },
  };
}
