import { sql } from 'kysely';
import type { MessageEvent } from '../../events.ts';
import { type DeliveryState, stateAfter, type Transition, transition, VERDICTS } from '../../message.ts';
import type { QueueStore, Settlement } from '../../queue/port.ts';
import { isAboutRecipient, type SuppressionPolicy } from '../../suppression-policy.ts';
import type { Claims } from './claims.ts';
import { createClock } from './clock.ts';
import type { Consequences } from './consequences.ts';
import type { Database } from './database.ts';
import { AFTER_RETURN } from './delivery-row.ts';
import { TAKEN } from './doubts.ts';
import { createLaneList } from './lane-list.ts';
import type { Lanes } from './lanes.ts';
import { CAME_BACK, FLAGS, type Ledger, stateCode } from './ledger.ts';
import { createOwners } from './owners.ts';
import { type RateLog, rateKey } from './rates.ts';
import { createRunning } from './running.ts';
import type { SiteLanes } from './site-lanes.ts';
import { createTallies } from './tallies.ts';

const SENDING = stateCode('sending');
const SENT = stateCode('sent');
const QUEUED = stateCode('queued');
/** What came back about a mail before it was known here that it had been sent. */
const AFTER_VERDICTS = sql<number>`case ${sql.join(
  VERDICTS.map((verdict) => sql`when flags & ${FLAGS[verdict]} then ${stateCode(stateAfter([verdict]))}`),
  sql` `,
)} else ${SENT} end`;

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
  /** Bits that are set. */
  readonly flags: number;
}

