import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { describe, expect, it, onTestFinished } from 'vitest';
import { batchedChannel, type ChannelCalls } from '../../../packages/core/src/thread/channel.ts';

interface Api {
  double(value: unknown): Promise<unknown>;
  strange(): Promise<unknown>;
}

/** Two ends of a channel over a real port, and how many messages the first end posted. */
function ends(calls: ChannelCalls = {}): {
  readonly rpc: Api;
  readonly posted: () => number;
  tell(value: unknown): void;
} {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  let posted = 0;
  const counting = {
    postMessage(value: unknown) {
      port1.postMessage(value);
      posted += 1;
    },
    on: (event: 'message', listener: (value: unknown) => void) => port1.on(event, listener),
  };
  const api: Api = {
    double: async (value) => Number(value) * 2,
    strange: async () => ({ f: () => {} }),
  };
  createBirpc<object, Api>(api, { ...batchedChannel(port2), timeout: -1 });
  const rpc = createBirpc<Api, object>({}, { ...batchedChannel(counting, calls), timeout: -1 });
  return {
    rpc: rpc as unknown as Api,
    posted: () => posted,
    tell: (value) => void rpc.double.asEvent(value),
  };
}

describe('the channel between the threads', () => {
  it('sends all calls of one turn in one message', async () => {
    const { rpc, posted } = ends();
    expect(await Promise.all([1, 2, 3].map((value) => rpc.double(value)))).toEqual([2, 4, 6]);
    expect(posted()).toBe(1);
  });

  it('posts a batch at once, and plain parameters as text', async () => {
    const { rpc, posted } = ends({ batches: ['double'], asText: ['double'] });
    expect(await Promise.all([1, 2, 3].map((value) => rpc.double(value)))).toEqual([2, 4, 6]);
    expect(posted()).toBe(3);
  });

  it('rejects a call with a value that cannot be copied, and no other call beside it', async () => {
    const { rpc } = ends();
    const calls = [rpc.double(1), rpc.double(() => {}), rpc.double(3)];
    const [one, two, three] = await Promise.allSettled(calls);
    expect([one, three]).toMatchObject([{ value: 2 }, { value: 6 }]);
    expect(two).toMatchObject({
      reason: { name: 'MailRelayError', code: 'OPTIONS_INVALID', message: expect.stringMatching(/double\(\).*cloned/) },
    });
  });

  it('rejects a call whose answer cannot be copied', async () => {
    const { rpc } = ends();
    const [strange, plain] = await Promise.allSettled([rpc.strange(), rpc.double(2)]);
    expect(strange).toMatchObject({ reason: { code: 'INTERNAL' } });
    expect(plain).toMatchObject({ value: 4 });
  });

  it('drops an event that cannot be copied, since nobody waits for it', async () => {
    const { rpc, tell } = ends();
    const uncaught = once(process, 'uncaughtException', { signal: AbortSignal.timeout(50) });
    tell(() => {});
    expect(await rpc.double(4)).toBe(8);
    await expect(uncaught).rejects.toThrow(/abort/i);
  });
});
