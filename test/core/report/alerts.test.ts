import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RateRule } from '../../../packages/core/src/alert-options.ts';
import { type Alert, capture, sqlite } from '../../../packages/core/src/index.ts';
import { decodeId } from '../../../packages/core/src/message.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { resolveSuppression } from '../../../packages/core/src/suppression-policy.ts';
import { createTestRelay, type TestRelayOptions } from '../../../packages/core/src/testing/index.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';

const NOW = Date.UTC(2026, 0, 5, 12, 30);
const HOUR = 3_600_000;
const windowMs = 72 * HOUR;
const policy = resolveSuppression({ hardBounces: false, softBounces: false, complaints: false });
const RULES: readonly RateRule[] = [
  { kind: 'complaint-rate', thresholds: [0.001, 0.003], minVolume: 1000 },
  { kind: 'hard-bounce-rate', thresholds: [0.02], minVolume: 100 },
];

async function open(path: string): Promise<Store> {
  const store = createSqliteStore({ path, messageIdOf: () => '<a@b.example>' });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

/** Sends mails of a campaign, of which some bounce hard; answers the ids of those that left. */
async function send(store: Store, sent: number, bounced: number, at: number, campaign = 'spring'): Promise<string[]> {
  const { id } = await store.intake.open({
    content: contentOf({ stream: 'broadcast' }),
    campaign,
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    route: 'out',
    now: at,
  });
  const recipients = Array.from({ length: sent + bounced }, (_, number) => recipientOf(`r${number}.${at}@example.net`));
  const appended = await store.intake.append(id, recipients, { now: at });
  const ids = appended.flatMap((one) => ('id' in one ? [one.id] : []));
  const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, at);
  await store.queue.claim({ lane: { route: 'out', stream: 'broadcast' }, limit: ids.length, owner, now: at });
  const gone = {
    type: 'bounced',
    kind: 'hard',
    reply: '550 no',
    status: undefined,
    reason: 'no-such-mailbox',
    suppress: true,
  } as const;
  await store.queue.settle(
    ids.map((one, number) => ({
      deliveryId: decodeId('dlv', one) ?? 0,
      startedAt: at,
      transcript: undefined,
      result: number < sent ? ({ type: 'sent', reply: '250 ok' } as const) : gone,
    })),
    { owner, now: at },
  );
  return ids.slice(0, sent);
}

async function complain(store: Store, ids: readonly string[], at: number): Promise<void> {
  await store.feedback.receive(
    ids.map((deliveryId) => ({ type: 'complained', id: `c ${deliveryId}`, at, source: 'ses', deliveryId })),
    { now: at, policy },
  );
}

const look = (store: Store, now: number) => store.alerts.check({ now, windowMs, rules: RULES });
const brief = (alerts: readonly Alert[]) =>
  alerts.map(({ state, kind, threshold, stream, campaign }) => `${state} ${kind} ${threshold} ${stream ?? campaign}`);

describe('alerts', () => {
  it('are raised as a rate passes a threshold, once, by stream and by campaign', async () => {
    const store = await open(':memory:');
    const ids = await send(store, 2000, 0, NOW);
    await complain(store, ids.slice(0, 2), NOW + 1);
    expect(await look(store, NOW + 2)).toEqual([]);
    await complain(store, ids.slice(2, 3), NOW + 3);
    const raised = await look(store, NOW + 4);
    expect(brief(raised).sort()).toEqual([
      'raised complaint-rate 0.001 broadcast',
      'raised complaint-rate 0.001 spring',
    ]);
    expect(raised[0]).toMatchObject({ rate: 0.0015, count: 3, of: 2000, windowMs, since: new Date(NOW + 4) });
    // The same complaints again, in another order, are no more complaints.
    await complain(store, ids.slice(0, 3).toReversed(), NOW + 5);
    expect(await look(store, NOW + 6)).toEqual([]);
    await complain(store, ids.slice(3, 7), NOW + 7);
    expect(brief(await look(store, NOW + 8)).sort()).toEqual([
      'raised complaint-rate 0.003 broadcast',
      'raised complaint-rate 0.003 spring',
    ]);
    expect(store.alerts.open()).toHaveLength(4);
  });

  it('need enough mail, and hard bounces count by all that was tried', async () => {
    const store = await open(':memory:');
    await send(store, 90, 9, NOW, 'small');
    expect(await look(store, NOW + 1)).toEqual([]);
    await send(store, 1000, 11, NOW + 2);
    expect(brief(await look(store, NOW + 3))).toEqual([]);
    await send(store, 0, 12, NOW + 4);
    const found = await look(store, NOW + 5);
    expect(brief(found).sort()).toEqual([
      'raised hard-bounce-rate 0.02 broadcast',
      'raised hard-bounce-rate 0.02 spring',
    ]);
    expect(found.find(({ campaign }) => campaign === 'spring')).toMatchObject({ count: 23, of: 1023 });
  });

  it('do not flap: they are resolved well under the threshold, or as the window has moved on', async () => {
    const store = await open(':memory:');
    await send(store, 970, 30, NOW);
    const [raised] = await look(store, NOW + 1);
    expect(await send(store, 700, 0, NOW + 2)).toHaveLength(700);
    // 30 of 1,700 are 1.8 %: under the threshold, and not well under it.
    expect(await look(store, NOW + 3)).toEqual([]);
    await send(store, 0, 10, NOW + 4);
    expect(await look(store, NOW + 5)).toEqual([]);
    await send(store, 1000, 0, NOW + 6);
    const resolved = await look(store, NOW + 7);
    expect(brief(resolved).sort()).toEqual([
      'resolved hard-bounce-rate 0.02 broadcast',
      'resolved hard-bounce-rate 0.02 spring',
    ]);
    expect(resolved.find(({ id }) => id === raised?.id)).toMatchObject({
      count: 40,
      of: 2710,
      since: new Date(NOW + 1),
      at: new Date(NOW + 7),
    });
    expect(store.alerts.open()).toEqual([]);

    await send(store, 0, 200, NOW + 8);
    expect(await look(store, NOW + 9)).toHaveLength(2);
    expect(await look(store, NOW + 71 * HOUR)).toEqual([]);
    expect(brief(await look(store, NOW + 73 * HOUR)).sort()).toEqual([
      'resolved hard-bounce-rate 0.02 broadcast',
      'resolved hard-bounce-rate 0.02 spring',
    ]);
  });

  it('count a complaint for when its mail was sent, so that late ones do not outlive their mail', async () => {
    const store = await open(':memory:');
    const ids = await send(store, 1000, 0, NOW);
    await send(store, 1000, 0, NOW + 71 * HOUR, 'later');
    await complain(store, ids.slice(0, 10), NOW + 71 * HOUR);
    expect(brief(await look(store, NOW + 71 * HOUR + 1)).length).toBe(4);
    expect(brief(await look(store, NOW + 73 * HOUR)).every((text) => text.startsWith('resolved'))).toBe(true);
    expect(store.alerts.open()).toEqual([]);
  });

  it('are found by one of several processes, and by none again after a restart', async () => {
    const path = join(scratchFolder(), 'relay.db');
    const [one, other] = [await open(path), await open(path)];
    await send(one, 500, 50, NOW);
    const found = await Promise.all([
      look(one, NOW + 1),
      look(other, NOW + 1),
      look(one, NOW + 2),
      look(other, NOW + 2),
    ]);
    expect(found.flat()).toHaveLength(2);
    await one.close();
    const again = await open(path);
    expect(await look(again, NOW + 3)).toEqual([]);
    expect(again.alerts.open()).toEqual(found.flat().toSorted((a, b) => (a.id < b.id ? 1 : -1)));
  });

  it('that nobody looks for any more are resolved as any other', async () => {
    const store = await open(':memory:');
    await send(store, 500, 50, NOW);
    expect(await look(store, NOW + 1)).toHaveLength(2);
    const off = { now: NOW + 2, windowMs, rules: [] };
    expect(await store.alerts.check(off)).toEqual([]);
    expect(await store.alerts.check({ ...off, now: NOW + 80 * HOUR })).toHaveLength(2);
  });
});

