import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { MessageEvent } from '../../events.ts';
import { type DeliveryState, statesBefore } from '../../message.ts';
import { scopesCovering } from '../../scope.ts';
import type { NewSuppression, Suppression, SuppressionStore } from '../port.ts';
import type { Database } from './database.ts';
import { createLeavers } from './leavers.ts';
import { type Ledger, type MessageFacts, stateCode } from './ledger.ts';
import type { Screened } from './screened.ts';
import type { Tables } from './tables.ts';

type SuppressionRow = Selectable<Tables['suppression']>;

const NEVER = sql.lit(Number.MAX_SAFE_INTEGER);
/** Who complained must not be let back by the page that lets back who left; nor whom the operator keeps out. */
function weightOf(reason: string): RawBuilder<number> {
  return sql`case ${sql.ref(reason)} when 'complained' then 3 when 'bounced' then 2 when 'manual' then 1 else 0 end`;
}
/** What lasts longer weighs more, then the reason: so that what is on the list does not hang on what came first. */
const WEIGHS_MORE = sql<boolean>`suppression.lifted_at <= excluded.since or (suppression.lifted_at is null and (
  coalesce(suppression.until, ${NEVER}) < coalesce(excluded.until, ${NEVER})
  or (suppression.until is excluded.until and ${weightOf('suppression.reason')} < ${weightOf('excluded.reason')})))`;
/** What is still on the list has been there since it came. */
const BEGAN = sql<number>`case when suppression.lifted_at is null and coalesce(suppression.until, ${NEVER}) > excluded.since
  then min(suppression.since, excluded.since) else excluded.since end`;

/** The suppression list, and how other changes add to it. */
export interface Suppressions extends SuppressionStore {
  /**
   * Adds an entry and stops what waits for it; none where one was lifted at `unlessLiftedSince` or later. Inside of `write`.
   */
  suppress(entry: NewSuppression, now: number, unlessLiftedSince?: number): MessageEvent[];
}

