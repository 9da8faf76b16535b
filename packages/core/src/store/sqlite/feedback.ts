import type { EventType, MessageEvent } from '../../events.ts';
import type { FeedbackEvent } from '../../feedback/port.ts';
import { encodeId, stateAfter, VERDICTS, type Verdict } from '../../message.ts';
import { isSure } from '../../suppression-policy.ts';
import type { FeedbackStore, Received } from '../port.ts';
import type { Activities } from './activity.ts';
import type { Consequences } from './consequences.ts';
import type { Database } from './database.ts';
import type { Doubts, Judged } from './doubts.ts';
import { createMatch, type Match } from './feedback-match.ts';
import { createFeedbackMemory } from './feedback-memory.ts';
import { countOnce } from './first-days.ts';
import type { MessageIdOf } from './intake.ts';
import { FLAGS, type Ledger, type MessageFacts, stateCode, stateOf } from './ledger.ts';

interface Row extends Judged {
  readonly message_id: number;
}

interface Moved {
  readonly at: number;
  readonly reason: string | null;
}

interface Applied {
  readonly events: readonly MessageEvent[];
  readonly outcome: Received['outcome'];
  /** False where it is about a mail that was not sent, or is being sent again. */
  readonly counts: boolean;
  /** It has been told before, of a mail that was sent then, ms since the epoch. */
  readonly again?: number | undefined;
  readonly way?: Pick<Received, 'route' | 'site'>;
}
const LATE: Applied = { events: [], outcome: 'late', counts: false };

