import { describe, expect, it, onTestFinished } from 'vitest';
import { capture } from '../../../packages/core/src/index.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { relayWith } from '../../support/relay.ts';
import { clockedRelay } from '../../support/scripted.ts';
import { input, NOW } from '../store/suite/bench.ts';

const LANE = { route: 'out', stream: 'transactional' } as const;
const SITES = 150;

/** Mail for 150 sites: one for `site0`, and one more for each that follows. */
async function manySites(): Promise<{ store: Store; owner: number }> {
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  const boundsOf = () => ({ connections: 1, unproven: 1, rates: [] });
  const owner = await store.queue.register(
    { pid: 1, host: 'here', rates: {}, routes: ['out'], shaped: { boundsOf } },
    NOW,
  );
  for (let site = 0; site < SITES; site++) {
    const recipients = Array.from({ length: site + 1 }, (_, index) => recipientOf(`r${index}@site${site}.example`));
    await store.intake.accept(input({ recipients, now: NOW + SITES - site }));
  }
  const found = store.sites.unsorted({ lane: LANE, limit: 100_000, now: NOW + SITES });
  const bySite = Map.groupBy(found, ({ domain }) => domain.replace('.example', ''));
  await store.sites.sort(LANE, new Map([...bySite].map(([site, all]) => [site, all.map(({ id }) => id)])), NOW + SITES);
  return { store, owner };
}

const ALL = (SITES * (SITES + 1)) / 2;

describe('a list of lanes', () => {
  it('has the busiest first, a page at a time', async () => {
    const { store } = await manySites();
    const first = await store.queue.lanes({ limit: 2, offset: 0 });
    expect(first).toMatchObject([
      { site: 'site149', waiting: 150, sending: 0, oldestDueAt: NOW + 1 },
      { site: 'site148', waiting: 149 },
    ]);
    const next = await store.queue.lanes({ limit: 2, offset: 2 });
    expect(next.map(({ site }) => site)).toEqual(['site147', 'site146']);
    const all = await store.queue.lanes({ limit: 1000, offset: 0 });
    // The lane that mail comes into is one of them.
    expect(all).toHaveLength(SITES + 1);
    expect(all.map(({ waiting }) => waiting)).toEqual([...all.map(({ waiting }) => waiting)].sort((a, b) => b - a));
    expect(await store.queue.lanes({ limit: 10, offset: SITES + 1 })).toEqual([]);
  });

  it('counts what is on its way as well', async () => {
    const { store, owner } = await manySites();
    const claimed = await store.sites.claim({
      lane: LANE,
      limit: 10,
      unknown: 10,
      failing: 10,
      owner,
      now: NOW + SITES,
    });
    expect(claimed.length).toBeGreaterThan(0);
    const site = claimed[0]?.site ?? '';
    const [lane] = await store.queue.lanes({ site, limit: 1, offset: 0 });
    const sending = claimed.filter((one) => one.site === site).length;
    expect(lane).toMatchObject({ site, waiting: Number(site.slice(4)) + 1 - sending, sending });
    expect(await store.queue.totals()).toMatchObject({ waiting: ALL - claimed.length, sending: claimed.length });
  });

  it('is of a route, a stream or a site where one is named', async () => {
    const { store } = await manySites();
    const list = (filter: { route?: string; stream?: 'broadcast'; site?: string }) =>
      store.queue.lanes({ ...filter, limit: 1000, offset: 0 });
    expect(await list({ site: 'site3' })).toMatchObject([{ route: 'out', site: 'site3', waiting: 4 }]);
    expect(await list({ route: 'other' })).toEqual([]);
    expect((await list({ stream: 'broadcast' })).every(({ stream }) => stream === 'broadcast')).toBe(true);
  });

  it('sums up all lanes, and leaves out the wait of those that are paused', async () => {
    const { store } = await manySites();
    expect(await store.queue.totals()).toEqual({ waiting: ALL, sending: 0, oldestDueAt: NOW + 1 });
    await store.queue.pause({ ...LANE, site: 'site149' }, true, NOW);
    expect((await store.queue.totals()).oldestDueAt).toBe(NOW + 2);
    await store.queue.pause(LANE, true, NOW);
    expect(await store.queue.totals()).toEqual({ waiting: ALL, sending: 0, oldestDueAt: undefined });
    expect((await store.queue.lanes({ limit: 1000, offset: 0 })).every(({ paused }) => paused)).toBe(true);
  });

  it.each([
    ['rate', { rate: '1/day' }],
    ['warm-up', { warmUp: { from: '2026-03-02', days: [1, 1] } }],
  ])('says of a lane by site when the %s of the route has room for it again', async (kind, limit) => {
    const noon = Date.parse('2026-03-02T12:00:00Z');
    const routes = [capture({ name: 'out', shaping: true, ...limit })];
    const { relay, clock } = clockedRelay({ routes }, noon);
    const { deliveries } = await relay.send({ to: ['a@gmail.com', 'b@gmail.com'], subject: 'Hi', text: 'Hello' });
    const waiting = async () => (await relay.lanes.list({ site: 'google' })).filter((lane) => lane.waiting === 1);
    await expect.poll(waiting).toMatchObject([{ sending: 0 }]);
    const explained = await Promise.all(deliveries.map(({ id }) => relay.messages.explain(id)));
    const left = explained.find(({ state }) => state === 'queued');
    expect(left?.reasons).toMatchObject([{ kind }]);
    expect(left?.nextAt?.getTime()).toBeGreaterThan(clock.now());
    expect((await waiting())[0]?.readyAt).toBe(left?.nextAt?.getTime());
  });

  it('has 100 lanes unless told, and refuses what makes no sense', async () => {
    const relay = relayWith({ routes: [capture({ name: 'out', shaping: true })], queue: { deliver: false } });
    for (let site = 0; site < 51; site++) await relay.lanes.pause('out', { site: `site${site}` });
    expect(await relay.lanes.list()).toHaveLength(100);
    expect(await relay.lanes.list({ limit: 1000 })).toHaveLength(102);
    expect((await relay.health()).lanes).toHaveLength(100);
    for (const query of [
      { limit: 0 },
      { limit: 1001 },
      { offset: -1 },
      { stream: 'x' as 'broadcast' },
      { page: 2 } as object,
    ])
      await expect(relay.lanes.list(query)).rejects.toMatchObject({ code: expect.stringMatching(/^OPTION/) });
  });
});
