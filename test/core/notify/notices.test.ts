import { join } from 'node:path';
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import type { Alert, NoticeEvent, SubscribedEventOf } from '../../../packages/core/src/index.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { createTestClock } from '../../../packages/core/src/testing/clock.ts';
import { createTestRelay } from '../../../packages/core/src/testing/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { endpoint, status } from './support.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const fileOf = (): string => join(scratchFolder(), 'relay.db');
const alerts = { hardBounces: { minVolume: 1 } } as const;
const missing = { to: 'missing@simulator.example', subject: 'Hi', text: 'Hi' } as const;

async function open(path: string): Promise<Store> {
  const store = createSqliteStore({ path, messageIdOf: () => '<a@b.example>' });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** A store in which a mail has bounced, and nobody has looked at rates since. */
async function bounced(): Promise<string> {
  const path = fileOf();
  const relay = relayWith({ store: path, alerts: false, logger: quiet });
  const gone = new Promise((resolve) => relay.on('bounced', resolve));
  await relay.send(missing);
  await gone;
  await relay.stop();
  return path;
}

const check = (store: Store): Promise<readonly Alert[]> =>
  store.alerts.check({
    now: Date.now(),
    windowMs: 72 * 3_600_000,
    rules: [{ kind: 'hard-bounce-rate', thresholds: [0.02], minVolume: 1 }],
  });

describe('an alert', () => {
  it.each([true, false])(
    'is told at the next start where its process ended before, with thread: %s',
    async (thread) => {
      const path = await bounced();
      const found = await open(path);
      expect(await check(found)).toHaveLength(1);
      await found.close();
      const told: Alert[] = [];
      const listen = () => {
        const relay = relayWith({ store: path, alerts, logger: quiet, thread });
        relay.on('alert', (alert) => void told.push(alert));
        return relay;
      };
      const next = listen();
      await next.start();
      await eventually(() => expect(told).toMatchObject([{ state: 'raised', count: 1, since: expect.any(Date) }]));
      await next.stop();
      // That is once: whoever comes after it is not told.
      const last = listen();
      await last.start();
      await last.stop();
      expect(told).toHaveLength(1);
    },
  );

  it('is told a little after a start where a process had just taken it, and ended', async () => {
    const path = await bounced();
    const ended = await open(path);
    await check(ended);
    const now = Date.now();
    expect((await ended.alerts.untold({ now, holdMs: 15_000 })).notices).toHaveLength(1);
    await ended.close();
    const clock = createTestClock(now, () => ({ settled: async () => {}, nextDueAt: async () => undefined }));
    const told: Alert[] = [];
    const relay = relayWith({ store: path, alerts, logger: quiet, thread: false, clock });
    relay.on('alert', (alert) => void told.push(alert));
    await relay.start();
    // Nothing else happens that would make it look again.
    await eventually(async () => expect((await relay.health()).alerts).toHaveLength(1));
    expect(told).toEqual([]);
    await eventually(async () => {
      await clock.advance(1000);
      expect(told).toHaveLength(1);
    });
    expect(clock.now() - now).toBeGreaterThanOrEqual(15_000);
    expect(clock.now() - now).toBeLessThan(60_000);
  });

  it('is told by another process where the one that was about to has ended', async () => {
    const path = await bounced();
    const [one, other] = [await open(path), await open(path)];
    await check(one);
    const holdMs = 15_000;
    const now = Date.now();
    const [notice] = (await one.alerts.untold({ now, holdMs })).notices;
    expect(notice).toMatchObject({ type: 'alert', alert: { kind: 'hard-bounce-rate', state: 'raised' } });
    expect(await other.alerts.untold({ now: now + 1, holdMs })).toEqual({ notices: [], nextAt: now + holdMs });
    expect((await other.alerts.untold({ now: now + holdMs, holdMs })).notices).toEqual([notice]);
    // By a clock that was set back it would be held for long.
    expect((await one.alerts.untold({ now: now - 3_600_000, holdMs })).notices).toEqual([notice]);
    await one.alerts.told([notice?.id ?? '']);
    expect(await other.alerts.untold({ now: now + 10 * holdMs, holdMs })).toEqual({ notices: [], nextAt: undefined });
  });
});

describe('a subscription to alerts and warnings', () => {
  it('gets those that came while nobody handled it, again where it fails, and no others where it names no types', async () => {
    const store = fileOf();
    const all: string[] = [];
    const first = relayWith({ store, alerts, logger: quiet });
    first.subscribe('ops', { types: ['alert', 'warning'] }, () => {});
    first.subscribe('mails', (event) => void all.push(event.type));
    await first.start();
    await first.stop();
    const between = relayWith({ store, alerts, logger: quiet });
    const alert = new Promise<Alert>((resolve) => between.on('alert', resolve));
    await between.send(missing);
    await between.send({ ...missing, to: 'blocked@simulator.example' });
    await alert;
    await eventually(async () => expect((await between.subscriptions.list())[1]?.waiting).toBe(2));
    await between.stop();

    const got: NoticeEvent[] = [];
    const attempts: number[] = [];
    const last = relayWith({ store, alerts, logger: quiet });
    last.subscribe('ops', { types: ['alert', 'warning'] }, (event, { attempt }) => {
      expectTypeOf(event).toEqualTypeOf<SubscribedEventOf<'alert' | 'warning'>>();
      attempts.push(attempt);
      if (attempt === 1) throw new Error('not now');
      got.push(event);
    });
    last.subscribe('mails', (event) => void all.push(event.type));
    await last.start();
    await eventually(() => expect(got).toHaveLength(2));
    expect(got.map(({ type }) => type).sort()).toEqual(['alert', 'warning']);
    const noticed = got.find((event) => event.type === 'alert');
    expect(noticed).toMatchObject({ at: expect.any(Date), alert: { ...(await alert), at: expect.any(Date) } });
    expect(got.find((event) => event.type === 'warning')).toMatchObject({
      warning: { reason: 'blocked-ip', count: 1, lastAt: expect.any(Date) },
    });
    expect(new Set(got.map(({ id }) => id)).size).toBe(2);
    await eventually(() => expect(all).toHaveLength(4));
    expect(all).not.toContain('alert');
  });

  it('lists what was given up, and hands it out once more', async () => {
    const { relay, clock, stop } = await createTestRelay({ alerts, logger: quiet });
    onTestFinished(stop);
    let works = false;
    const got: string[] = [];
    relay.subscribe('ops', { types: ['alert'], maxAttempts: 1 }, (event) => {
      if (!works) throw new Error('no');
      got.push(event.alert.kind);
    });
    await relay.send(missing);
    await relay.settled();
    await clock.advance(2000);
    const given = await eventually(async () => {
      const { items } = await relay.subscriptions.failures('ops');
      expect(items).toHaveLength(1);
      return items[0];
    });
    expect(given).toMatchObject({ type: 'alert', deliveryId: undefined, event: { alert: { state: 'raised' } } });
    works = true;
    expect(await relay.subscriptions.replay('ops', { event: given?.eventId ?? '' })).toBe(1);
    await eventually(() => expect(got).toEqual(['hard-bounce-rate']));
  });
});

it('a webhook is posted alerts where it names them', async () => {
  const { url, received } = await endpoint(status(204));
  const relay = relayWith({
    alerts,
    logger: quiet,
    webhooksOut: [
      {
        name: 'pager',
        url,
        secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
        types: ['alert'],
        allowHttp: true,
        allowPrivateAddresses: true,
      },
    ],
  });
  await relay.send(missing);
  await eventually(() => expect(received).toHaveLength(1));
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    type: 'mail.alert',
    data: { id: received[0]?.headers['webhook-id'], alert: { kind: 'hard-bounce-rate', state: 'raised' } },
  });
});
