import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { simulate } from '../../faults/support/simulation.ts';
import { scratchFolder } from '../../support/relay.ts';

beforeEach(() => {
  const toFake = ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...toFake], now: Date.UTC(2026, 0, 5, 12) });
});
afterEach(() => void vi.useRealTimers());

it('no newsletter takes a slot of the rate while transactional mail waits for one', async () => {
  const world = await simulate(`${scratchFolder()}/relay.db`, [{ limit: 20, windowMs: 1000 }]);
  try {
    await world.accept('broadcast', 200);
    await world.accept('transactional', 70);
    await world.launch({ concurrency: 50, latency: () => 5 });
    await world.pass(10_000);
    const streams = world.starts.map(({ address }) => address.replace(/\d.*/, ''));
    expect(streams.slice(0, 70)).toEqual(Array.from({ length: 70 }, () => 'transactional'));
    expect(streams.slice(70).includes('broadcast')).toBe(true);
  } finally {
    await world.close();
  }
});
