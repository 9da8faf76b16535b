import type { Selectable } from 'kysely';
import type { Alert, Warning } from '../../alerts.ts';
import type { NoticeEvent } from '../../events.ts';
import { decodeId, encodeId } from '../../message.ts';
import type { AlertStore } from '../alert-port.ts';
import { type Database, idAt } from './database.ts';
import { codeOf, hasType, typeOf } from './event-codes.ts';
import { createFeed } from './feed.ts';
import { parseJson } from './ledger.ts';
import type { Tables } from './tables.ts';

type Row = Selectable<Tables['notice']>;

/** What was told stays for so long at least, and as long as a subscription waits for it, ms. */
const KEPT_MS = 7 * 86_400_000;
/** Rows that go with each that comes: more than come, so that nothing piles up. */
const SWEPT = 20;

/** Alerts and warnings that are to be told. */
export interface Notices extends Pick<AlertStore, 'untold' | 'told' | 'warn'> {
  /** Keeps alerts until the listeners were told, and for the subscriptions that want them. Inside of `write`. */
  alert(alerts: readonly Alert[], now: number): void;
  read(id: number): NoticeEvent | undefined;
}

/** Alerts and warnings in SQLite. */
export function createNotices(db: Database): Notices {
  const feed = createFeed(db);
  const insert = db.prepare((query, p: Row) =>
    query.insertInto('notice').values({ id: p.id, type: p.type, at: p.at, json: p.json, held_until: p.held_until }),
  );
  const subscribed = db.prepare((query) => query.selectFrom('subscription').select('types'));
  const find = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('notice').selectAll().where('id', '=', id),
  );
  const waiting = db.prepare((query) =>
    query.selectFrom('notice').selectAll().where('held_until', 'is not', null).orderBy('id'),
  );
  const hold = db.prepare((query, p: { id: number; until: number | null }) =>
    query.updateTable('notice').set({ held_until: p.until }).where('id', '=', p.id),
  );
  const sweep = db.prepare((query, p: { before: number }) =>
    query.deleteFrom('notice').where('id', 'in', (old) =>
      old
        .selectFrom('notice')
        .select('id')
        .where('id', '<', p.before)
        .where('held_until', 'is', null)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('feed').select('feed.id').whereRef('feed.id', '=', 'notice.id'))),
        )
        // By subscription first, since that is how retries are found; SQLite keeps the order of a cross join.
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('subscription')
                .crossJoin('retry')
                .whereRef('retry.subscription_id', '=', 'subscription.id')
                .whereRef('retry.event_id', '=', 'notice.id')
                .select('retry.event_id'),
            ),
          ),
        )
        .orderBy('id')
        .limit(SWEPT),
    ),
  );

  function keep(type: NoticeEvent['type'], what: Alert | Warning, now: number, heldUntil: number | null): void {
    const id = db.nextId(now);
    const code = codeOf(type);
    if (heldUntil === null && !hasType(db.wanted(), code)) return;
    insert.run({ id, type: code, at: now, json: JSON.stringify(what), held_until: heldUntil });
    feed.note(id, 0, code);
    sweep.run({ before: idAt(now - KEPT_MS) });
  }

  function view({ id, type, at, json }: Row): NoticeEvent {
    const base = { id: encodeId('evt', id), at: new Date(at) };
    // What is undefined is not in JSON.
    if (typeOf(type) === 'alert') {
      const kept = parseJson<Alert>(json, `notice ${id}`);
      const { stream, campaign, since, at: found } = kept;
      return {
        ...base,
        type: 'alert',
        alert: { ...kept, stream, campaign, since: new Date(since), at: new Date(found) },
      };
    }
    const kept = parseJson<Warning>(json, `notice ${id}`);
    const { route, site, firstAt, lastAt, example } = kept;
    const { deliveryId, status } = example;
    return {
      ...base,
      type: 'warning',
      warning: {
        ...kept,
        route,
        site,
        firstAt: new Date(firstAt),
        lastAt: new Date(lastAt),
        example: { ...example, deliveryId, status },
      },
    };
  }

  return {
    alert(alerts, now) {
      for (const alert of alerts) keep('alert', alert, now, 0);
    },
    async warn(warning, now) {
      // Where nobody wants them, nothing is written.
      if (subscribed.all({}).some(({ types }) => hasType(types, codeOf('warning'))))
        await db.write(() => keep('warning', warning, now, null));
    },
    read(id) {
      const row = find.get({ id });
      return row && view(row);
    },
    async untold({ now, holdMs }) {
      // Who looks finds nothing, mostly: that writes nothing.
      if (waiting.all({}).length === 0) return { notices: [], nextAt: undefined };
      return db.write(() => {
        const rows = waiting.all({});
        // A time that is further ahead is by a clock that was set back.
        const isHeld = ({ held_until: until }: Row): boolean => (until ?? 0) > now && (until ?? 0) <= now + holdMs;
        const free = rows.filter((row) => !isHeld(row));
        for (const { id } of free) hold.run({ id, until: now + holdMs });
        const times = rows.filter(isHeld).map((row) => row.held_until ?? 0);
        return { notices: free.map(view), nextAt: times.length === 0 ? undefined : Math.min(...times) };
      });
    },
    told: (ids) =>
      db.write(() => {
        for (const id of ids) hold.run({ id: decodeId('evt', id) ?? 0, until: null });
      }),
  };
}
