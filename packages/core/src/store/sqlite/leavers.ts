import { scopeOf } from '../../scope.ts';
import type { Database } from './database.ts';
import { FLAGS, type Ledger, type MessageFacts } from './ledger.ts';

/** Those who left by a link. */
export interface Leavers {
  /**
   * Forgets that somebody left a scope, or any of them, by whatever mail: who gets mail again can leave again, and that counts.
   * Inside of `write`.
   */
  forget(address: string, scope: string | undefined): void;
}

/** Those who left by a link, in SQLite. */
export function createLeavers(db: Database, ledger: Ledger): Leavers {
  const find = db.prepare((query, p: { address: string; flag: number }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'message_id', 'flags'])
      .where('recipient', '=', p.address)
      .where((where) => where(where('flags', '&', p.flag), '=', p.flag)),
  );
  const mark = db.prepare((query, p: { id: number; flags: number }) =>
    query.updateTable('delivery').set({ flags: p.flags }).where('id', '=', p.id),
  );
  return {
    forget(address, scope) {
      for (const { id, message_id, flags } of find.all({ address, flag: FLAGS.unsubscribed })) {
        const facts = ledger.message(message_id);
        if (facts === undefined || (scope !== undefined && linkScopeOf(facts) !== scope)) continue;
        mark.run({ id, flags: flags & ~FLAGS.unsubscribed });
      }
    },
  };
}

/** Which mail the unsubscribe link of a message ends; a damaged one has no topic that one could know. */
function linkScopeOf(facts: MessageFacts): string {
  try {
    return scopeOf(facts.content);
  } catch {
    return facts.stream;
  }
}
