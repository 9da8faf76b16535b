import type { MessageEvent } from '../../events.ts';
import type { ClaimedDelivery, QueueStore, Settlement } from '../../queue/port.ts';
import { createClock } from './clock.ts';
import type { Database } from './database.ts';
import { type DeliveryRow, readDelivery } from './delivery-row.ts';
import { createLanes } from './lanes.ts';
import { FLAGS, type Ledger, stateCode } from './ledger.ts';
import { createOwners } from './owners.ts';
import { createRateLog } from './rates.ts';
import type { Suppressions } from './suppressions.ts';

const SENDING = stateCode('sending');

/** What settling writes into a delivery. */
interface Settled {
  readonly id: number;
  readonly state: number;
  readonly flags: number;
  readonly attempts: number;
  readonly dueAt: number | null;
  readonly now: number;
  readonly sentAt: number | null;
  readonly reason: string | null;
}

/** The queue over SQLite. */
export function createQueueStore(db: Database, ledger: Ledger, suppressions: Suppressions): QueueStore {
  const rates = createRateLog(db);
  const owners = createOwners(db, rates);
  const clock = createClock(db, rates);
  const lanes = createLanes(db);

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
  const take = db.prepare((query, p: { id: number; owner: number; now: number }) =>
    query
      .updateTable('delivery')
      .set({ state: SENDING, owner: p.owner, due_at: null, updated_at: p.now })
      .where('id', '=', p.id),
  );
  const giveUp = db.prepare((query, p: { id: number; now: number; reason: string }) =>
    query
      .updateTable('delivery')
      .set({ state: stateCode('failed'), due_at: null, updated_at: p.now, reason: p.reason })
      .where('id', '=', p.id),
  );
  const findHeld = db.prepare((query, p: { id: number; owner: number }) =>
    query
      .selectFrom('delivery')
      .select(['message_id', 'lane_id', 'recipient', 'attempts', 'flags'])
      .where('id', '=', p.id)
      .where('owner', '=', p.owner)
      .where('state', '=', SENDING),
  );
  const finish = db.prepare((query, p: Settled) =>
    query
      .updateTable('delivery')
      .set({
        state: p.state,
        flags: p.flags,
        attempts: p.attempts,
        due_at: p.dueAt,
        updated_at: p.now,
        sent_at: p.sentAt,
        owner: null,
        reason: p.reason,
      })
      .where('id', '=', p.id),
  );

  function settleOne(settlement: Settlement, owner: number, now: number): MessageEvent[] {
    const { deliveryId: id, startedAt, startCounted, result, transcript } = settlement;
    const row = findHeld.get({ id, owner });
    const facts = row && ledger.message(row.message_id);
    if (row === undefined || facts === undefined) return [];
    const attempt = row.attempts + (startedAt === undefined ? 0 : 1);
    const reason = 'reply' in result ? result.reply : 'reason' in result ? result.reason : null;
    const sent = result.type === 'sent';
    finish.run({
      id,
      state: stateCode(result.type === 'returned' ? 'queued' : result.type),
      flags: row.flags | (result.type === 'deferred' ? FLAGS.deferred : 0),
      attempts: attempt,
      dueAt:
        result.type === 'returned'
          ? now
          : result.type === 'deferred'
            ? retryAtOf(result.retryAt, startedAt, now)
            : null,
      now,
      sentAt: sent ? now : null,
      reason: sent ? null : reason,
    });
    if (!startCounted) {
      const route = lanes.routeOf(row.lane_id);
      if (startedAt === undefined) rates.reserve(route, owner, -1);
      else rates.started(route, owner, [startedAt]);
    }
    if (result.type === 'returned') return [];
    if (result.type === 'deferred') {
      ledger.count(facts, 'deferrals', now);
      if ((row.flags & FLAGS.deferred) === 0) ledger.count(facts, 'deferred', now);
    } else ledger.count(facts, result.type, now);
    const { type, ...said } = result;
    const detail =
      type === 'suppressed' ? said : { ...said, attempt, ...(transcript === undefined ? {} : { transcript }) };
    const event = ledger.event({ id, recipient: row.recipient }, facts, type, now, detail);
    if (result.type !== 'bounced' || !result.suppress) return [event];
    const entry = {
      address: row.recipient.toLowerCase(),
      scope: 'all',
      reason: 'bounced',
      evidence: result.reply,
    } as const;
    return [event, ...suppressions.suppress(entry, now)];
  }

  function claimOne(row: DeliveryRow, owner: number, now: number): ClaimedDelivery[] {
    const { id, recipient, attempts } = row;
    try {
      const delivery = readDelivery(row);
      take.run({ id, owner, now });
      return [{ ...delivery, attempts }];
    } catch {
      // One damaged row must not stop the others.
      const reply = 'corrupt row';
      giveUp.run({ id, now, reason: reply });
      const facts = ledger.message(row.message_id);
      if (facts !== undefined) {
        ledger.count(facts, 'failed', now);
        ledger.event({ id, recipient }, facts, 'failed', now, { reply, reason: 'system', attempt: attempts });
      }
      return [];
    }
  }

  return {
    register: (owner, now) =>
      db.write(() => {
        for (const [route, rate] of Object.entries(owner.rates)) rates.limit(route, rate);
        clock.rewind(now);
        return owners.register(owner, now);
      }),
    beat: (owner, { now, leaseMs }) =>
      db.write(() => {
        clock.tick(now);
        const alive = owners.beat(owner, now);
        const gone = owners.silentSince(now - leaseMs);
        return { alive, recovered: gone.reduce((sum, id) => sum + owners.recover(id, now), 0) };
      }),
    unregister: (owner, now) => db.write(() => void owners.recover(owner, now)),
    claim: ({ lane, limit, owner, now }) =>
      db.write(() => {
        const row = lanes.find(lane);
        if (row === undefined || row.paused === 1) return [];
        const most = Math.min(limit, rates.allowed(lane, now));
        if (most < 1) return [];
        const claimed = findDue.all({ lane: row.id, now, limit: most }).flatMap((found) => claimOne(found, owner, now));
        rates.reserve(lane.route, owner, claimed.length);
        return claimed;
      }),
    started: (route, times, owner) => db.write(() => rates.started(route, owner, times)),
    settle: (settlements, { owner, now }) =>
      db.write(() => settlements.flatMap((settlement) => settleOne(settlement, owner, now))),
    nextDueAt(lane) {
      const row = lanes.find(lane);
      return row === undefined || row.paused === 1 ? undefined : lanes.dueAt(row.id);
    },
    nextSlotAt: rates.nextSlotAt,
    changes: db.changes,
    pause: (lane, paused) => db.write(() => lanes.pause(lane, paused)),
    lanes: async () => lanes.list(),
    reroute: (known, to) => db.write(() => lanes.reroute(known, to)),
  };
}

/** When to try again. A clock that was set back since the time was worked out must not make the wait longer. */
function retryAtOf(retryAt: number, startedAt: number | undefined, now: number): number {
  const wait = startedAt === undefined ? -1 : retryAt - startedAt;
  return wait < 0 ? retryAt : Math.min(retryAt, now + wait);
}
