import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { describe, expect, it, onTestFinished } from 'vitest';
import { batchedChannel, type ChannelCalls, END } from '../../../packages/core/src/thread/channel.ts';

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

  it('lets everything else have its turn while many messages wait, and takes them in their order', async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const seen: unknown[] = [];
    let ended = false;
    const { on } = batchedChannel(port2, {
      turnMs: 2,
      onEnd: () => {
        seen.push('end');
        ended = true;
      },
    });
    let turns = 0;
    void on((packet: unknown) => {
      seen.push(packet);
      const start = performance.now();
      while (performance.now() - start < 1);
    });
    for (let index = 0; index < 40; index++) port1.postMessage([index]);
    port1.postMessage(END);
    while (!ended) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect(seen).toEqual([...Array.from({ length: 40 }, (_, index) => index), 'end']);
    // Two or three messages of 1 ms each.
    expect(turns).toBeGreaterThan(10);
  });

  it('answers before the next commit, and together what one allowed', async () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const messages: unknown[] = [];
    const post = port2.postMessage.bind(port2);
    const committed = Promise.withResolvers<void>();
    createBirpc<object, Pick<Api, 'double'>>(
      {
        async double(value) {
          await committed.promise;
          return Number(value) * 2;
        },
      },
      {
        ...batchedChannel({
          on: (event, listener) => port2.on(event, listener),
          postMessage(message: unknown) {
            messages.push(message);
            post(message);
          },
        }),
        timeout: -1,
      },
    );
    const rpc = createBirpc<Pick<Api, 'double'>, object>({}, { ...batchedChannel(port1), timeout: -1 });
    const answers = Promise.all([rpc.double(1), rpc.double(2), rpc.double(3)]);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    setImmediate(committed.resolve);
    // What comes after in the same phase, such as the next commit.
    const before = new Promise<number>((resolve) => setImmediate(() => resolve(messages.length)));
    expect(await before).toBe(1);
    expect(await answers).toEqual([2, 4, 6]);
    expect(messages).toHaveLength(1);
  });
});
