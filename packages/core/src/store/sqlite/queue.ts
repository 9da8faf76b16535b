import { sql } from 'kysely';
import type { MessageEvent } from '../../events.ts';
import { type DeliveryState, stateAfter, type Transition, transition, VERDICTS } from '../../message.ts';
import type { ClaimedDelivery, QueueStore, Settlement } from '../../queue/port.ts';
import { isAboutRecipient, type SuppressionPolicy } from '../../suppression-policy.ts';
import { createClock } from './clock.ts';
import type { Consequences } from './consequences.ts';
import type { Database } from './database.ts';
import { type DeliveryRow, readDelivery } from './delivery-row.ts';
import { createLanes } from './lanes.ts';
import { FLAGS, type Ledger, stateCode } from './ledger.ts';
import { createOwners } from './owners.ts';
import { createRateLog } from './rates.ts';

const SENDING = stateCode('sending');
const SENT = stateCode('sent');
/** What came back about a mail before it was known here that it had been sent. */
const AFTER_VERDICTS = sql<number>`case ${sql.join(
  VERDICTS.map((verdict) => sql`when flags & ${FLAGS[verdict]} then ${stateCode(stateAfter([verdict]))}`),
  sql` `,
)} else ${SENT} end`;
const CLAIMED = stateCode(transition('queued', 'claim') ?? 'sending');

/** Which transition each result of an attempt is. */
const TRANSITION_OF = {
  sent: 'send',
  deferred: 'defer',
  bounced: 'bounce',
  failed: 'expire',
  suppressed: 'suppress',
  returned: 'release-lease',
} as const satisfies Record<Settlement['result']['type'], Transition>;

/** What settling writes into a delivery. */
interface Settled {
  readonly id: number;
  readonly owner: number;
  readonly state: number;
  /** 1 where something was sent. */
  readonly tried: number;
  readonly dueAt: number | null;
  readonly now: number;
  readonly sentAt: number | null;
  readonly reason: string | null;
}