/** What came back about deliveries, in SQLite. */
export function createFeedbackStore(context: {
  readonly db: Database;
  readonly ledger: Ledger;
  readonly messageIdOf: MessageIdOf;
  readonly activities: Activities;
  readonly consequences: Consequences;
  readonly doubts: Doubts;
}): FeedbackStore {
  const { db, ledger, activities, consequences, doubts } = context;
  const memory = createFeedbackMemory(db);
  const match = createMatch(db, ledger, context.messageIdOf);
  const find = db.prepare((query, { id }: { id: number }) =>
    query
      .selectFrom('delivery')
      .select(['id', 'message_id', 'lane_id', 'recipient', 'sent_at', 'state', 'flags', 'attempts', 'firsts'])
      .where('id', '=', id),
  );
  const move = db.prepare((query, p: Pick<Row, 'id' | 'state' | 'flags' | 'firsts'> & Moved) =>
    query
      .updateTable('delivery')
      .set((row) => ({
        state: p.state,
        flags: p.flags,
        firsts: p.firsts,
        updated_at: row.fn<number>('max', ['updated_at', row.val(p.at)]),
        reason: row.fn.coalesce(row.val(p.reason), 'reason'),
      }))
      .where('id', '=', p.id),
  );

  const setFirsts = db.prepare((query, p: Pick<Row, 'id' | 'firsts'>) =>
    query.updateTable('delivery').set({ firsts: p.firsts }).where('id', '=', p.id),
  );

  function write(row: Row, facts: MessageFacts, type: EventType, event: FeedbackEvent, match: Match): MessageEvent {
    return ledger.event(row, facts, type, event.at, detailOf(event, match, row.attempts));
  }

  /** Counts a verdict, on the day of the first; answers the days that the delivery keeps. */
  function countVerdict(row: Row, facts: MessageFacts, verdict: Verdict, { at, kind }: FeedbackEvent): string | null {
    if (verdict === 'delivered') return row.firsts;
    const counted = (figure: keyof typeof FLAGS): boolean => (row.flags & FLAGS[figure]) !== 0;
    // What is still being sent is counted as sent, and as returned, when that ends.
    const comesBack = verdict !== 'complained' && stateOf(row.state) !== 'sending';
    const once = { delivery: row, facts, at };
    const beside = comesBack ? 'returned' : undefined;
    const firsts = countOnce(ledger, row.firsts, { ...once, figure: verdict, beside, counted: counted(verdict) });
    if (verdict !== 'bounced' || kind !== 'hard') return firsts;
    return countOnce(ledger, firsts, { ...once, figure: 'hardBounced', counted: counted('hardBounced') });
  }

  /** A verdict about a mail: each counts once, and the weightiest is the state. */
  function judge(row: Row, facts: MessageFacts, verdict: Verdict, event: FeedbackEvent, match: Match): Applied {
    const state = stateOf(row.state);
    const known = VERDICTS.filter((one) => (row.flags & FLAGS[one]) !== 0);
    // What was never sent, or waits again, has nothing to come back; what is on its way is settled by who sends it.
    const wasSent = row.sent_at !== null && (known.length > 0 || ['sent', 'delivered'].includes(state));
    // One that ended in doubt stays what it is, and its recipient has it.
    if (state !== 'sending' && !wasSent) return { ...LATE, counts: (row.flags & FLAGS.inDoubt) !== 0 };
    const hard = verdict === 'bounced' && event.kind === 'hard' && (row.flags & FLAGS.hardBounced) === 0;
    // A second bounce may be a hard one after a soft one: the address must not hang on which came first, nor the counts.
    const repeated = known.includes(verdict);
    const again = repeated ? (row.sent_at ?? undefined) : undefined;
    const firsts = countVerdict(row, facts, verdict, event);
    if (repeated && !hard) {
      if (firsts !== row.firsts) setFirsts.run({ id: row.id, firsts });
      return { ...LATE, counts: true, again };
    }
    const next = state === 'sending' ? state : stateAfter([...known, verdict]);
    const flags = row.flags | FLAGS[verdict] | (hard ? FLAGS.hardBounced : 0);
    const reason = next === verdict && verdict !== 'delivered' ? (textOf(event) ?? null) : null;
    move.run({ id: row.id, state: stateCode(next), flags, firsts, at: event.at, reason });
    if (verdict === 'complained' && !repeated) ledger.beat(facts, row.sent_at ?? event.at, { complained: 1 });
    if (hard) ledger.beat(facts, row.sent_at ?? event.at, { hard: 1 });
    const written = write(row, facts, verdict, event, match);
    return { events: [written], outcome: next === state ? 'recorded' : 'moved', counts: true };
  }

  function apply(event: FeedbackEvent, match: Match): Applied {
    const row = find.get({ id: match.id });
    const facts = row && ledger.message(row.message_id);
    if (row === undefined || facts === undefined) return LATE;
    const { route, site } = ledger.wayOf(row);
    // Whoever is asked to leave may have the address from elsewhere; all else is about this mail.
    const settled = event.type === 'unsubscribed' ? undefined : doubts.settle(row, facts, event.at);
    const applied = applyTo(settled?.row ?? row, facts, event, match);
    const events = settled === undefined ? applied.events : [settled.event, ...applied.events];
    return { ...applied, events, way: { route, site: site === '' ? undefined : site } };
  }

  function applyTo(row: Row, facts: MessageFacts, event: FeedbackEvent, match: Match): Applied {
    const { type, at } = event;
    if (type === 'opened' || type === 'clicked') {
      const { agent = UNKNOWN_AGENT, url } = event;
      const activity = { type, deliveryId: row.id, at, agent, ...(url === undefined ? {} : { url }) };
      return { events: activities.recordNow(activity), outcome: 'recorded', counts: true };
    }
    if (type === 'unsubscribed') {
      const scope = consequences.unsubscribeScope(facts);
      const events = activities.recordNow({ type, deliveryId: row.id, at, scope });
      return events.length === 0 ? LATE : { events, outcome: 'recorded', counts: true };
    }
    if (type === 'deferred') ledger.countOf(row, facts, 'deferrals', at);
    if (type === 'deferred' || type === 'auto-replied')
      return { events: [write(row, facts, type, event, match)], outcome: 'recorded', counts: true };
    return judge(row, facts, type, event, match);
  }

  return {
    receive: (feedback, { now, policy, once }) =>
      db.write(() => {
        if (once !== undefined && !memory.isNew('once', once, now)) return { events: [], received: [], used: true };
        const events: MessageEvent[] = [];
        const received = feedback.map((event): Received => {
          if (!memory.isNew(event.source, event.id, now)) return { outcome: 'repeated' };
          const found = match(event);
          // Who wants to leave has to be sure, too: nothing else follows from it.
          if (found === undefined || (event.type === 'unsubscribed' && !isSure(event.source, found))) {
            memory.keep(event, now);
            return { outcome: 'unmatched' };
          }
          const applied = apply(event, found);
          events.push(...applied.events);
          if (applied.counts) events.push(...consequences.follow(event, found, { now, policy, again: applied.again }));
          const deliveryId = encodeId('dlv', found.id);
          return { outcome: applied.outcome, deliveryId, foundBy: found.foundBy, ...applied.way };
        });
        doubts.reschedule(now);
        memory.sweep(now, feedback.length);
        return { events, received, used: false };
      }),
    unmatched: async (query) => memory.unmatched(query),
  };
}

const UNKNOWN_AGENT = { kind: 'human', evidence: 'the-provider-says-no-more', userAgent: undefined } as const;

function textOf({ diagnostic, status, code }: FeedbackEvent): string | undefined {
  if (diagnostic !== undefined) return diagnostic;
  const numbers = [code, status].filter((one) => one !== undefined).join(' ');
  return numbers === '' ? undefined : numbers;
}

/** What the event keeps. */
function detailOf(event: FeedbackEvent, { foundBy }: Match, attempt: number): Readonly<Record<string, unknown>> {
  const { type, source, fault, code, reportingMta, raw } = event;
  const facts = { source, foundBy, fault, code, reportingMta, raw };
  if (type === 'complained' || type === 'auto-replied' || type === 'delivered') return facts;
  const said = { reply: textOf(event) ?? '', status: event.status, reason: event.reason ?? 'other', attempt };
  return { ...said, ...(type === 'bounced' ? { kind: event.kind ?? 'soft' } : {}), ...facts };
}
