import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { contentOf, recipientOf } from '../../support/content.ts';
import { open } from './journal-bench.ts';
import { input, LANE, NOW } from './suite/bench.ts';

/** Lets the time of the journal pass, which stands still: else what is looked at right after an answer may be posted already. */
async function pass(): Promise<void> {
  await setTimeout(20);
  await vi.advanceTimersByTimeAsync(20);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
});

describe('what is answered before it is in its tables', () => {
  it('is one row of the journal, and in its tables a moment later', async () => {
    const { store, count } = await open();
    let posted = 0;
    const accepted = await store.intake.accept(
      input({ recipients: ['a', 'b'].map((name) => recipientOf(`${name}@example.com`)) }),
      undefined,
      () => {
        posted += 1;
      },
    );
    expect([count('journal'), count('message'), count('delivery'), posted]).toEqual([1, 0, 0, 0]);
    await pass();
    expect(posted).toBe(1);
    expect([count('journal'), count('message'), count('delivery')]).toEqual([0, 1, 2]);
    const { items } = await store.log.list({ limit: 10 });
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set(accepted.deliveries.map(({ id }) => id)));
    expect(items).toMatchObject([{ messageId: accepted.id }, { messageId: accepted.id }]);
  });

  it('is found by every query of its process', async () => {
    const { store, count } = await open();
    const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW);
    const { id } = await store.intake.accept(input());
    expect((await store.log.list({ limit: 10 })).items).toMatchObject([{ messageId: id }]);
    await store.intake.accept(input());
    expect(store.queue.nextDueAt(LANE)).toBe(NOW);
    await store.intake.accept(input());
    expect(await store.queue.claim({ lane: LANE, limit: 10, owner, now: NOW })).toHaveLength(3);
    await store.intake.accept(input());
    await store.suppressions.add(
      { address: 'ada@example.com', scope: 'all', reason: 'manual', evidence: undefined },
      NOW,
    );
    expect((await store.log.list({ limit: 10 })).items.map(({ state }) => state).toSorted()).toEqual([
      'sending',
      'sending',
      'sending',
      'suppressed',
    ]);
    expect(count('journal')).toBe(0);
  });

  it('shares its commit, and is asked to do so again where that fails', async () => {
    const { store } = await open();
    const keyed = (subject: string) =>
      store.intake.accept(input({ idempotencyKey: 'k', content: contentOf({ subject }) }));
    await keyed('One');
    const [plain, conflict, other] = await Promise.allSettled([
      store.intake.accept(input({ recipients: [recipientOf('plain@example.com')] })),
      keyed('Two'),
      store.intake.accept(input({ recipients: [recipientOf('other@example.com')] })),
    ]);
    expect([plain.status, conflict.status, other.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const { items } = await store.log.list({ limit: 10 });
    expect(items.map(({ recipient }) => recipient).toSorted()).toEqual([
      'ada@example.com',
      'other@example.com',
      'plain@example.com',
    ]);
  });

  it('is only what is answered alike: anything else is in its tables at once', async () => {
    const { store, count } = await open();
    await store.suppressions.add(
      { address: 'gone@example.com', scope: 'all', reason: 'manual', evidence: undefined },
      NOW,
    );
    const suppressed = await store.intake.accept(input({ recipients: [recipientOf('gone@example.com')] }));
    expect(suppressed.deliveries).toMatchObject([{ state: 'suppressed' }]);
    const twice = ['ada@example.com', 'Ada@Example.com'].map(recipientOf);
    expect((await store.intake.accept(input({ recipients: twice }))).deliveries).toHaveLength(1);
    await store.intake.accept(input({ idempotencyKey: 'k' }));
    await store.intake.accept(input(), new Map([['hash', Buffer.from('bytes')]]));
    await store.intake.accept(input({ content: contentOf({ text: 'x'.repeat(20_000) }) }));
    expect([count('journal'), count('message')]).toEqual([0, 5]);
    await store.subscriptions.declare({ name: 's', kind: 'handler', types: ['accepted'] }, NOW);
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([0, 6]);
  });

  it('is in its tables at once where other processes may look for it', async () => {
    const { store, count } = await open();
    const others = await Promise.all([1, 2].map((pid) => store.queue.register({ pid, host: 'here', rates: {} }, NOW)));
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([0, 1]);
    await store.queue.unregister(others[1] as number, NOW);
    await expect
      .poll(async () => {
        await store.intake.accept(input());
        return count('journal');
      })
      .toBe(1);
  });

  it('is in its tables at once while queries keep coming: it would only be written twice', async () => {
    const { store, count } = await open();
    await store.intake.accept(input());
    // However busy the machine is.
    const time = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    onTestFinished(() => time.mockRestore());
    await store.log.list({ limit: 1 });
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([0, 2]);
    time.mockRestore();
    await setTimeout(60);
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([1, 2]);
  });

  it('is in its tables at once where many come at the same time, of which none gains', async () => {
    const { store, count } = await open();
    const accepted = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        store.intake.accept(input({ recipients: [recipientOf(`r${index}@example.com`)] })),
      ),
    );
    expect([count('journal'), count('message')]).toEqual([0, 100]);
    const { items } = await store.log.list({ limit: 200 });
    expect(new Set(items.map(({ messageId }) => messageId))).toEqual(new Set(accepted.map(({ id }) => id)));
  });

  it('waits until it is due', async () => {
    const { store } = await open();
    const accepted = await store.intake.accept(input({ sendAt: NOW + 60_000 }));
    expect(accepted.deliveries).toMatchObject([{ state: 'scheduled' }]);
    expect((await store.log.list({ limit: 1 })).items).toMatchObject([{ state: 'scheduled' }]);
    expect(store.queue.nextDueAt(LANE)).toBe(NOW + 60_000);
  });
});
