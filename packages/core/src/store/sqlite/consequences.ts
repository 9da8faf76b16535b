import type { MessageEvent } from '../../events.ts';
import type { FeedbackEvent } from '../../feedback/port.ts';
import { scopeOf } from '../../scope.ts';
import { isAboutRecipient, isSure, type SuppressionPolicy } from '../../suppression-policy.ts';
import type { Database } from './database.ts';
import type { Match } from './feedback-match.ts';
import type { Ledger, MessageFacts } from './ledger.ts';
import type { Suppressions } from './suppressions.ts';

/** A bounce, whoever told of it. */
interface Bounce {
  readonly id: number;
  readonly recipient: string;
  readonly facts: MessageFacts;
  readonly at: number;
  /** It is about this recipient for good, and that is sure. */
  readonly hard: boolean;
  readonly evidence: string;
}

/** What follows from feedback for further mail to an address. Inside of `write`. */
export interface Consequences {
  /** With `again`, what has been told before, of a mail that was sent then: what was lifted since stays lifted. */
  follow(
    event: FeedbackEvent,
    match: Match,
    options: { readonly now: number; readonly policy: SuppressionPolicy; readonly again?: number | undefined },
  ): MessageEvent[];
  /** What follows from a bounce that is about the recipient. */
  bounced(
    bounce: Bounce,
    options: { readonly now: number; readonly policy: SuppressionPolicy; readonly again?: number | undefined },
  ): MessageEvent[];
  /** What an unsubscribe that names no scope ends. */
  unsubscribeScope(facts: MessageFacts): string;
}

/** Soft bounces that are remembered, ms: longer than any window. */
const REMEMBERED_MS = 366 * 86_400_000;
const SWEPT = 10;

/** The consequences in SQLite. */
export function createConsequences(db: Database, ledger: Ledger, suppressions: Suppressions): Consequences {
  const find = db.prepare((query, { id }: { id: number }) =>
    query.selectFrom('delivery').select(['message_id', 'recipient']).where('id', '=', id),
  );
  const note = db.prepare((query, p: { address: string; at: number; id: number }) =>
    query
      .insertInto('soft_bounce')
      .values({ address: p.address, at: p.at, delivery_id: p.id })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const near = db.prepare((query, p: { address: string; from: number; to: number }) =>
    query
      .selectFrom('soft_bounce')
      .select(['at', 'delivery_id'])
      .where('address', '=', p.address)
      .where('at', '>=', p.from)
      .where('at', '<=', p.to)
      .orderBy('at')
      .limit(1000),
  );
  const forget = db.prepare((query, p: { before: number }) =>
    query
      .deleteFrom('soft_bounce')
      .where('at', '<', p.before)
      .where('address', 'in', (old) =>
        old.selectFrom('soft_bounce').select('address').where('at', '<', p.before).limit(SWEPT),
      ),
  );

  /** The last of so many bounces of different mails within a window that has this one, in whatever order they came. */
  function lastOfMany(
    address: string,
    at: number,
    { count, withinMs }: { count: number; withinMs: number },
  ): number | undefined {
    const rows = near.all({ address, from: at - withinMs, to: at + withinMs });
    return rows
      .flatMap(({ at: first }) => {
        const inside = rows.filter((row) => row.at >= first && row.at - first <= withinMs);
        return new Set(inside.map((row) => row.delivery_id)).size >= count ? [inside.at(-1)?.at ?? first] : [];
      })
      .at(-1);
  }

  function scopeOfMail(facts: MessageFacts): string {
    try {
      return scopeOf(facts.content);
    } catch {
      return facts.stream;
    }
  }

  const bounced: Consequences['bounced'] = ({ id, recipient, facts, at, hard, evidence }, { now, policy, again }) => {
    const address = recipient.toLowerCase();
    if (hard) {
      if (policy.hardBounces === false) return [];
      const scope = policy.hardBounces === 'all' ? 'all' : facts.stream;
      return suppressions.suppress({ address, scope, reason: 'bounced', evidence }, now, again);
    }
    const soft = policy.softBounces;
    if (soft === false) return [];
    forget.run({ before: now - REMEMBERED_MS });
    note.run({ address, at, id });
    const last = lastOfMany(address, at, soft);
    if (last === undefined) return [];
    const until = new Date(last + soft.forMs);
    return suppressions.suppress({ address, scope: 'all', reason: 'bounced', evidence, until }, now, again);
  };

  return {
    bounced,
    unsubscribeScope: scopeOfMail,
    follow(event, match, { now, policy, again }) {
      const row = find.get({ id: match.id });
      const facts = row && ledger.message(row.message_id);
      if (row === undefined || facts === undefined) return [];
      const address = row.recipient.toLowerCase();
      const evidence = event.diagnostic ?? event.status ?? `${event.source}: ${event.reason ?? event.type}`;
      // A mail that anybody could have written must not silence an address.
      if (!isSure(event.source, match)) return [];
      if (event.type === 'complained') {
        if (policy.complaints === false) return [];
        return suppressions.suppress({ address, scope: policy.complaints, reason: 'complained', evidence }, now, again);
      }
      if (event.type === 'unsubscribed') {
        const entry = { address, scope: scopeOfMail(facts), reason: 'unsubscribed', evidence } as const;
        // Who subscribed again after that means it.
        return suppressions.suppress(entry, now, event.at);
      }
      if (event.type !== 'bounced' || !isAboutRecipient(event)) return [];
      const hard = event.kind === 'hard';
      return bounced(
        { id: match.id, recipient: row.recipient, facts, at: event.at, hard, evidence },
        { now, policy, again },
      );
    },
  };
}
