import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestRelay, type TestRelayOptions } from '../../../packages/core/src/testing/index.ts';
import { endpoint, status } from '../notify/support.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const hello = { to: 'ada@example.com', subject: 'Hello', text: 'Hello' } as const;

async function kit(options: TestRelayOptions = {}) {
  const made = await createTestRelay({ logger: quiet, ...options });
  onTestFinished(made.stop);
  return made;
}
const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('settled()', () => {
  it('waits for the handlers of subscriptions, also slow ones and many events', async () => {
    const { relay } = await kit();
    const seen: string[] = [];
    relay.subscribe('crm', { types: ['sent'], concurrency: 3 }, async ({ recipient }) => {
      await soon(5);
      seen.push(recipient);
    });
    const to = Array.from({ length: 100 }, (_, number) => `reader${number}@example.com`);
    for (const one of to) await relay.send({ ...hello, to: one });
    await relay.settled();
    expect(seen.toSorted()).toEqual(to.toSorted());
  });

  it('waits for what handlers send', async () => {
    const { relay, inbox } = await kit();
    relay.subscribe('welcome', { types: ['accepted'] }, async ({ recipient }) => {
      await soon(20);
      if (recipient === 'ada@example.com') await relay.send({ ...hello, to: 'team@example.com' });
    });
    await relay.send(hello);
    await relay.settled();
    expect((await inbox.all()).map((mail) => mail.to).sort()).toEqual(['ada@example.com', 'team@example.com']);
  });

  it('waits for webhooks out', async () => {
    const { url, received } = await endpoint((response) => void setTimeout(() => status(204)(response), 50));
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const { relay } = await kit({
      webhooksOut: [{ name: 'crm', url, secret, types: ['sent'], allowHttp: true, allowPrivateAddresses: true }],
    });
    await relay.send(hello);
    await relay.settled();
    expect(received).toHaveLength(1);
  });

  it('does not wait for the next attempt, which comes as the clock moves', async () => {
    const { relay, clock } = await kit();
    const attempts: number[] = [];
    relay.subscribe('crm', { types: ['sent'] }, (_, { attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('not now');
    });
    await relay.send(hello);
    await relay.settled();
    expect(attempts).toEqual([1]);
    await clock.advance(2000);
    expect(attempts).toEqual([1, 2]);
    await clock.advance(10_000);
    expect(attempts).toEqual([1, 2, 3]);
  });

  it('ends where a handler fails with everything, is paused, or was stopped', async () => {
    const { relay } = await kit();
    const broken = relay.subscribe('broken', { types: ['sent'] }, () => {
      throw new Error('never');
    });
    relay.subscribe('paused', { types: ['sent'] }, () => {});
    await relay.settled();
    await relay.subscriptions.pause('paused');
    for (let number = 0; number < 10; number++) await relay.send(hello);
    await relay.settled();
    expect(await relay.subscriptions.list()).toMatchObject([
      { name: 'broken', failed: 0, error: 'never' },
      { name: 'paused', waiting: 10 },
    ]);
    await broken.stop();
    await relay.send(hello);
    await relay.settled();
  });
});
