import { describe, expect, it } from 'vitest';
import type { EventResult, HandedEvent, Store, Turn, TurnRequest } from '../../../../packages/core/src/store/port.ts';
import { recipientOf } from '../../../support/content.ts';
import { benchOn, input, NOW, type OpenStore, turnRequest } from './bench.ts';

const DAY = 86_400_000;
const spec = { name: 'audit', kind: 'handler', types: ['accepted', 'cancelled'] } as const;
const turnOf = (store: Store, given: Partial<TurnRequest> = {}): Promise<Turn> =>
  store.subscriptions.turn(turnRequest({ subscription: spec, ...given }));
const accept = (store: Store, to: string, now = NOW) =>
  store.intake.accept(input({ recipients: [recipientOf(to)], now }));
const recipientsOf = ({ events }: Turn): string[] =>
  events.map(({ event }) => ('recipient' in event ? event.recipient : event.type));

/** What became of an event that was handed out. */
function resultOf({ event, attempt, again }: HandedEvent, outcome: EventResult['outcome']): EventResult {
  const deliveryId = 'deliveryId' in event ? event.deliveryId : undefined;
  return { id: event.id, deliveryId, type: event.type, attempt, again, outcome };
}

/** What a store's subscriptions have to do. */
export function subscriptionsSuite(name: string, open: OpenStore): void {
  describe(`${name}: subscriptions`, () => {
    it('are told of what happens after they were declared, of their types, in its order', async () => {
      const { store } = await benchOn(open);
      await accept(store, 'before@example.com');
      await store.subscriptions.declare(spec, NOW);
      await store.subscriptions.declare({ ...spec, name: 'other', types: ['sent'] }, NOW);
      const { id } = await accept(store, 'a@example.com');
      await accept(store, 'b@example.com');
      await store.log.apply({ id }, 'hold', { now: NOW });
      await store.log.apply({ id }, 'release', { now: NOW });
      await store.log.apply({ id }, 'cancel', { now: NOW });
      const turn = await turnOf(store);
      expect(turn).toMatchObject({ state: 'held', more: false, nextDueAt: undefined });
      expect(turn.events.map(({ event, attempt, again }) => [event.type, attempt, again])).toEqual([
        ['accepted', 1, false],
        ['accepted', 1, false],
        ['cancelled', 1, false],
      ]);
      expect(recipientsOf(turn)).toEqual(['a@example.com', 'b@example.com', 'a@example.com']);
      expect(await turnOf(store, { after: turn.after, cursor: turn.after })).toMatchObject({
        state: 'idle',
        events: [],
      });
      const [audit, other] = await store.subscriptions.list();
      expect(audit).toMatchObject({ name: 'audit', types: spec.types, waiting: 0, waitingSince: undefined });
      expect(other).toMatchObject({ name: 'other', types: ['sent'], waiting: 0 });
    });

    it('are not told of events again that are over, and of those that are not by whoever comes next', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      for (const to of ['a@example.com', 'b@example.com']) await accept(store, to);
      const { events, after } = await turnOf(store);
      const [first] = events as [HandedEvent];
      // The cursor stands before the second: it is in the hands of the process, which ends.
      const cursor = (after ?? 0) - 1;
      await turnOf(store, { results: [resultOf(first, { type: 'done' })], cursor, after, want: 0, inHand: 1 });
      expect(recipientsOf(await turnOf(store, { holder: 'two', wall: NOW + 2000 }))).toEqual(['b@example.com']);
    });

    it('are worked on by one process at a time, and by another when its lease is over', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      await accept(store, 'a@example.com');
      const taken = await turnOf(store);
      expect(recipientsOf(taken)).toEqual(['a@example.com']);
      const early = turnRequest({ subscription: spec, holder: 'two', wall: NOW + 999 });
      expect(await store.subscriptions.turn(early)).toMatchObject({ state: 'busy', events: [] });
      expect(store.subscriptions.peek(early)).toMatchObject({ state: 'busy' });
      // By a clock that was set back the lease would be for long.
      expect(recipientsOf(await turnOf(store, { holder: 'three', wall: NOW - DAY }))).toEqual(['a@example.com']);
      expect(await turnOf(store, { cursor: taken.after, wall: NOW - DAY })).toMatchObject({ state: 'busy' });
    });

    it('are told again of what failed, when it is due, and meanwhile of nothing else of its delivery', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      const { id } = await accept(store, 'a@example.com');
      await accept(store, 'b@example.com');
      const { events, after } = await turnOf(store, { want: 1 });
      const retry = resultOf(events[0] as HandedEvent, { type: 'retry', error: 'no', dueAt: NOW + 5000 });
      await store.log.apply({ id }, 'cancel', { now: NOW });
      const next = await turnOf(store, { results: [retry], cursor: after, after });
      expect(recipientsOf(next)).toEqual(['b@example.com']);
      expect(next.nextDueAt).toBe(NOW + 5000);
      expect((await store.subscriptions.list())[0]).toMatchObject({ retrying: 2, failed: 0, error: 'no' });
      const over = { cursor: next.after, after: next.after } as const;
      expect((await turnOf(store, { ...over, now: NOW + 4999 })).events).toEqual([]);
      const due = await turnOf(store, { ...over, now: NOW + 5000 });
      expect(due.events).toMatchObject([{ attempt: 2, again: true, event: { type: 'accepted' } }]);
      const done = resultOf(due.events[0] as HandedEvent, { type: 'done' });
      const last = await turnOf(store, { ...over, results: [done], now: NOW + 5001 });
      expect(last.events).toMatchObject([{ attempt: 1, again: true, event: { type: 'cancelled' } }]);
    });

    it('list what was given up, a page at a time, and are told of it once more', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      for (const to of ['a@example.com', 'b@example.com', 'c@example.com']) await accept(store, to);
      const { events, after } = await turnOf(store);
      const results = events.map((one) => resultOf(one, { type: 'failed', error: 'never' }));
      await turnOf(store, { results, cursor: after, after, want: 0 });
      const first = await store.subscriptions.failures('audit', { limit: 2 });
      const rest = await store.subscriptions.failures('audit', { limit: 2, after: first.next });
      expect(
        [...first.items, ...rest.items].map(({ event, error, attempts }) => [event, error, attempts]),
      ).toMatchObject(
        ['c@example.com', 'b@example.com', 'a@example.com'].map((recipient) => [{ recipient }, 'never', 1]),
      );
      expect((await store.subscriptions.list())[0]).toMatchObject({ failed: 3, failingSince: new Date(NOW) });
      expect(await store.subscriptions.replay('audit', { failures: true }, { now: NOW + 1 })).toMatchObject({
        replayed: 3,
      });
      expect(recipientsOf(await turnOf(store, { now: NOW + 1 }))).toHaveLength(3);
      const event = { event: 'evt_1' } as const;
      await expect(store.subscriptions.replay('audit', event, { now: NOW })).rejects.toMatchObject({
        code: 'EVENT_NOT_FOUND',
      });
    });

    it('are paused and go on, are superseded and removed', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      await store.subscriptions.pause('audit', 'the CRM moves', NOW);
      await accept(store, 'a@example.com');
      expect(await turnOf(store)).toMatchObject({ state: 'paused', events: [] });
      expect((await store.subscriptions.list())[0]).toMatchObject({
        state: 'paused',
        reason: 'the CRM moves',
        waiting: 1,
      });
      await store.subscriptions.resume('audit');
      expect(recipientsOf(await turnOf(store))).toEqual(['a@example.com']);
      await store.subscriptions.declare({ ...spec, types: ['sent'] }, NOW);
      expect(await turnOf(store)).toMatchObject({ state: 'superseded' });
      const webhook = { ...spec, kind: 'webhook' } as const;
      await expect(store.subscriptions.declare(webhook, NOW)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
      await store.subscriptions.remove('audit');
      expect(await turnOf(store)).toMatchObject({ state: 'gone' });
      for (const call of [
        () => store.subscriptions.resume('audit'),
        () => store.subscriptions.remove('audit'),
        () => store.subscriptions.failures('audit', { limit: 1 }),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'SUBSCRIPTION_NOT_FOUND' });
    });

    it('an event that ends five processes in a row is given up, and the next one is handed out', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      for (const to of ['deadly@example.com', 'b@example.com'])
        await store.intake.accept(input({ recipients: [recipientOf(to)] }));
      const handed: string[][] = [];
      for (let crash = 0; crash < 6; crash++)
        handed.push(recipientsOf(await turnOf(store, { holder: `process ${crash}`, wall: NOW + crash * 2000 })));
      expect(handed[0]).toEqual(['deadly@example.com', 'b@example.com']);
      // Then one at a time.
      expect(handed.slice(1, 5)).toEqual(Array.from({ length: 4 }, () => ['deadly@example.com']));
      expect(handed[5]).toEqual(['b@example.com']);
      const { items } = await store.subscriptions.failures('audit', { limit: 10 });
      expect(items).toMatchObject([
        { error: expect.stringContaining('processes ended'), event: { recipient: 'deadly@example.com' } },
      ]);
    });

    it('what is handled by all stays for seven days, and is removed then', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare(spec, NOW);
      await store.intake.accept(input({ recipients: [recipientOf('a@example.com')] }));
      const { after } = await turnOf(store, {});
      await turnOf(store, { cursor: after, after, want: 0 });
      const which = { from: new Date(0) } as const;
      expect(await store.subscriptions.replay('audit', which, { now: NOW + 6 * DAY })).toMatchObject({ replayed: 1 });
      await turnOf(store, { want: 0, now: NOW + 8 * DAY });
      expect(await store.subscriptions.replay('audit', which, { now: NOW + 8 * DAY })).toMatchObject({ replayed: 0 });
    });
  });
}