/** The queue over SQLite. */
export function createQueueStore(
  db: Database,
  ledger: Ledger,
  parts: {
    readonly rates: RateLog;
    readonly lanes: Lanes;
    readonly claims: Claims;
    readonly sites: SiteLanes;
    readonly consequences: Consequences;
    readonly policy: SuppressionPolicy;
    /** Forgets what is not kept any longer. */
    sweep(now: number): void;
  },
): QueueStore {
  const { rates, lanes, claims, sites, consequences, policy, sweep } = parts;
  const owners = createOwners(db, rates);
  const clock = createClock(db, rates, sites.refresh);
  const tallies = createTallies(db, ledger);
  const list = createLaneList(db);

  const markDeferred = db.prepare((query, p: { id: number; owner: number }) =>
    query
      .updateTable('delivery')
      .set((row) => ({ flags: row('flags', '|', FLAGS.deferred) }))
      .where('id', '=', p.id)
      .where('owner', '=', p.owner)
      .where((row) => row(row('flags', '&', FLAGS.deferred), '=', 0)),
  );
  const flagsOf = db.prepare((query, p: { id: number }) =>
    query.selectFrom('delivery').select('flags').where('id', '=', p.id),
  );
  const finish = db.prepare((query, p: Settled) =>
    query
      .updateTable('delivery')
      .set((row) => ({
        state: sql<number>`case
          when ${p.state} = ${SENT} then ${AFTER_VERDICTS}
          when ${p.state} = ${QUEUED} then ${AFTER_RETURN}
          else ${p.state} end`,
        attempts: row('attempts', '+', p.tried),
        due_at: p.dueAt,
        updated_at: p.now,
        sent_at: p.sentAt,
        owner: null,
        reason: p.reason,
        flags: sql<number>`(flags | ${p.flags}) & ~(case when ${p.state} = ${SENT} then ${FLAGS.inDoubt} else 0 end)`,
      }))
      .where('id', '=', p.id)
      .where('owner', '=', p.owner)
      .where('state', '=', SENDING)
      .returning(['id', 'message_id', 'lane_id', 'recipient', 'attempts', 'flags', 'firsts']),
  );

  const running = createRunning(db);
  const relocate = db.prepare((query, p: { id: number; lane: number }) =>
    query.updateTable('delivery').set({ lane_id: p.lane }).where('id', '=', p.id),
  );

  /** What came back while a server did not answer says that it has the mail. */
  function resultOf({ deliveryId: id, inDoubt, result }: Settlement): Settlement['result'] {
    if (result.type !== 'deferred' && result.type !== 'failed') return result;
    const flags = flagsOf.get({ id })?.flags ?? 0;
    const doubted = inDoubt === true || (flags & FLAGS.inDoubt) !== 0;
    return doubted && (flags & CAME_BACK) !== 0 ? { type: 'sent', reply: TAKEN } : result;
  }

  function settleOne(settlement: Settlement, owner: number, now: number): MessageEvent[] {
    const { deliveryId: id, startedAt, begunAt = startedAt, startCounted, inDoubt, transcript } = settlement;
    const result = resultOf(settlement);
    const reason = 'reply' in result ? result.reply : 'reason' in result ? result.reason : null;
    const sent = result.type === 'sent';
    const firstDeferral = result.type === 'deferred' && markDeferred.run({ id, owner }) > 0;
    // A bounce mail may have been faster than the answer of the server.
    const before = result.type === 'bounced' || result.type === 'failed' ? (flagsOf.get({ id })?.flags ?? 0) : 0;
    const row = finish.get({
      id,
      owner,
      state: stateCode(transition('sending', TRANSITION_OF[result.type]) as DeliveryState),
      tried: startedAt === undefined ? 0 : 1,
      dueAt: dueAfter({ result, startedAt }, now),
      now,
      sentAt: sent ? now : null,
      reason: sent ? null : reason,
      flags:
        (result.type === 'bounced' && result.kind === 'hard' ? FLAGS.hardBounced : 0) |
        (inDoubt === true ? FLAGS.inDoubt : 0),
    });
    const facts = row && ledger.message(row.message_id);
    if (row === undefined || facts === undefined) return [];
    const attempt = row.attempts;
    const { route, site } = lanes.keyOf(row.lane_id);
    if (site !== '') sites.settled(row.lane_id, settlement);
    for (const key of keysOf(route, site, startCounted)) {
      if (begunAt === undefined) rates.reserve(key, owner, -1);
      else rates.started(key, owner, [begunAt]);
    }
    if ('movedTo' in result && result.movedTo !== undefined)
      relocate.run({ id, lane: lanes.idOf({ route: result.movedTo, stream: facts.stream }) });
    else if (site !== '' && result.type === 'deferred' && result.reason === 'dns')
      // Where it goes was not known, or has changed: it is sorted anew.
      relocate.run({ id, lane: lanes.idOf({ route, stream: facts.stream }) });
    if (result.type === 'returned') return [];
    tallies.settled(row, facts, result, { firstDeferral, before, now });
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

  function recover(owner: number, now: number, unanswered: readonly number[] = []): number {
    const recovered = owners.recover(owner, now, unanswered);
    if (recovered > 0) sites.refresh(now);
    return recovered;
  }

  return {
    register: (owner, now) =>
      db.write(() => {
        sites.shape(owner.shaped, owner.routes ?? [], now);
        const { warmUps = {} } = owner;
        for (const route of new Set([...Object.keys(owner.rates), ...Object.keys(warmUps)]))
          rates.limit(route, [owner.rates[route] ?? []].flat(), warmUps[route]);
        clock.rewind(now);
        return owners.register({ ...owner, routes: owner.routes ?? [] }, now);
      }),
    beat: (owner, { now, leaseMs, fallback, takesOver = true }) =>
      db.carryOn(() => {
        clock.tick(now);
        sweep(now);
        const alive = owners.beat(owner, now);
        const gone = takesOver ? owners.silentSince(now - leaseMs) : [];
        const recovered = gone.reduce((sum, id) => sum + recover(id, now), 0);
        const present = owners.list();
        const known = new Set(present.flatMap(({ routes }) => routes));
        lanes.see([...known], now);
        if (fallback === undefined || !alive) return { alive, recovered, moved: 0 };
        const seenBefore = present.length === 1 ? Number.POSITIVE_INFINITY : now - fallback.absentMs;
        return { alive, recovered, moved: lanes.reroute(known, fallback.route, seenBefore) };
      }),
    unregister: (owner, now, unanswered = []) => db.carryOn(() => void recover(owner, now, unanswered)),
    claim: ({ lane, limit, owner, now }) =>
      db.carryOn(() => {
        const row = lanes.find(lane);
        if (row === undefined || row.paused === 1) return [];
        const overflowUntil = rates.overflowsUntil(lane, now);
        const most = overflowUntil === undefined ? Math.min(limit, rates.allowed(lane, now)) : limit;
        if (most < 1) return [];
        const claimed = claims.take({ lane: row.id, limit: most, owner, now });
        rates.reserve(lane.route, owner, claimed.length);
        return overflowUntil === undefined ? claimed : claimed.map((one) => ({ ...one, overflowUntil }));
      }),
    started: (route, times, owner) => db.carryOn(() => rates.started(route, owner, times)),
    settle: (settlements, { owner, now }) =>
      db.carryOn(() => {
        const events = settlements.flatMap((settlement) => settleOne(settlement, owner, now));
        sites.reschedule(now);
        return events;
      }),
    nextDueAt(lane) {
      const row = lanes.find(lane);
      return row === undefined || row.paused === 1 ? undefined : lanes.dueAt(row.id);
    },
    nextSlotAt: rates.nextSlotAt,
    used: rates.used,
    sending(route) {
      const sent = { transactional: 0, broadcast: 0 };
      for (const { lane_id, n } of running()) {
        const lane = lanes.keyOf(lane_id);
        if (lane.route === route) sent[lane.stream] += n;
      }
      return sent;
    },
    changes: db.changes,
    pause: (lane, paused, now) =>
      db.write(() => {
        lanes.pause(lane, paused);
        if (lane.site === undefined) return;
        const row = lanes.find(lane);
        if (row !== undefined) sites.touched(row.id);
        sites.reschedule(now);
      }),
    lane: list.record,
    lanes: async (query) => list.list(query),
    totals: async () => list.totals(),
  };
}

/** What a start counts for: the route, and its site where it has one. */
function keysOf(route: string, site: string, counted: boolean | undefined): readonly string[] {
  if (site === '') return counted === true ? [] : [route];
  return [route, rateKey({ route, site })];
}

/** When a delivery is due after an attempt; null where it is over. */
function dueAfter({ result, startedAt }: Pick<Settlement, 'result' | 'startedAt'>, now: number): number | null {
  if (result.type === 'returned') return result.dueAt ?? now;
  return result.type === 'deferred' ? retryAtOf(result.retryAt, startedAt, now) : null;
}

/** When to try again. A clock that was set back since the time was worked out must not make the wait longer. */
function retryAtOf(retryAt: number, startedAt: number | undefined, now: number): number {
  const wait = startedAt === undefined ? -1 : retryAt - startedAt;
  return wait < 0 ? retryAt : Math.min(retryAt, now + wait);
}
