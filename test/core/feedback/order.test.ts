import { describe, expect, it } from 'vitest';
import type { FeedbackEvent } from '../../../packages/core/src/feedback/event.ts';
import { decodeId } from '../../../packages/core/src/message.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { resolveSuppression } from '../../../packages/core/src/suppression-policy.ts';
import { contentOf, recipientOf } from '../../support/content.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;
const DELIVERIES = 150;
const EVENTS = 4000;

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** A store with mails that were sent, the same ones each time. Every address gets several. */
async function sent(): Promise<{ store: Store; ids: string[] }> {
  const store = createSqliteStore({ path: ':memory:', messageIdOf: ({ messageId }) => `<${messageId}@example.com>` });
  await store.open();
  const ids: string[] = [];
  for (let number = 0; number < DELIVERIES; number++) {
    const { deliveries } = await store.intake.accept({
      content: contentOf({ stream: 'broadcast' }),
      campaign: 'spring',
      tags: [],
      metadata: undefined,
      sendAt: undefined,
      idempotencyKey: undefined,
      recipients: [recipientOf(`reader${number % 40}@example.net`)],
      route: 'out',
      now: NOW + number,
    });
    ids.push(deliveries[0]?.id ?? '');
  }
  const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW);
  const lane = { route: 'out', stream: 'broadcast' } as const;
  await store.queue.claim({ lane, limit: DELIVERIES, owner, now: NOW + DAY });
  await store.queue.settle(
    ids.map((id) => ({
      deliveryId: decodeId('dlv', id) ?? 0,
      startedAt: NOW,
      transcript: undefined,
      result: { type: 'sent', reply: '250 ok' } as const,
    })),
    { owner, now: NOW + DAY },
  );
  return { store, ids };
}

const KINDS: readonly Partial<FeedbackEvent>[] = [
  { type: 'delivered' },
  { type: 'deferred', reason: 'greylisted' },
  { type: 'opened' },
  { type: 'clicked', url: 'https://example.com/a' },
];

const RARE: readonly Partial<FeedbackEvent>[] = [
  { type: 'complained' },
  { type: 'bounced', kind: 'hard', reason: 'no-such-mailbox', fault: 'recipient' },
  { type: 'bounced', kind: 'soft', reason: 'mailbox-full', fault: 'recipient' },
  { type: 'bounced', kind: 'soft', reason: 'mailbox-full', fault: 'recipient' },
  { type: 'bounced', kind: 'soft', reason: 'blocked-ip', fault: 'sender' },
];

function mixed(ids: readonly string[]): FeedbackEvent[] {
  const next = random(42);
  return Array.from({ length: EVENTS }, (_, number) => {
    // Few bounce hard or complain: most of the verdicts would be theirs.
    const kind = RARE[next(100)] ?? KINDS[next(KINDS.length)];
    const deliveryId = next(20) === 0 ? `dlv_${number.toString(36)}` : ids[next(ids.length)];
    return { type: 'delivered', ...kind, id: `e${number}`, at: NOW + DAY + number, source: 'ses', deliveryId };
  });
}

function shuffled<T>(list: readonly T[], next: (below: number) => number): T[] {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at--) {
    const other = next(at + 1);
    [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
  }
  return copy;
}

async function outcome(order: (events: FeedbackEvent[]) => FeedbackEvent[]) {
  const { store, ids } = await sent();
  const events = order(mixed(ids));
  for (let at = 0; at < events.length; at += 100)
    await store.feedback.receive(events.slice(at, at + 100), { now: NOW + 2 * DAY, policy: resolveSuppression() });
  const { items } = await store.suppressions.list({ limit: 1000 });
  const states = (await store.log.list({ limit: 1000 })).items.map(({ id, state }) => [id, state]);
  const { bytes } = await store.size();
  const report = await store.reports.campaign('spring');
  await store.close();
  return { report, states, bytes, suppressed: items.map(({ address, scope, reason }) => [address, scope, reason]) };
}

describe('what comes back', () => {
  it('gives the same reports, states and suppressions repeated and in any order as sorted and once, in a database of the same size', async () => {
    const sorted = await outcome((events) => events);
    expect(new Set(sorted.states.map(([, state]) => state))).toEqual(new Set(['bounced', 'complained', 'delivered']));
    expect(sorted.suppressed.length).toBeGreaterThan(10);
    for (const seed of [1, 2]) {
      const next = random(seed);
      const mess = await outcome((events) =>
        shuffled([...events, ...shuffled(events, next).slice(0, EVENTS / 2)], next),
      );
      expect({ ...mess, bytes: 0 }).toEqual({ ...sorted, bytes: 0 });
      expect(Math.abs(mess.bytes - sorted.bytes)).toBeLessThan(sorted.bytes * 0.15);
    }
  });
});
