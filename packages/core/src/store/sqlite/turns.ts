import type { SubscribedEvent } from '../../events.ts';
import { encodeId } from '../../message.ts';
import type { HandedEvent, SubscriptionStore, Turn, TurnRequest } from '../subscription-port.ts';
import type { Database } from './database.ts';
import { bitsOf, hasType, typeOf } from './event-codes.ts';
import type { EventKey } from './event-reader.ts';
import type { FeedReader } from './feed-reader.ts';
import type { Retries } from './retries.ts';
import type { SubscriptionRow, SubscriptionRows } from './subscription-rows.ts';
import type { WebhookLog } from './webhook-log.ts';

/** Rows of the feed that one turn reads at most, whether the subscription wants them or not. */
const READ = 500;
/** So many processes have ended while they handled the same event, and none got further: it is the event. */
const DEADLY = 5;
const NOTHING = { events: [], more: false } as const;

/** Hands events to the process that works on a subscription, and takes what became of them. */
export function createTurns(
  db: Database,
  parts: {
    readonly rows: SubscriptionRows;
    readonly feed: FeedReader;
    readonly retries: Retries;
    readonly log: WebhookLog;
    readonly read: (key: EventKey) => SubscribedEvent | undefined;
  },
): Pick<SubscriptionStore, 'peek' | 'turn'> {
  const { rows, feed, retries, log, read } = parts;
  const save = db.prepare(
    (
      query,
      p: {
        id: number;
        cursor: number;
        holder: string | null;
        until: number | null;
        crashes: number;
        succeededAt: number | null;
        failingSince: number | null;
        error: string | null;
      },
    ) =>
      query
        .updateTable('subscription')
        .set({
          cursor: p.cursor,
          holder: p.holder,
          lease_until: p.until,
          crashes: p.crashes,
          succeeded_at: p.succeededAt,
          failing_since: p.failingSince,
          error: p.error,
        })
        .where('id', '=', p.id),
  );

  /** Why a process gets nothing to do; undefined where it may work. */
  function refusal(row: SubscriptionRow | undefined, { subscription, holder, wall, leaseMs }: TurnRequest) {
    if (row === undefined) return 'gone';
    if (row.types !== bitsOf(subscription.types)) return 'superseded';
    const until = row.lease_until ?? 0;
    // A lease that ends much later than any that is given out now is by a clock that was set back. Who asked before the other
    // began, and waited for the lock, has a time that is a little behind.
    if (row.holder !== null && row.holder !== holder && until > wall && until <= wall + 2 * leaseMs) return 'busy';
    return undefined;
  }

  /** What went well or wrong, as operators see it. */
  function healthAfter(row: SubscriptionRow, { results, now }: TurnRequest) {
    const tried = results.filter(({ outcome }) => outcome.type !== 'behind');
    const last = tried.at(-1);
    if (last === undefined) return { succeededAt: row.succeeded_at, failingSince: row.failing_since, error: row.error };
    const failures = tried.flatMap(({ outcome }) => ('error' in outcome ? [outcome.error] : []));
    const succeeded = failures.length < tried.length;
    const failed = last.outcome.type !== 'done';
    return {
      succeededAt: succeeded ? now : row.succeeded_at,
      failingSince: failed ? (succeeded ? now : (row.failing_since ?? now)) : null,
      error: failures.at(-1) ?? row.error,
    };
  }

  function pauseOf({ pause, pauseAfterMs, now }: TurnRequest, failingSince: number | null): string | undefined {
    if (pause !== undefined || pauseAfterMs === undefined || failingSince === null) return pause;
    if (now - failingSince < pauseAfterMs) return undefined;
    return `nothing went well since ${new Date(failingSince).toISOString()}`;
  }

  /** Events that were read, or that nobody can handle. */
  function hand(row: SubscriptionRow, key: EventKey, attempt: number, again: boolean, now: number): HandedEvent[] {
    try {
      const event = read(key);
      if (event !== undefined) return [{ event, attempt, again }];
      // Its delivery is gone, and with it what there was to tell.
      if (again) settleGone(row, key, now);
      return [];
    } catch (error) {
      retries.put(row.id, key, { attempts: attempt, dueAt: null, at: now, error: String(error) });
      return [];
    }
  }

  function settleGone(row: SubscriptionRow, { id, delivery_id, type }: EventKey, now: number): void {
    const event = { id: encodeId('evt', id), deliveryId: encodeId('dlv', delivery_id) };
    const typed = { ...event, type: typeOf(type) };
    retries.settle(row.id, { ...typed, again: true, attempt: 1, outcome: { type: 'done' } }, now);
  }

  function handRetries(row: SubscriptionRow, { now, want, holdMs }: TurnRequest): HandedEvent[] {
    return retries.due(row.id, now, want).flatMap((due) => {
      retries.take(row.id, due, now, holdMs);
      return hand(row, due, due.attempts + 1, true, now);
    });
  }

  /** Events after a place, in order; those that must wait for an earlier one of their delivery go to the retries. */
  function handFresh(row: SubscriptionRow, from: number, want: number, deadly: boolean, now: number) {
    const events: HandedEvent[] = [];
    const waits = retries.nextDueAt(row.id) !== undefined;
    const found = want > 0 ? feed.after(from, READ) : [];
    let after = from;
    let spared = deadly;
    for (const key of found) {
      if (events.length >= want) return { events, after, more: true };
      after = key.id;
      if (!hasType(row.types, key.type)) continue;
      if (spared) {
        spared = false;
        const error = `${DEADLY} processes ended while they handled it`;
        retries.put(row.id, key, { attempts: DEADLY, dueAt: null, at: now, error });
      } else if (waits && retries.holdsUp(row.id, key.delivery_id))
        retries.put(row.id, key, { attempts: 0, dueAt: now, at: now, error: null });
      else events.push(...hand(row, key, 1, false, now));
    }
    return { events, after, more: found.length === READ };
  }

  function turn(request: TurnRequest): Turn {
    const { holder, results, now } = request;
    const row = rows.find(request.subscription.name);
    const refused = refusal(row, request);
    if (row === undefined || refused !== undefined)
      return { ...NOTHING, state: refused ?? 'gone', after: undefined, nextDueAt: undefined };
    for (const result of results) {
      retries.settle(row.id, result, now);
      if (result.request !== undefined) log.note(row.id, result, now);
    }
    const health = healthAfter(row, request);
    const pausedFor = row.paused_at === null ? pauseOf(request, health.failingSince) : undefined;
    if (pausedFor !== undefined) rows.pause(row.id, pausedFor, now);
    const paused = row.paused_at !== null || pausedFor !== undefined;
    const cursor = Math.max(row.cursor, request.cursor ?? 0);
    const crashed = row.holder !== null && row.holder !== holder;
    const crashes = results.length > 0 || cursor > row.cursor ? 0 : row.crashes + (crashed ? 1 : 0);
    // After a crash one at a time, so that it is known which event it was.
    const want = paused ? 0 : Math.min(request.want, crashes > 0 ? 1 - Math.min(1, request.inHand) : request.want);
    const again = handRetries(row, { ...request, want });
    const deadly = crashes >= DEADLY;
    const fresh = handFresh(row, Math.max(request.after ?? 0, cursor), want - again.length, deadly, now);
    const events = [...again, ...fresh.events];
    const works = events.length + request.inHand > 0;
    const idleAt = works ? cursor : Math.max(cursor, fresh.after);
    save.run({
      id: row.id,
      cursor: idleAt,
      holder: works ? holder : null,
      until: works ? request.wall + request.leaseMs : null,
      // What is tried again counts its attempts by itself.
      crashes: again.length > 0 || (deadly && fresh.after > cursor) ? 0 : crashes,
      ...health,
    });
    feed.sweep(now, results.length);
    const nextDueAt = paused ? undefined : retries.nextDueAt(row.id);
    const state = paused ? 'paused' : works ? 'held' : 'idle';
    return { state, events, after: fresh.after, more: !paused && fresh.more, nextDueAt, pausedFor };
  }

  return {
    peek(request) {
      const row = rows.find(request.subscription.name);
      const refused = refusal(row, request);
      const nothing = { ...NOTHING, after: undefined, nextDueAt: undefined };
      if (row === undefined || refused !== undefined) return { ...nothing, state: refused ?? 'gone' };
      if (request.results.length > 0 || request.pause !== undefined || row.holder === request.holder) return undefined;
      if (row.paused_at !== null) return { ...nothing, state: 'paused' };
      const nextDueAt = retries.nextDueAt(row.id);
      if (request.want > 0 && ((nextDueAt ?? request.now + 1) <= request.now || feed.after(row.cursor, 1).length > 0))
        return undefined;
      return { ...nothing, state: 'idle', nextDueAt };
    },
    turn: (request) => db.carryOn(() => turn(request)),
  };
}
