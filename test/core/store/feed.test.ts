import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { HandedEvent, Store, Turn, TurnRequest } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { input, NOW } from './suite/bench.ts';

const spec = { name: 'audit', kind: 'handler', types: ['accepted'] } as const;

async function stores(count: number): Promise<Store[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mail-relay-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const made: Store[] = [];
  for (let index = 0; index < count; index++) {
    const store = createSqliteStore({ path: join(folder, 'relay.db'), messageIdOf: () => '<1@example.com>' });
    await store.open();
    onTestFinished(() => store.close());
    made.push(store);
  }
  return made;
}

function turnOf(store: Store, given: Partial<TurnRequest>): Promise<Turn> {
  return store.subscriptions.turn({ ...request(), ...given });
}

const recipientsOf = ({ events }: Turn): string[] => events.map(({ event }: HandedEvent) => event.recipient);

it('a cursor by id misses no event of processes that commit at the same time, whatever their clocks say', async () => {
  const [one, other, reader] = (await stores(3)) as [Store, Store, Store];
  await reader.subscriptions.declare(spec, NOW);
  const HOUR = 3_600_000;
  const seen: string[] = [];
  let after: number | undefined;
  const accept = (store: Store, to: string, now: number) =>
    store.intake.accept(input({ recipients: [recipientOf(to)], now }));
  async function read(): Promise<void> {
    const turn = await turnOf(reader, { after, cursor: after, want: 5, inHand: 1 });
    after = turn.after;
    seen.push(...recipientsOf(turn));
  }
  const sent: string[] = [];
  for (let round = 0; round < 40; round++) {
    const [early, late] = [`early${round}@example.com`, `late${round}@example.com`];
    sent.push(early, late);
    // One clock is an hour ahead, and what it writes gets its ids first: the other commits later, with times before.
    const first = accept(one, early, NOW + HOUR);
    const second = accept(other, late, NOW);
    await Promise.all([first, read(), second]);
  }
  for (let round = 0; round < 20; round++) await read();
  expect(seen.toSorted()).toEqual(sent.toSorted());
});

it('an event is handed to one process at a time, and to another when the lease is over', async () => {
  const [one, other] = (await stores(2)) as [Store, Store];
  await one.subscriptions.declare(spec, NOW);
  await one.intake.accept(input({ recipients: [recipientOf('a@example.com')] }));
  expect(recipientsOf(await turnOf(one, {}))).toEqual(['a@example.com']);
  // It asked a little earlier, and waited for the lock.
  expect(await turnOf(other, { holder: 'two', wall: NOW - 5 })).toMatchObject({ state: 'busy', events: [] });
  expect(await turnOf(other, { holder: 'two', wall: NOW + 999 })).toMatchObject({ state: 'busy', events: [] });
  expect(other.subscriptions.peek({ ...request(), holder: 'two', wall: NOW + 999 })).toMatchObject({ state: 'busy' });
  const taken = await turnOf(other, { holder: 'two', wall: NOW + 1001 });
  expect(recipientsOf(taken)).toEqual(['a@example.com']);
  // What the first says now is too late.
  expect(await turnOf(one, { cursor: taken.after, wall: NOW + 1002 })).toMatchObject({ state: 'busy' });
});

it('an event that ends five processes in a row is given up, and the next one is handed out', async () => {
  const [store] = (await stores(1)) as [Store];
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
  const [store] = (await stores(1)) as [Store];
  await store.subscriptions.declare(spec, NOW);
  const DAY = 86_400_000;
  await store.intake.accept(input({ recipients: [recipientOf('a@example.com')] }));
  const { after } = await turnOf(store, {});
  await turnOf(store, { cursor: after, after, want: 0 });
  const which = { from: new Date(0) } as const;
  expect(await store.subscriptions.replay('audit', which, { now: NOW + 6 * DAY })).toMatchObject({ replayed: 1 });
  await turnOf(store, { want: 0, now: NOW + 8 * DAY });
  expect(await store.subscriptions.replay('audit', which, { now: NOW + 8 * DAY })).toMatchObject({ replayed: 0 });
});

function request(): TurnRequest {
  return {
    subscription: spec,
    holder: 'one',
    results: [],
    cursor: undefined,
    after: undefined,
    want: 10,
    inHand: 0,
    now: NOW,
    wall: NOW,
    leaseMs: 1000,
    holdMs: 1000,
  };
}
