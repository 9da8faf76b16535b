import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Store, Turn, TurnRequest } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { input, NOW, turnRequest } from './suite/bench.ts';

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
  return store.subscriptions.turn(turnRequest({ subscription: spec, ...given }));
}

const recipientsOf = ({ events }: Turn): string[] =>
  events.map(({ event }) => ('recipient' in event ? event.recipient : event.type));

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
  expect(other.subscriptions.peek(turnRequest({ subscription: spec, holder: 'two', wall: NOW + 999 }))).toMatchObject({
    state: 'busy',
  });
  const taken = await turnOf(other, { holder: 'two', wall: NOW + 1001 });
  expect(recipientsOf(taken)).toEqual(['a@example.com']);
  // What the first says now is too late.
  expect(await turnOf(one, { cursor: taken.after, wall: NOW + 1002 })).toMatchObject({ state: 'busy' });
});
