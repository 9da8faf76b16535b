import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Logger, MessageEvent } from '../../../packages/core/src/index.ts';
import { createTestRelay, type TestRelayOptions } from '../../../packages/core/src/testing/relay.ts';
import { until } from '../../support/until.ts';

const hello = (to: string) => ({ to, subject: 'Hello', text: 'Hello' });
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

async function setting(options: TestRelayOptions = {}) {
  const error = vi.fn<Logger['error']>();
  const logger: Logger = { debug() {}, info() {}, warn() {}, error };
  const kit = await createTestRelay({ logger, ...options });
  onTestFinished(() => kit.stop());
  return { ...kit, error };
}

describe('an event that fails', () => {
  it('is tried again with waits that grow, while later events go on', async () => {
    const { relay, clock } = await setting();
    const calls: { to: string; attempt: number; at: number }[] = [];
    relay.subscribe('audit', { types: ['accepted'] }, ({ recipient }, { attempt }) => {
      calls.push({ to: recipient, attempt, at: clock.now() });
      if (recipient === 'bad@example.com' && attempt < 4) throw new Error('the CRM is away');
    });
    await relay.send(hello('bad@example.com'));
    await relay.send(hello('good@example.com'));
    await eventually(() => expect(calls.map(({ to }) => to)).toEqual(['bad@example.com', 'good@example.com']));
    expect(await relay.subscriptions.list()).toMatchObject([{ retrying: 1, failed: 0, error: 'the CRM is away' }]);
    const ofBad = () => calls.filter(({ to }) => to === 'bad@example.com');
    await until(clock, 500, () => expect(ofBad()).toHaveLength(4));
    const waits = ofBad().map(({ at }, index) => at - (ofBad()[index - 1]?.at ?? at));
    expect(waits[1]).toBeGreaterThanOrEqual(1000);
    expect(waits[2]).toBeGreaterThanOrEqual(4000);
    expect(waits[3]).toBeGreaterThanOrEqual(16_000);
    await eventually(async () =>
      expect(await relay.subscriptions.list()).toMatchObject([{ retrying: 0, failed: 0, failingSince: undefined }]),
    );
  });

  it('holds up the later events of its delivery, so that these stay in order', async () => {
    const { relay, clock } = await setting();
    const handled: string[] = [];
    let broken = true;
    relay.subscribe('audit', { types: ['accepted', 'sent'], concurrency: 4 }, ({ recipient, type }) => {
      if (broken && recipient === 'bad@example.com') throw new Error('away');
      handled.push(`${type} ${recipient}`);
    });
    await relay.send(hello('bad@example.com'));
    await relay.send(hello('good@example.com'));
    await eventually(() => expect(handled).toEqual(['accepted good@example.com', 'sent good@example.com']));
    await eventually(async () => expect(await relay.subscriptions.list()).toMatchObject([{ retrying: 2, waiting: 0 }]));
    broken = false;
    await until(clock, 1000, () => expect(handled).toHaveLength(4));
    expect(handled.slice(2)).toEqual(['accepted bad@example.com', 'sent bad@example.com']);
  });

  it('is given up after its attempts, with an error in the log, stays in a list, and can be replayed', async () => {
    const { relay, clock, error } = await setting();
    let broken = true;
    const handled: string[] = [];
    relay.subscribe('audit', { types: ['accepted'], maxAttempts: 2 }, ({ recipient }) => {
      if (broken && recipient === 'bad@example.com') throw new Error('cannot be');
      handled.push(recipient);
    });
    const { deliveries } = await relay.send(hello('bad@example.com'));
    await until(clock, 1000, () => expect(error).toHaveBeenCalledTimes(1));
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ subscription: 'audit', event: 'accepted', attempt: 2, error: 'cannot be' }),
      expect.stringContaining('given up'),
    );
    const { items } = await eventually(async () => {
      const page = await relay.subscriptions.failures('audit');
      expect(page.items).toHaveLength(1);
      return page;
    });
    expect(items[0]).toMatchObject({
      deliveryId: deliveries[0]?.id,
      type: 'accepted',
      attempts: 2,
      error: 'cannot be',
      event: { recipient: 'bad@example.com' },
    });
    expect(await relay.subscriptions.list()).toMatchObject([{ failed: 1, retrying: 0 }]);
    await relay.send(hello('good@example.com'));
    await eventually(() => expect(handled).toEqual(['good@example.com']));
    broken = false;
    expect(await relay.subscriptions.replay('audit', { failures: true })).toBe(1);
    await eventually(() => expect(handled).toEqual(['good@example.com', 'bad@example.com']));
    await eventually(async () => expect((await relay.subscriptions.failures('audit')).items).toEqual([]));
  });

  it('that takes too long counts as failed, and its signal aborts', async () => {
    const { relay, clock } = await setting();
    const aborted: boolean[] = [];
    const handled: number[] = [];
    relay.subscribe('audit', { types: ['accepted'], timeoutMs: 50 }, (_, { attempt, signal }) => {
      if (attempt > 1) return void handled.push(attempt);
      return new Promise<void>(() => signal.addEventListener('abort', () => aborted.push(true)));
    });
    await relay.send(hello('a@example.com'));
    await eventually(() => expect(aborted).toEqual([true]));
    expect(await relay.subscriptions.list()).toMatchObject([{ error: 'it took longer than 50 ms' }]);
    await until(clock, 500, () => expect(handled).toEqual([2]));
  });
});

it('a handler that fails with everything is spared: one event at a time, after waits', async () => {
  const { relay } = await setting();
  let calls = 0;
  relay.subscribe('audit', { types: ['accepted'] }, () => {
    calls += 1;
    throw new Error('the database is away');
  });
  for (let index = 0; index < 20; index++) await relay.send(hello(`a${index}@example.com`));
  await eventually(() => expect(calls).toBe(3));
  await new Promise((resolve) => setTimeout(resolve, 150));
  // The clock stands still.
  expect(calls).toBe(3);
  expect(await relay.subscriptions.list()).toMatchObject([{ retrying: 3, waiting: 17 }]);
});

it('events of a time, and one by its id, are handled once more', async () => {
  const { relay, clock } = await setting();
  const seen: MessageEvent[] = [];
  relay.subscribe('audit', { types: ['accepted'] }, (event) => void seen.push(event));
  await relay.send(hello('a@example.com'));
  await clock.advance(60_000);
  const from = new Date(clock.now());
  await relay.send(hello('b@example.com'));
  await relay.send(hello('c@example.com'));
  await eventually(() => expect(seen).toHaveLength(3));
  await eventually(async () => expect(await relay.subscriptions.list()).toMatchObject([{ waiting: 0 }]));
  expect(await relay.subscriptions.replay('audit', { from })).toBe(2);
  await eventually(() => expect(seen.map(({ recipient }) => recipient[0]).join('')).toBe('abcbc'));
  expect(seen[3]).toEqual(seen[1]);
  expect(await relay.subscriptions.replay('audit', { from: new Date(0), to: from })).toBe(1);
  await eventually(() => expect(seen).toHaveLength(6));
  await relay.subscriptions.replay('audit', { event: seen[0]?.id as string });
  await eventually(() => expect(seen.map(({ recipient }) => recipient[0]).join('')).toBe('abcbcaa'));
});
