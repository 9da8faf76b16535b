import type { MessageEvent } from '../../events.ts';
import { transition } from '../../message.ts';
import type { Feedback, FeedbackStore } from '../port.ts';
import type { Database } from './database.ts';
import { type Ledger, stateCode, stateOf } from './ledger.ts';
import type { Suppressions } from './suppressions.ts';

/** What came back about deliveries, in SQLite. */
export function createFeedbackStore(db: Database, ledger: Ledger, suppressions: Suppressions): FeedbackStore {
  const find = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select(['message_id', 'recipient', 'state', 'attempts']).where('id', '=', id),
  );
  const move = db.prepare((query, p: { id: number; state: number; at: number; reason: string | null }) =>
    query.updateTable('delivery').set({ state: p.state, updated_at: p.at, reason: p.reason }).where('id', '=', p.id),
  );

  function recordOne({ deliveryId: id, at, ...said }: Feedback): MessageEvent[] {
    const row = find.get({ id });
    const state = row && transition(stateOf(row.state), said.type === 'bounced' ? 'bounce' : 'complain');
    const facts = row && ledger.message(row.message_id);
    // A delivery that is being sent is settled by who sends it.
    if (row === undefined || facts === undefined || state === undefined || stateOf(row.state) === 'sending') return [];
    const { recipient } = row;
    move.run({ id, state: stateCode(state), at, reason: said.type === 'bounced' ? said.reply : null });
    ledger.count(facts, said.type, at);
    const { type, ...detail } = said;
    const event = ledger.event(
      { id, recipient },
      facts,
      type,
      at,
      said.type === 'bounced' ? { ...detail, attempt: row.attempts } : {},
    );
    const address = recipient.toLowerCase();
    if (said.type === 'complained')
      return [
        event,
        ...suppressions.suppress({ address, scope: 'all', reason: 'complained', evidence: said.evidence }, at),
      ];
    if (!said.suppress) return [event];
    return [event, ...suppressions.suppress({ address, scope: 'all', reason: 'bounced', evidence: said.reply }, at)];
  }

  return { record: (feedback) => db.write(() => feedback.flatMap(recordOne)) };
}