describe('a relay', () => {
  async function kit(options: TestRelayOptions) {
    const made = await createTestRelay({ now: new Date(NOW), ...options });
    onTestFinished(made.stop);
    const alerts: Alert[] = [];
    made.relay.on('alert', (alert) => void alerts.push(alert));
    return { ...made, alerts };
  }
  const mails = (name: string, count: number) =>
    Array.from({ length: count }, (_, number) => ({ to: `${name}+${number}@simulator.example` }));
  const bulk = { campaign: 'spring', subject: 'News', text: 'News' } as const;

  it('tells of alerts as they come and go, and shows those that are open in health()', async () => {
    const { relay, clock, alerts } = await kit({
      alerts: { hardBounces: { rates: [0.1], minVolume: 10 }, windowHours: 2 },
    });
    await relay.sendMany([...mails('missing', 3), ...mails('ok', 17)], bulk);
    await relay.settled();
    await clock.advance(2000);
    await expect
      .poll(() => brief(alerts).sort())
      .toEqual(['raised hard-bounce-rate 0.1 broadcast', 'raised hard-bounce-rate 0.1 spring']);
    await expect.poll(async () => (await relay.health()).alerts.length, { timeout: 3000 }).toBe(2);
    await clock.advance(3 * HOUR);
    await expect.poll(() => alerts.filter(({ state }) => state === 'resolved').length).toBe(2);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(2);
  });

  it('tells nothing where alerts are off', async () => {
    for (const off of [false, { hardBounces: false }] as const) {
      const { relay, clock, alerts } = await kit({ alerts: off });
      await relay.sendMany([...mails('missing', 150)], bulk);
      await relay.settled();
      await clock.advance(HOUR);
      expect((await relay.health()).alerts).toEqual([]);
      expect(alerts).toEqual([]);
    }
  });

  it('tells of alerts out of the thread of its engine', async () => {
    const relay = relayWith({
      store: sqlite(join(scratchFolder(), 'relay.db')),
      routes: [capture()],
      alerts: { hardBounces: { minVolume: 1 } },
    });
    const alert = new Promise<Alert>((resolve) => relay.on('alert', resolve));
    await relay.send({ to: 'missing@simulator.example', subject: 'Hi', text: 'Hi' });
    expect(await alert).toMatchObject({
      state: 'raised',
      stream: 'transactional',
      count: 1,
      of: 1,
      since: expect.any(Date),
    });
  });

  it('refuses alerts that cannot be', () => {
    const refused = (alerts: unknown, option: string) =>
      expect(() => relayWith({ alerts: alerts as false })).toThrow(
        expect.objectContaining({ details: expect.objectContaining({ option }) }),
      );
    refused(true, 'alerts');
    refused({ complaints: true }, 'alerts.complaints');
    refused({ complaints: { rates: [] } }, 'alerts.complaints.rates');
    refused({ complaints: { rates: [0.1, 3] } }, 'alerts.complaints.rates[1]');
    refused({ hardBounces: { minVolume: 0 } }, 'alerts.hardBounces.minVolume');
    refused({ windowHours: 1000 }, 'alerts.windowHours');
    refused({ warnings: { everyMinutes: 0 } }, 'alerts.warnings.everyMinutes');
    refused({ opens: {} }, 'alerts.opens');
  });
});
