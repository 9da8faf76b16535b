import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLocalQueue } from '../../../packages/core/src/queue/local.ts';
import type { ClaimedDelivery, Settlement } from '../../../packages/core/src/queue/port.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { input } from '../store/suite/bench.ts';

const LEASE_MS = 1000;

/** A store with this many deliveries that wait. */
async function storeWith(count: number): Promise<Store> {
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  const recipients = Array.from({ length: count }, (_, index) => recipientOf(`r${index}@example.com`));
  await store.intake.accept(input({ recipients, now: Date.now() }));
  return store;
}

describe('a process that is stopped for longer than its lease, and goes on', () => {
  it('sends nothing of what others have by now', async () => {
    const store = await storeWith(40);
    const begun: ClaimedDelivery[] = [];
    const held: (() => void)[] = [];
    const queue = createLocalQueue({
      store: store.queue,
      lanes: [{ key: { route: 'out', stream: 'transactional' }, concurrency: 2, rates: [] }],
      routes: ['out'],
      async deliver(claimed, _route, { onStart }): Promise<Settlement> {
        begun.push(claimed);
        await new Promise<void>((resolve) => held.push(resolve));
        const going = onStart(Date.now());
        const result = going ? ({ type: 'sent', reply: '250 Ok' } as const) : ({ type: 'returned' } as const);
        return { deliveryId: claimed.id, startedAt: going ? Date.now() : undefined, result, transcript: undefined };
      },
      onEvents: () => {},
      onError: () => {},
      onMoved: () => {},
      leaseMs: LEASE_MS,
      pid: 1,
      host: 'here',
    });
    await queue.start();
    await vi.waitFor(() => expect(begun).toHaveLength(2));
    // Another process finds that this one was silent, and takes all that it had.
    const other = await store.queue.register({ pid: 2, host: 'here', rates: {}, routes: ['out'] }, Date.now());
    const later = Date.now() + 60_000;
    const { recovered } = await store.queue.beat(other, { now: later, leaseMs: LEASE_MS });
    expect(recovered).toBe(40);
    const lane = { route: 'out', stream: 'transactional' } as const;
    expect(await store.queue.claim({ lane, limit: 100, owner: other, now: later })).toHaveLength(40);
    // This one hears with its next sign of life that it was given up, and registers again.
    await vi.waitFor(async () => expect((await store.queue.lanes({ limit: 10, offset: 0 }))[0]?.sending).toBe(40));
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 2));
    for (const release of held.splice(0)) release();
    await vi.waitFor(() => expect(held).toEqual([]));
    await queue.stop({ drain: false, timeoutMs: 1000 });
    expect(begun).toHaveLength(2);
    expect((await store.queue.lanes({ limit: 10, offset: 0 }))[0]?.sending).toBe(40);
  });
});
