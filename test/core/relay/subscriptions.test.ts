import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import type { EventOf, Logger, MessageEvent } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';

const hello = (to: string) => ({ to, subject: 'Hello', text: 'Hello' });
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const fileOf = (): string => join(scratchFolder(), 'relay.db');
const quiet = (): Logger => ({ debug() {}, info() {}, warn() {}, error() {} });

describe.each([true, false])('relay.subscribe(), with thread: %s', (thread) => {
  it('handles events of its types, in their order, from its beginning on', async () => {
    const relay = relayWith({ logger: quiet(), thread });
    await relay.send(hello('before@example.com'));
    const seen: string[] = [];
    const subscription = relay.subscribe('audit', { types: ['accepted', 'sent'] }, (event) => {
      expectTypeOf(event).toEqualTypeOf<EventOf<'accepted'> | EventOf<'sent'>>();
      seen.push(`${event.type} ${event.recipient}`);
    });
    await subscription.ready();
    for (const to of ['a@example.com', 'b@example.com']) await relay.send(hello(to));
    await eventually(() => expect(seen.filter((one) => one.endsWith('b@example.com'))).toHaveLength(2));
    await eventually(() =>
      expect(seen.filter((one) => one.startsWith('accepted'))).toEqual([
        'accepted a@example.com',
        'accepted b@example.com',
      ]),
    );
    await eventually(() => expect(seen).toContain('sent a@example.com'));
    for (const to of ['a@example.com', 'b@example.com'])
      expect(seen.indexOf(`accepted ${to}`)).toBeLessThan(seen.indexOf(`sent ${to}`));
  });

  it('handles after a restart what happened in between, once', async () => {
    const store = fileOf();
    const seen: string[] = [];
    const note = (event: MessageEvent) => void seen.push(event.recipient);
    const first = relayWith({ store, logger: quiet(), thread });
    first.subscribe('audit', { types: ['accepted'] }, note);
    await first.send(hello('a@example.com'));
    await eventually(() => expect(seen).toEqual(['a@example.com']));
    await first.stop();
    const other = relayWith({ store, logger: quiet(), thread });
    await other.send(hello('b@example.com'));
    await other.stop();
    const again = relayWith({ store, logger: quiet(), thread });
    again.subscribe('audit', { types: ['accepted'] }, note);
    await again.start();
    await again.send(hello('c@example.com'));
    await eventually(() => expect(seen).toHaveLength(3));
    expect(seen).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
    expect(await again.subscriptions.list()).toMatchObject([
      { name: 'audit', kind: 'handler', types: ['accepted'], state: 'active', failed: 0 },
    ]);
  });

  it('waits for handlers when it stops, and leaves the rest to the next start', async () => {
    const store = fileOf();
    const seen: string[] = [];
    const first = relayWith({ store, logger: quiet(), thread });
    const begun = Promise.withResolvers<void>();
    first.subscribe('audit', { types: ['accepted'] }, async ({ recipient }) => {
      begun.resolve();
      await new Promise((resolve) => setTimeout(resolve, 300));
      seen.push(recipient);
    });
    for (const to of ['a@example.com', 'b@example.com', 'c@example.com']) await first.send(hello(to));
    await begun.promise;
    await first.stop();
    expect(seen.length).toBeGreaterThan(0);
    const again = relayWith({ store, logger: quiet(), thread });
    again.subscribe('audit', { types: ['accepted'] }, ({ recipient }) => void seen.push(recipient));
    await again.start();
    // The lease was given back, so that nobody waits for its end.
    await vi.waitFor(() => expect(seen).toEqual(['a@example.com', 'b@example.com', 'c@example.com']), {
      timeout: 10_000,
    });
  });
});