/** The suppression list in SQLite. */
export function createSuppressionStore(db: Database, ledger: Ledger, screened: Screened): Suppressions {
  const leavers = createLeavers(db, ledger);
  // What is on its way is asked once more before it is sent.
  const waiting = statesBefore('suppress')
    .filter((state: DeliveryState) => state !== 'sending')
    .map(stateCode);
  const insert = db.prepare((query, p: Omit<SuppressionRow, 'lifted_at' | 'note'>) =>
    query
      .insertInto('suppression')
      .values({
        address: p.address,
        scope: p.scope,
        reason: p.reason,
        evidence: p.evidence,
        since: p.since,
        until: p.until,
      })
      // An entry stays as it is, unless it was lifted before the new one began, or the new one is of more weight.
      .onConflict((conflict) =>
        conflict
          .columns(['address', 'scope'])
          .doUpdateSet((row) => ({
            reason: row.ref('excluded.reason'),
            evidence: row.ref('excluded.evidence'),
            since: BEGAN,
            until: row.ref('excluded.until'),
            lifted_at: null,
            note: null,
          }))
          .where(WEIGHS_MORE),
      ),
  );
  const lift = db.prepare(
    (query, p: Readonly<Record<'address' | 'scope' | 'reason', string>> & { now: number; note: string | null }) =>
      query
        .updateTable('suppression')
        .set({ lifted_at: p.now, note: p.note })
        .where('address', '=', p.address)
        // Empty for all.
        .where(sql<boolean>`(${p.scope} = '' or scope = ${p.scope})`)
        .where(sql<boolean>`(${p.reason} = '' or reason = ${p.reason})`)
        .where('lifted_at', 'is', null),
  );
  const removeAll = db.prepare((query, { address }: { address: string }) =>
    query.deleteFrom('suppression').where('address', '=', address),
  );
  const removeOne = db.prepare((query, { address, scope }: { address: string; scope: string }) =>
    query.deleteFrom('suppression').where('address', '=', address).where('scope', '=', scope),
  );
  const find = db.prepare((query, { address }: { address: string }) =>
    query.selectFrom('suppression').selectAll().where('address', '=', address),
  );
  const findWaiting = db.prepare((query, { address }: { address: string }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'message_id', 'recipient'])
      .where('recipient', '=', address)
      .where('state', 'in', waiting),
  );
  const stop = db.prepare((query, p: { id: number; now: number; reason: string }) =>
    query
      .updateTable('delivery')
      .set({ state: stateCode('suppressed'), due_at: null, updated_at: p.now, reason: p.reason })
      .where('id', '=', p.id),
  );

  const forgetBounces = db.prepare((query, { address }: { address: string }) =>
    query.deleteFrom('soft_bounce').where('address', '=', address),
  );

  /** Who gets mail again is not kept from it by what led there, and can leave again. */
  function startAnew(address: string, scope: string | undefined): void {
    leavers.forget(address, scope);
    if (scope === undefined || scope === 'all') forgetBounces.run({ address });
  }

  function isThere(address: string, scope: string, now: number): boolean {
    return find.all({ address }).some((row) => row.scope === scope && isActive(row, now));
  }

  function wasLifted(address: string, scope: string, from: number): boolean {
    return find.all({ address }).some((row) => row.scope === scope && (row.lifted_at ?? 0) >= from);
  }

  function suppress(entry: NewSuppression, now: number, unlessLiftedSince?: number): MessageEvent[] {
    const { address, scope, reason, evidence, since, until } = entry;
    if (until !== undefined && until.getTime() <= now) return [];
    if (unlessLiftedSince !== undefined && wasLifted(address, scope, unlessLiftedSince)) return [];
    const end = until?.getTime() ?? null;
    screened.forget();
    insert.run({ address, scope, reason, evidence: evidence ?? null, since: since?.getTime() ?? now, until: end });
    // What was lifted after it began elsewhere stays lifted.
    if (since !== undefined && !isThere(address, scope, now)) return [];
    return findWaiting.all({ address }).flatMap(({ id, message_id, recipient }) => {
      const facts = ledger.message(message_id);
      if (facts === undefined || !scopesOfMail(facts).includes(scope)) return [];
      stop.run({ id, now, reason });
      ledger.count(facts, 'suppressed', now);
      return [ledger.event({ id, recipient }, facts, 'suppressed', now, { reason: `${reason} (${scope})` })];
    });
  }

  return {
    suppress,
    add: (entry, now) => db.write(() => suppress(entry, now)),
    remove: (address, scope) =>
      db.write(() => {
        const removed = scope === undefined ? removeAll.run({ address }) : removeOne.run({ address, scope });
        if (removed > 0) startAnew(address, scope);
        return removed;
      }),
    lift: ({ address, scope, reason = '', note = null }, now) =>
      db.write(() => {
        const lifted = lift.run({ address, scope: scope ?? '', reason, now, note });
        if (lifted > 0) startAnew(address, scope);
        return lifted;
      }),
    find(address, scopes, now) {
      const name = address.toLowerCase();
      if (screened.has(name)) return undefined;
      const rows = find.all({ address: name }).filter((row) => isActive(row, now));
      const found = scopes.flatMap((scope) => rows.find((row) => row.scope === scope) ?? [])[0];
      return found && read(found);
    },
    async list({ limit, after, scope }) {
      const [address, last] = after === undefined ? ['', ''] : placeOf(after);
      const rows = db.select((query) => {
        const page = query
          .selectFrom('suppression')
          .selectAll()
          .where(({ eb, refTuple, tuple }) => eb(refTuple('address', 'scope'), '>', tuple(address, last)))
          .orderBy('address')
          .orderBy('scope')
          .limit(limit);
        return scope === undefined ? page : page.where('scope', '=', scope);
      });
      const end = rows.length === limit ? rows.at(-1) : undefined;
      return { items: rows.map(read), next: end && `${encodeURIComponent(end.address)} ${end.scope}` };
    },
  };
}

function isActive(row: SuppressionRow, now: number): boolean {
  return row.lifted_at === null && (row.until === null || row.until > now);
}

/** Address and scope of the last entry of a page. Both may have blanks in them. */
function placeOf(cursor: string): readonly [address: string, scope: string] {
  const end = cursor.indexOf(' ');
  return [decodeURIComponent(cursor.slice(0, end)), cursor.slice(end + 1)];
}

/** A message whose content is damaged has no topic that one could know. */
function scopesOfMail(facts: MessageFacts): readonly string[] {
  try {
    return scopesCovering(facts.content);
  } catch {
    return scopesCovering({ stream: facts.stream, topic: undefined });
  }
}

function read(row: SuppressionRow): Suppression {
  return {
    address: row.address,
    scope: row.scope,
    reason: row.reason as Suppression['reason'],
    evidence: row.evidence ?? undefined,
    since: new Date(row.since),
    ...(row.until === null ? {} : { until: new Date(row.until) }),
    ...(row.lifted_at === null ? {} : { lifted: { at: new Date(row.lifted_at), note: row.note ?? undefined } }),
  };
}
