import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { sqlite } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { endpoint, status } from '../notify/support.ts';

const message = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' };

/** The engine's threads of this process, as they are made. */
const workers = vi.hoisted(() => [] as Worker[]);
vi.mock('node:worker_threads', async (original) => {
  const threads = await original<typeof import('node:worker_threads')>();
  class Watched extends threads.Worker {
    constructor(...parameters: ConstructorParameters<typeof threads.Worker>) {
      super(...parameters);
      if (parameters[1]?.name === 'mail-relay') workers.push(this);
    }
  }
  return { ...threads, Worker: Watched };
});

/** Ends the engine's thread as a crash does. */
async function crash(): Promise<void> {
  await workers.at(-1)?.terminate();
}

describe('an engine whose thread crashes', () => {
  it('starts again by itself and sends what waits, without another call', async () => {
    const store = sqlite(join(scratchFolder(), 'relay.db'));
    const relay = relayWith({ store, queue: { leaseMs: 500 }, logger: silent });
    const errors: unknown[] = [];
    const sent: string[] = [];
    relay.on('error', (error) => void errors.push(error));
    relay.on('sent', ({ recipient }) => void sent.push(recipient));
    await relay.start();
    await relay.lanes.pause('capture');
    for (let index = 0; index < 20; index++) await relay.send({ ...message, to: `r${index}@example.com` });
    await relay.lanes.resume('capture');
    await crash();
    await vi.waitFor(() => expect(new Set(sent).size).toBeGreaterThan(0), { timeout: 10_000 });
    await vi.waitFor(
      async () => expect((await relay.messages.list({ state: 'sent', limit: 100 })).items).toHaveLength(20),
      { timeout: 10_000, interval: 50 },
    );
    expect(errors).toMatchObject([{ code: 'ENGINE_CRASHED' }]);
  });

  it('rejects the calls that wait for it, and takes the next ones', async () => {
    const relay = relayWith({ store: sqlite(join(scratchFolder(), 'relay.db')), logger: silent });
    await relay.start();
    const waiting = Array.from({ length: 50 }, () => relay.send(message));
    const settled = Promise.allSettled(waiting);
    await crash();
    const codes = (await settled).map((result) => (result.status === 'rejected' ? result.reason.code : 'accepted'));
    expect(new Set([...codes, 'ENGINE_CRASHED', 'accepted'])).toEqual(new Set(['ENGINE_CRASHED', 'accepted']));
    await vi.waitFor(async () => expect(await relay.send(message)).toMatchObject({ repeated: false }), 10_000);
  });

  it('while a handler runs loses no event of its subscription, and hands out none twice that was handled', async () => {
    const store = sqlite(join(scratchFolder(), 'relay.db'));
    const relay = relayWith({ store, queue: { leaseMs: 500 }, logger: silent });
    const handled: string[] = [];
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let failed = false;
    relay.subscribe('audit', { types: ['accepted'] }, async ({ recipient }) => {
      if (recipient === 'r0@example.com') {
        begun.resolve();
        await goOn.promise;
      }
      // One that fails while there is no engine is tried again by the next.
      if (recipient === 'r1@example.com' && !failed) {
        failed = true;
        throw new Error('not now');
      }
      handled.push(recipient);
    });
    await relay.start();
    const to = Array.from({ length: 20 }, (_, index) => `r${index}@example.com`);
    for (const one of to.slice(0, 10)) await relay.send({ ...message, to: one });
    await begun.promise;
    await crash();
    goOn.resolve();
    await vi.waitFor(() => expect(handled).toContain('r2@example.com'), { timeout: 10_000 });
    await crash();
    for (const one of to.slice(10)) await relay.send({ ...message, to: one });
    await vi.waitFor(() => expect(new Set(handled)).toEqual(new Set(to)), { timeout: 15_000 });
    expect(failed).toBe(true);
    expect(handled).toHaveLength(20);
    await vi.waitFor(
      async () =>
        expect(await relay.subscriptions.list()).toMatchObject([
          { name: 'audit', state: 'active', waiting: 0, retrying: 0, failed: 0 },
        ]),
      { timeout: 10_000 },
    );
  }, 40_000);

  it('while it posts to an endpoint posts the event again under its id', async () => {
    const { url, received } = await endpoint((response, count) => count > 1 && status(204)(response));
    const relay = relayWith({
      store: sqlite(join(scratchFolder(), 'relay.db')),
      queue: { leaseMs: 500 },
      logger: silent,
      webhooksOut: [
        {
          name: 'crm',
          url,
          secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
          types: ['accepted'],
          allowHttp: true,
          allowPrivateAddresses: true,
        },
      ],
    });
    await relay.send(message);
    await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 10_000 });
    await crash();
    await vi.waitFor(() => expect(received).toHaveLength(2), { timeout: 15_000 });
    expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id']);
    await vi.waitFor(
      async () => expect(await relay.subscriptions.list()).toMatchObject([{ waiting: 0, retrying: 0, failed: 0 }]),
      { timeout: 10_000 },
    );
  }, 40_000);

  it('in the middle of a bulk send ends it with an error, and not never', async () => {
    const relay = relayWith({ store: sqlite(join(scratchFolder(), 'relay.db')), logger: silent });
    await relay.start();
    async function* people(): AsyncGenerator<string> {
      for (let index = 0; index < 600; index++) {
        if (index === 300) await crash();
        yield `r${index}@example.com`;
      }
    }
    const sending = (async () => relay.sendMany(people(), { subject: 'Hi', text: 'Hello' }))();
    await expect(sending).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
  });
});

describe('a relay', () => {
  it.each([true, false])(
    'that is stopped in the middle of a bulk send says so; engine in a thread: %s',
    async (thread) => {
      const relay = relayWith({ thread, store: sqlite(join(scratchFolder(), 'relay.db')) });
      async function* people(): AsyncGenerator<string> {
        for (let index = 0; index < 1000; index++) {
          if (index === 500) await relay.stop();
          yield `r${index}@example.com`;
        }
      }
      await expect(
        relay.sendMany(people(), { subject: 'Hi', text: 'Hello', campaign: 'spring' }),
      ).rejects.toMatchObject({
        code: 'RELAY_STOPPED',
      });
      await relay.start();
      // The first batch was durable before the second was read; of what came after the stop, nothing is.
      const { accepted } = await relay.reports.campaign('spring');
      expect([250, 500]).toContain(accepted);
    },
  );

  it('does what was asked for last, start or stop', async () => {
    const relay = relayWith();
    await relay.start();
    void relay.stop();
    const started = relay.start();
    const stopped = relay.stop();
    await expect(started).rejects.toMatchObject({ code: 'RELAY_STOPPED' });
    await stopped;
    await expect(relay.send(message)).rejects.toMatchObject({ code: 'RELAY_STOPPED' });
    void relay.stop();
    await relay.start();
    expect(await relay.send(message)).toMatchObject({ repeated: false });
  });
});

const silent = { debug() {}, info() {}, warn() {}, error() {} };