/** The queue over SQLite. */
export function createQueueStore(
  db: Database,
  ledger: Ledger,
  { consequences, policy }: { readonly consequences: Consequences; readonly policy: SuppressionPolicy },
): QueueStore {
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
  const markDeferred = db.prepare((query, p: { id: number; owner: number }) =>
    query
      .updateTable('delivery')
      .set((row) => ({ flags: row('flags', '|', FLAGS.deferred) }))
      .where('id', '=', p.id)
      .where('owner', '=', p.owner)
      .where((row) => row(row('flags', '&', FLAGS.deferred), '=', 0)),
  );
  const finish = db.prepare((query, p: Settled) =>
    query
      .updateTable('delivery')
      .set((row) => ({
        state: sql<number>`case when ${p.state} = ${SENT} then ${AFTER_VERDICTS} else ${p.state} end`,
        attempts: row('attempts', '+', p.tried),
        due_at: p.dueAt,
        updated_at: p.now,
        sent_at: p.sentAt,
        owner: null,
        reason: p.reason,
      }))
      .where('id', '=', p.id)
      .where('owner', '=', p.owner)
      .where('state', '=', SENDING)
      .returning(['message_id', 'lane_id', 'recipient', 'attempts']),
  );

  const relocate = db.prepare((query, p: { id: number; lane: number }) =>
    query.updateTable('delivery').set({ lane_id: p.lane }).where('id', '=', p.id),
  );

  function settleOne(settlement: Settlement, owner: number, now: number): MessageEvent[] {
    const { deliveryId: id, startedAt, startCounted, result, transcript } = settlement;
    const reason = 'reply' in result ? result.reply : 'reason' in result ? result.reason : null;
    const sent = result.type === 'sent';
    const firstDeferral = result.type === 'deferred' && markDeferred.run({ id, owner }) > 0;
    const row = finish.get({
      id,
      owner,
      state: stateCode(transition('sending', TRANSITION_OF[result.type]) as DeliveryState),
      tried: startedAt === undefined ? 0 : 1,
      dueAt: dueAfter(settlement, now),
      now,
      sentAt: sent ? now : null,
      reason: sent ? null : reason,
    });
    const facts = row && ledger.message(row.message_id);
    if (row === undefined || facts === undefined) return [];
    const attempt = row.attempts;
    if (!startCounted) {
      const route = lanes.routeOf(row.lane_id);
      if (startedAt === undefined) rates.reserve(route, owner, -1);
      else rates.started(route, owner, [startedAt]);
    }
    if ('movedTo' in result && result.movedTo !== undefined)
      relocate.run({ id, lane: lanes.idOf({ route: result.movedTo, stream: facts.stream }) });
    if (result.type === 'returned') return [];
    if (result.type === 'deferred') {
      ledger.count(facts, 'deferrals', now);
      if (firstDeferral) ledger.count(facts, 'deferred', now);
    } else ledger.count(facts, result.type, now);
    const { type, ...said } = result;
    const detail =
      type === 'suppressed' ? said : { ...said, attempt, ...(transcript === undefined ? {} : { transcript }) };
    const event = ledger.event({ id, recipient: row.recipient }, facts, type, now, detail);
    if (result.type !== 'bounced') return [event];
    const { suppress: hard, reason: why, reply: evidence } = result;
    if (!hard && (result.kind === 'hard' || !isAboutRecipient({ reason: why }))) return [event];
    const { recipient } = row;
    return [event, ...consequences.bounced({ id, recipient, facts, at: now, hard, evidence }, { now, policy })];
  }

  function readOne(row: DeliveryRow, now: number): ClaimedDelivery[] {
    const { id, recipient, attempts } = row;
    try {
      return [{ ...readDelivery(row), attempts }];
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
        for (const [route, limits] of Object.entries(owner.rates)) rates.limit(route, [limits].flat());
        clock.rewind(now);
        return owners.register({ ...owner, routes: owner.routes ?? [] }, now);
      }),
    beat: (owner, { now, leaseMs, fallback, takesOver = true }) =>
      db.write(() => {
        clock.tick(now);
        const alive = owners.beat(owner, now);
        const gone = takesOver ? owners.silentSince(now - leaseMs) : [];
        const recovered = gone.reduce((sum, id) => sum + owners.recover(id, now), 0);
        const present = owners.list();
        const known = new Set(present.flatMap(({ routes }) => routes));
        lanes.see([...known], now);
        if (fallback === undefined || !alive) return { alive, recovered, moved: 0 };
        const seenBefore = present.length === 1 ? Number.POSITIVE_INFINITY : now - fallback.absentMs;
        return { alive, recovered, moved: lanes.reroute(known, fallback.route, seenBefore) };
      }),
    unregister: (owner, now) => db.write(() => void owners.recover(owner, now)),
    claim: ({ lane, limit, owner, now }) =>
      db.write(() => {
        const row = lanes.find(lane);
        if (row === undefined || row.paused === 1) return [];
        const most = Math.min(limit, rates.allowed(lane, now));
        if (most < 1) return [];
        const claimed = findDue.all({ lane: row.id, now, limit: most }).flatMap((found) => readOne(found, now));
        if (claimed.length === 0) return [];
        take.run({ ids: JSON.stringify(claimed.map(({ id }) => id)), owner, now });
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
  };
}

/** When a delivery is due after an attempt; null where it is over. */
function dueAfter({ result, startedAt }: Settlement, now: number): number | null {
  if (result.type === 'returned') return result.dueAt ?? now;
  return result.type === 'deferred' ? retryAtOf(result.retryAt, startedAt, now) : null;
}

/** When to try again. A clock that was set back since the time was worked out must not make the wait longer. */
function retryAtOf(retryAt: number, startedAt: number | undefined, now: number): number {
  const wait = startedAt === undefined ? -1 : retryAt - startedAt;
  return wait < 0 ? retryAt : Math.min(retryAt, now + wait);
}