describe('a subscription', () => {
  it('is called with every event where it names no types', async () => {
    const relay = relayWith({ logger: quiet(), thread: false });
    const types = new Set<string>();
    relay.subscribe('all', (event) => {
      expectTypeOf(event.type).toEqualTypeOf<MessageEvent['type']>();
      types.add(event.type);
    });
    await relay.send(hello('a@example.com'));
    await eventually(() => expect([...types]).toEqual(['accepted', 'sent']));
  });

  it('costs no row where there is none, and none for types that nobody wants', async () => {
    const store = fileOf();
    const relay = relayWith({ store, logger: quiet(), thread: false });
    const rows = (): number => {
      const db = new DatabaseSync(store);
      const { n } = db.prepare('SELECT count(*) AS n FROM feed').get() as { n: number };
      db.close();
      return n;
    };
    await relay.send(hello('a@example.com'));
    expect(rows()).toBe(0);
    const seen: string[] = [];
    await relay.subscribe('audit', { types: ['sent'] }, ({ recipient }) => void seen.push(recipient)).ready();
    await relay.send(hello('b@example.com'));
    await eventually(() => expect(seen).toContain('b@example.com'));
    expect(rows()).toBe(seen.length);
    await relay.subscriptions.remove('audit');
    expect(rows()).toBe(0);
    await relay.send(hello('c@example.com'));
    expect(rows()).toBe(0);
  });

  it('is paused, goes on where it was, and is removed', async () => {
    const relay = relayWith({ logger: quiet(), thread: false });
    const seen: string[] = [];
    await relay.subscribe('audit', { types: ['accepted'] }, ({ recipient }) => void seen.push(recipient)).ready();
    await relay.subscriptions.pause('audit', { reason: 'the CRM moves' });
    await relay.send(hello('a@example.com'));
    expect(await relay.subscriptions.list()).toMatchObject([{ state: 'paused', reason: 'the CRM moves', waiting: 1 }]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(seen).toEqual([]);
    await relay.subscriptions.resume('audit');
    await eventually(() => expect(seen).toEqual(['a@example.com']));
    await relay.subscriptions.remove('audit');
    expect(await relay.subscriptions.list()).toEqual([]);
    await relay.send(hello('b@example.com'));
    await expect(relay.subscriptions.resume('audit')).rejects.toMatchObject({
      code: 'SUBSCRIPTION_NOT_FOUND',
      status: 404,
    });
    expect(seen).toEqual(['a@example.com']);
  });

  it('says what is wrong with its name, its options and its handler', () => {
    const relay = relayWith();
    const invalid = expect.objectContaining({ code: 'OPTIONS_INVALID' });
    const call = relay.subscribe as (...given: unknown[]) => unknown;
    expect(() => call('a b', () => {})).toThrow(invalid);
    expect(() => call('a')).toThrow(invalid);
    expect(() => call('a', { types: [] }, () => {})).toThrow(invalid);
    expect(() => call('a', { types: ['bonced'] }, () => {})).toThrow(/bounced/);
    expect(() => call('a', { concurrency: 0 }, () => {})).toThrow(invalid);
    expect(() => call('a', { retries: 3 }, () => {})).toThrow(expect.objectContaining({ code: 'OPTION_UNSUPPORTED' }));
    call('a', () => {});
    expect(() => call('a', () => {})).toThrow(/a handler in this process already/);
  });

  it('says which events cannot be replayed', async () => {
    const relay = relayWith({ logger: quiet(), thread: false });
    await relay.subscribe('audit', { types: ['sent'] }, () => {}).ready();
    const replay = relay.subscriptions.replay as (name: string, which: unknown) => Promise<number>;
    await expect(replay('audit', {})).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    await expect(replay('audit', { failures: true, event: 'evt_1' })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    });
    await expect(replay('audit', { event: 'evt_1' })).rejects.toMatchObject({ code: 'EVENT_NOT_FOUND' });
    await expect(replay('other', { failures: true })).rejects.toMatchObject({ code: 'SUBSCRIPTION_NOT_FOUND' });
  });
});

describe('processes on one store', () => {
  function start(store: string, notes: string, ...more: string[]): Promise<ChildProcess> {
    const script = join(import.meta.dirname, 'subscriber.child.ts');
    const child = spawn(process.execPath, [...SOURCE_ARGUMENTS, script, store, notes, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return new Promise((resolve) => child.stdout.once('data', () => resolve(child)));
  }
  const linesOf = (notes: string): string[] =>
    existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').filter(Boolean) : [];

  it('handle an event again that a process was killed in the middle of', async () => {
    const store = fileOf();
    const notes = join(scratchFolder(), 'notes');
    const child = await start(store, notes, 'hang', '2');
    await eventually(() => expect(linesOf(notes)).toHaveLength(1));
    child.kill('SIGKILL');
    expect(linesOf(notes)[0]).toMatch(/^begin /);
    const [, id] = linesOf(notes)[0]?.split(' ') ?? [];
    const handled: string[] = [];
    const relay = relayWith({ store, logger: quiet(), queue: { leaseMs: 1500 } });
    relay.subscribe('audit', { types: ['accepted'] }, (event) => void handled.push(event.id));
    await relay.start();
    await eventually(() => expect(handled.length).toBeGreaterThan(0));
    expect(handled[0]).toBe(id);
  }, 40_000);

  it('share a subscription: of events that both commit, each is handled by one', async () => {
    const store = fileOf();
    const notes = join(scratchFolder(), 'notes');
    const count = 150;
    await Promise.all([start(store, notes, 'work', String(count)), start(store, notes, 'work', String(count))]);
    await eventually(() => expect(linesOf(notes).filter((line) => line.startsWith('end'))).toHaveLength(2 * count));
    const recipients = linesOf(notes).flatMap((line) => (line.startsWith('end') ? [line.split(' ')[2]] : []));
    expect(new Set(recipients).size).toBe(2 * count);
  }, 40_000);

  it('whose declarations differ leave the events to the latest', async () => {
    const store = fileOf();
    const warn = vi.fn<Logger['warn']>();
    const early = relayWith({ store, thread: false, logger: { ...quiet(), warn } });
    const seen: string[] = [];
    await early.subscribe('audit', { types: ['accepted'] }, () => void seen.push('early')).ready();
    const late = relayWith({ store, logger: quiet(), thread: false });
    await late.subscribe('audit', { types: ['accepted', 'sent'] }, ({ type }) => void seen.push(type)).ready();
    await early.send(hello('a@example.com'));
    await eventually(() => expect(seen).toEqual(['accepted', 'sent']));
    await eventually(() =>
      expect(warn).toHaveBeenCalledWith({ subscription: 'audit' }, expect.stringContaining('other types')),
    );
  });
});
