import { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { relayWith } from '../../support/relay.ts';

it('calls of one turn of the event loop cross to the engine in few messages, the first before the last is made', async () => {
  const relay = relayWith({ queue: { deliver: false } });
  await relay.start();
  const posted = vi.spyOn(Worker.prototype, 'postMessage');
  const found = await Promise.all(
    Array.from({ length: 10 }, (_, index) => relay.suppressions.has(`r${index}@example.com`)),
  );
  const batches = posted.mock.calls.map(([batch]) => (batch as unknown[]).length);
  posted.mockRestore();
  expect(found).toHaveLength(10);
  expect(batches).toEqual([4, 4, 2]);
});
