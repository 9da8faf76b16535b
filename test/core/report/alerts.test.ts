import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Alert, capture, sqlite } from '../../../packages/core/src/index.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { createTestRelay, type TestRelayOptions } from '../../../packages/core/src/testing/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { bouncedAndSent, brief, look } from '../store/suite/alerts.ts';

const NOW = Date.UTC(2026, 0, 5, 12, 30);
const HOUR = 3_600_000;
async function open(path: string): Promise<Store> {
  const store = createSqliteStore({ path, messageIdOf: () => '<a@b.example>' });
  await store.open();
  onTestFinished(() => store.close());
  return store;
}

describe('alerts', () => {
  it('are found by one of several processes, and by none again after a restart', async () => {
    const path = join(scratchFolder(), 'relay.db');
    const [one, other] = [await open(path), await open(path)];
    await bouncedAndSent(one, 500, 50, NOW);
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
    await expect.poll(async () => (await relay.health()).alerts.length).toBe(2);
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
