import type { MessageEvent } from '../../events.ts';
import { type DeliveryState, statesBefore } from '../../message.ts';
import type { Suppression, SuppressionStore } from '../port.ts';
import type { Database, Row } from './database.ts';
import { type Ledger, stateCode } from './ledger.ts';
import { scopesOf } from './scopes.ts';

/** The suppression list in SQLite. */
export function createSuppressionStore(db: Database, ledger: Ledger): SuppressionStore {
  const waiting = statesBefore('suppress')
    .filter((state: DeliveryState) => state !== 'sending')
    .map(stateCode)
    .join(', ');

  function stop({ address, scope, reason }: Omit<Suppression, 'since'>, now: number): MessageEvent[] {
    const rows = db.all(`SELECT * FROM delivery WHERE recipient = ? COLLATE NOCASE AND state IN (${waiting})`, address);
    return rows.flatMap((row) => {
      const facts = ledger.message(Number(row.message_id));
      if (facts === undefined || !scopesOf(facts.content).includes(scope)) return [];
      db.run(
        'UPDATE delivery SET state = ?, due_at = NULL, updated_at = ?, reason = ? WHERE id = ?',
        stateCode('suppressed'),
        now,
        reason,
        row.id as number,
      );
      ledger.count(facts, 'suppressed', now);
      return [
        ledger.event({ id: Number(row.id), recipient: row.recipient as string }, facts, 'suppressed', now, {
          reason: `${reason} (${scope})`,
        }),
      ];
    });
  }

  return {
    add: (entry, now) =>
      db.write(() => {
        const { address, scope, reason, evidence } = entry;
        db.run(
          'INSERT OR IGNORE INTO suppression (address, scope, reason, evidence, since) VALUES (?, ?, ?, ?, ?)',
          address,
          scope,
          reason,
          evidence ?? null,
          now,
        );
        return stop(entry, now);
      }),
    remove: (address, scope) =>
      db.write(() =>
        scope === undefined
          ? db.run('DELETE FROM suppression WHERE address = ?', address)
          : db.run('DELETE FROM suppression WHERE address = ? AND scope = ?', address, scope),
      ),
    find(address, scopes) {
      const key = address.toLowerCase();
      for (const scope of scopes) {
        const row = db.get('SELECT * FROM suppression WHERE address = ? AND scope = ?', key, scope);
        if (row !== undefined) return read(row);
      }
      return undefined;
    },
    async list({ limit, after, scope }) {
      const [address = '', last = ''] = after?.split(' ') ?? [];
      const rows = db.all(
        'SELECT * FROM suppression WHERE (address, scope) > (?, ?) AND (? IS NULL OR scope = ?) ORDER BY address, scope LIMIT ?',
        address,
        last,
        scope ?? null,
        scope ?? null,
        limit,
      );
      const end = rows.length === limit ? rows.at(-1) : undefined;
      return { items: rows.map(read), next: end && `${end.address} ${end.scope}` };
    },
  };
}

function read(row: Row): Suppression {
  return {
    address: row.address as string,
    scope: row.scope as string,
    reason: row.reason as Suppression['reason'],
    evidence: (row.evidence as string | null) ?? undefined,
    since: new Date(Number(row.since)),
  };
}
