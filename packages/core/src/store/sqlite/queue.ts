import type { MessageEvent } from '../../events.ts';
import { RECIPIENT_KINDS } from '../../message.ts';
import type { ClaimedDelivery, LaneKey, QueueStore, Rate, Settlement } from '../../queue/port.ts';
import type { StoredDelivery, SuppressionStore } from '../port.ts';
import type { Database, Row } from './database.ts';
import { FLAGS, type Ledger, parseJson, STREAMS, stateCode } from './ledger.ts';

/** A delivery out of its row. @throws MailRelayError `STORE_CORRUPT` */
export function readDelivery(row: Row): StoredDelivery {
  const own = row.data === null ? {} : parseJson<Partial<StoredDelivery>>(row.data as string, `delivery ${row.id}`);
  return {
    id: Number(row.id),
    messageId: Number(row.message_id),
    address: row.recipient as string,
    name: own.name,
    kind: RECIPIENT_KINDS[Number(row.kind)] ?? 'to',
    data: own.data,
    rendered: own.rendered,
    locale: own.locale,
    tracking: own.tracking,
    acceptedAt: Number(row.accepted_at),
    sentAt: row.sent_at === null ? undefined : Number(row.sent_at),
  };
}

const SENDING = stateCode('sending');

/** The queue over SQLite. */
export function createQueueStore(db: Database, ledger: Ledger, suppress: SuppressionStore): QueueStore {
  const rates = new Map<string, Rate>();
  const laneOf = ({ route, stream }: LaneKey): Row | undefined =>
    db.get('SELECT id, paused FROM lane WHERE route = ? AND stream = ?', route, STREAMS.indexOf(stream));

  /** Starts that the rate allows now: those on their way and not settled count as now. */
  function allowed(route: string, rate: Rate, now: number): number {
    db.run('DELETE FROM rate_start WHERE route = ? AND bucket_end + ? <= ?', route, rate.windowMs, now);
    const started = Number(db.get('SELECT coalesce(sum(n), 0) AS n FROM rate_start WHERE route = ?', route)?.n);
    const sending = db.get(
      'SELECT count(*) AS n FROM delivery WHERE owner IS NOT NULL AND lane_id IN (SELECT id FROM lane WHERE route = ?)',
      route,
    );
    return rate.limit - started - Number(sending?.n);
  }

  function started(route: string, at: number, n = 1): void {
    const rate = rates.get(route);
    if (rate === undefined) return;
    const size = Math.max(1, Math.floor(rate.windowMs / 100));
    // A start counts until the end of its bucket, and a window: never too short.
    const end = (Math.floor(at / size) + 1) * size;
    db.run(
      'INSERT INTO rate_start (route, bucket_end, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n',
      route,
      end,
      n,
    );
  }

  /** What an owner that is gone had: back into the queue, and counted as started now. */
  function recover(owner: number, now: number, dead: boolean): number {
    const routes = db.all(
      'SELECT l.route, count(*) AS n FROM delivery d JOIN lane l ON l.id = d.lane_id WHERE d.owner = ? GROUP BY l.route',
      owner,
    );
    if (dead) for (const { route, n } of routes) started(route as string, now, Number(n));
    const changed = db.run(
      'UPDATE delivery SET state = ?, owner = NULL, due_at = ?, updated_at = ? WHERE owner = ?',
      stateCode('queued'),
      now,
      now,
      owner,
    );
    db.run('DELETE FROM owner WHERE id = ?', owner);
    return changed;
  }

  function settleOne(
    { deliveryId, startedAt, result, transcript }: Settlement,
    owner: number,
    now: number,
  ): MessageEvent[] {
    const row = db.get('SELECT * FROM delivery WHERE id = ? AND owner = ? AND state = ?', deliveryId, owner, SENDING);
    const facts = row && ledger.message(Number(row.message_id));
    if (row === undefined || facts === undefined) return [];
    const delivery = { id: deliveryId, recipient: row.recipient as string };
    const attempt = Number(row.attempts) + (startedAt === undefined ? 0 : 1);
    const flags = Number(row.flags) | (result.type === 'deferred' ? FLAGS.deferred : 0);
    const state = result.type === 'returned' ? 'queued' : result.type;
    const dueAt = result.type === 'returned' ? now : result.type === 'deferred' ? result.retryAt : null;
    const reason = 'reply' in result ? result.reply : 'reason' in result ? result.reason : null;
    db.run(
      'UPDATE delivery SET state = ?, flags = ?, attempts = ?, due_at = ?, updated_at = ?, sent_at = ?, owner = NULL, reason = ? WHERE id = ?',
      stateCode(state),
      flags,
      attempt,
      dueAt,
      now,
      result.type === 'sent' ? now : null,
      result.type === 'sent' ? null : reason,
      deliveryId,
    );
    if (startedAt !== undefined) started(facts.route, startedAt);
    if (result.type === 'returned') return [];
    if (result.type === 'deferred') {
      ledger.count(facts, 'deferrals', now);
      if ((Number(row.flags) & FLAGS.deferred) === 0) ledger.count(facts, 'deferred', now);
    } else ledger.count(facts, result.type, now);
    const { type, ...said } = result;
    const detail =
      type === 'suppressed' ? said : { ...said, attempt, ...(transcript === undefined ? {} : { transcript }) };
    const event = ledger.event(delivery, facts, type, now, detail);
    return [event];
  }

  return {
    register: ({ pid, host }, now) =>
      db.write(() => {
        db.run('INSERT INTO owner (pid, host, beat_at) VALUES (?, ?, ?)', pid, host, now);
        return Number(db.get('SELECT last_insert_rowid() AS id')?.id);
      }),
    beat: (owner, { now, leaseMs }) =>
      db.write(() => {
        const alive = db.run('UPDATE owner SET beat_at = ? WHERE id = ?', now, owner) > 0;
        const dead = db.all('SELECT id FROM owner WHERE beat_at < ?', now - leaseMs);
        return { alive, recovered: dead.reduce((sum, { id }) => sum + recover(Number(id), now, true), 0) };
      }),
    unregister: (owner, now) => db.write(() => void recover(owner, now, true)),
    claim: ({ lane, limit, rate, owner, now }) =>
      db.write(() => {
        if (rate !== undefined) rates.set(lane.route, rate);
        const row = laneOf(lane);
        if (row === undefined || row.paused === 1) return [];
        const most = Math.min(limit, rate === undefined ? limit : allowed(lane.route, rate, now));
        if (most < 1) return [];
        const rows = db.all(
          'SELECT * FROM delivery WHERE lane_id = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?',
          row.id as number,
          now,
          most,
        );
        return rows.flatMap((claimed) => claimOne(claimed, owner, now));
      }),
    async settle(settlements, { owner, now }) {
      const written = await db.write(() =>
        settlements.map((settlement) => ({ settlement, events: settleOne(settlement, owner, now) })),
      );
      for (const { settlement, events } of written) {
        const [event] = events;
        const { result } = settlement;
        if (event === undefined || result.type !== 'bounced' || !result.suppress) continue;
        const address = event.recipient.toLowerCase();
        events.push(...(await suppress.add({ address, scope: 'all', reason: 'bounced', evidence: result.reply }, now)));
      }
      return written.flatMap(({ events }) => events);
    },
    nextDueAt(lane) {
      const row = laneOf(lane);
      if (row === undefined || row.paused === 1) return undefined;
      const due = db.get(
        'SELECT min(due_at) AS due FROM delivery WHERE lane_id = ? AND due_at IS NOT NULL',
        row.id as number,
      )?.due;
      return due === null || due === undefined ? undefined : Number(due);
    },
    changes: () => Number(db.get('PRAGMA data_version')?.data_version),
    pause: ({ route, stream }, paused) =>
      db.write(() => {
        db.run(
          'INSERT INTO lane (route, stream, paused) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET paused = excluded.paused',
          route,
          STREAMS.indexOf(stream),
          paused ? 1 : 0,
        );
      }),
    async lanes() {
      return db
        .all(
          `SELECT l.route, l.stream, l.paused, (SELECT count(*) FROM delivery d WHERE d.lane_id = l.id AND d.due_at IS NOT NULL) AS waiting,
             (SELECT count(*) FROM delivery d WHERE d.owner IS NOT NULL AND d.lane_id = l.id) AS sending,
             (SELECT min(due_at) FROM delivery d WHERE d.lane_id = l.id AND d.due_at IS NOT NULL) AS oldest FROM lane l`,
        )
        .map((row) => ({
          route: row.route as string,
          stream: STREAMS[Number(row.stream)] ?? 'transactional',
          paused: row.paused === 1,
          waiting: Number(row.waiting),
          sending: Number(row.sending),
          oldestDueAt: row.oldest === null ? undefined : Number(row.oldest),
        }));
    },
    reroute: (known, to) =>
      db.write(() => {
        let moved = 0;
        for (const lane of db.all('SELECT id, route, stream FROM lane')) {
          if (known.includes(lane.route as string)) continue;
          db.run('INSERT OR IGNORE INTO lane (route, stream) VALUES (?, ?)', to, lane.stream as number);
          const target = Number(
            db.get('SELECT id FROM lane WHERE route = ? AND stream = ?', to, lane.stream as number)?.id,
          );
          moved += db.run(
            'UPDATE delivery SET lane_id = ? WHERE lane_id = ? AND due_at IS NOT NULL',
            target,
            lane.id as number,
          );
        }
        return moved;
      }),
  };

  function claimOne(row: Row, owner: number, now: number): ClaimedDelivery[] {
    const id = Number(row.id);
    try {
      const delivery = readDelivery(row);
      db.run(
        'UPDATE delivery SET state = ?, owner = ?, due_at = NULL, updated_at = ? WHERE id = ?',
        SENDING,
        owner,
        now,
        id,
      );
      return [{ ...delivery, attempts: Number(row.attempts) }];
    } catch {
      // One damaged row must not stop the others.
      db.run(
        'UPDATE delivery SET state = ?, due_at = NULL, updated_at = ?, reason = ? WHERE id = ?',
        stateCode('failed'),
        now,
        'corrupt row',
        id,
      );
      const facts = ledger.message(Number(row.message_id));
      if (facts !== undefined) {
        ledger.count(facts, 'failed', now);
        ledger.event({ id, recipient: row.recipient as string }, facts, 'failed', now, {
          reply: 'corrupt row',
          reason: 'system',
          attempt: Number(row.attempts),
        });
      }
      return [];
    }
  }
}
