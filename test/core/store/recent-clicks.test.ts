import { StatementSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decodeId } from '../../../packages/core/src/message.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { open } from './journal-bench.ts';
import { input, knownOf } from './suite/bench.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** A store that has a mail, and has run for longer than clicks are recent. */
async function running() {
  const opened = await open();
  const { deliveries } = await opened.store.intake.accept(input());
  const id = decodeId('dlv', deliveries[0]?.id ?? '') as number;
  const click = (store: Store = opened.store, count = 1) =>
    store.activity.record(
      Array.from({ length: count }, () => ({
        type: 'clicked' as const,
        deliveryId: id,
        at: Date.now(),
        agent: { kind: 'human', evidence: 'browser', userAgent: 'x' } as const,
        url: 'https://a.example/',
      })),
    );
  await click();
  vi.setSystemTime(Date.now() + 10_001);
  return { ...opened, click, recent: async () => (await knownOf(opened.store, id, Date.now()))?.recentClicks };
}

/** Queries for many rows since it was made. */
function queries(): () => number {
  const asked = vi.spyOn(StatementSync.prototype, 'all');
  onTestFinished(() => asked.mockRestore());
  return () => asked.mock.calls.length;
}

describe('clicks of the last ten seconds', () => {
  it('are told without a query by a process that has recorded all of them', async () => {
    const { click, recent } = await running();
    expect(await recent()).toBe(0);
    await click();
    vi.setSystemTime(Date.now() + 6000);
    await click();
    // The list of other processes is looked at ten times a second, and not again on a machine that is busy.
    const time = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    onTestFinished(() => time.mockRestore());
    await recent();
    const asked = queries();
    expect(await recent()).toBe(2);
    vi.setSystemTime(Date.now() + 5000);
    expect(await recent()).toBe(1);
    expect(asked()).toBe(0);
    await click(undefined, 150);
    expect(await recent()).toBe(100);
  });

  it('are read from the file where others record, too', async () => {
    const { path, store, click, recent } = await running();
    for (const pid of [1, 2]) await store.queue.register({ pid, host: 'here', rates: {} }, Date.now());
    await setTimeout(120);
    const other = await open(path);
    await click(other.store);
    await click();
    expect(await recent()).toBe(2);
  });

  it('are read from the file after something was undone', async () => {
    const { store, click, recent } = await running();
    await click();
    const keyed = (subject: string) =>
      store.intake.accept(input({ idempotencyKey: 'k', content: { ...input().content, subject } }));
    await keyed('One');
    const [again, conflict] = await Promise.allSettled([click(), keyed('Two')]);
    expect([again.status, conflict.status]).toEqual(['fulfilled', 'rejected']);
    const asked = queries();
    expect(await recent()).toBe(2);
    expect(asked()).toBeGreaterThan(0);
  });
});
