import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Stream } from '../../../packages/core/src/message.ts';
import type { ClaimedDelivery, SiteBounds } from '../../../packages/core/src/queue/port.ts';
import { createSiteTurns } from '../../../packages/core/src/queue/site-turns.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { accept, openStore, STREAMS } from './site-support.ts';

const STEP_MS = 25;

interface Sent {
  readonly address: string;
  readonly stream: Stream;
  readonly site: string;
  readonly acceptedAt: number;
  readonly startedAt: number;
}

/** Processes that share a store, on a clock of their own: what each claims begins at once and takes a while. */
function simulate(store: Store, owners: readonly number[], latency: () => number) {
  const running: { delivery: ClaimedDelivery; owner: number; stream: Stream; startedAt: number; endsAt: number }[] = [];
  const sent: Sent[] = [];
  let most = new Map<string, number>();

  async function settle(now: number): Promise<void> {
    for (const owner of owners) {
      const done = running.filter((one) => one.owner === owner && one.endsAt <= now);
      for (const one of done) running.splice(running.indexOf(one), 1);
      const settlements = done.map(({ delivery, startedAt }) => ({
        deliveryId: delivery.id,
        startedAt,
        transcript: undefined,
        result: { type: 'sent', reply: '250 ok' } as const,
      }));
      await store.queue.settle(settlements, { owner, now });
    }
  }

  async function claim(now: number): Promise<void> {
    for (const stream of STREAMS) {
      const lane = { route: 'out', stream };
      const found = store.sites.unsorted({ lane, limit: 500, now });
      const moves = Map.groupBy(found, ({ domain }) => domain);
      if (found.length > 0)
        await store.sites.sort(lane, new Map([...moves].map(([site, all]) => [site, all.map(({ id }) => id)])), now);
      for (const owner of owners) {
        const claimed = await store.sites.claim({ lane, limit: 40, unknown: 20, failing: 10, owner, now });
        for (const delivery of claimed) {
          const { address, site = '', acceptedAt } = delivery;
          running.push({ delivery, owner, stream, startedAt: now, endsAt: now + latency() });
          sent.push({ address, stream, site, acceptedAt, startedAt: now });
        }
      }
    }
    const held = new Map<string, number>();
    for (const { delivery } of running) held.set(delivery.site ?? '', (held.get(delivery.site ?? '') ?? 0) + 1);
    most = new Map([...most, ...held].map(([site]) => [site, Math.max(most.get(site) ?? 0, held.get(site) ?? 0)]));
  }

  return {
    sent,
    most: (site: string) => most.get(site) ?? 0,
    async step(now: number) {
      await settle(now);
      await claim(now);
    },
  };
}

const sitesOf = fc.array(
  fc.record({
    connections: fc.integer({ min: 1, max: 4 }),
    limit: fc.option(fc.integer({ min: 8, max: 30 }), { nil: undefined }),
    mails: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 8 },
);

describe('lanes of sites', () => {
  it('are never over their limits, starve nobody, and keep transactional mail waiting for a bounded time', async () => {
    await fc.assert(
      fc.asyncProperty(
        sitesOf,
        fc.integer({ min: 1, max: 2 }),
        fc.infiniteStream(fc.nat(150)),
        async (sites, n, ms) => {
          const store = await openStore();
          const bounds = new Map(
            sites.map(({ connections, limit }, index): [string, SiteBounds] => [
              `site${index}.test`,
              { connections, unproven: 1, rates: limit === undefined ? [] : [{ limit, windowMs: 1000 }] },
            ]),
          );
          const shaped = {
            boundsOf: (_: string, site: string) => bounds.get(site) ?? { connections: 1, unproven: 1, rates: [] },
          };
          const owners: number[] = [];
          for (let pid = 0; pid < n; pid++)
            owners.push(await store.queue.register({ pid, host: 'a', rates: {}, routes: ['out'], shaped }, 0));
          const world = simulate(store, owners, () => ms.next().value ?? 0);
          const names = sites.flatMap(({ mails }, at) =>
            Array.from({ length: mails }, (_, i) => `n${i}@site${at}.test`),
          );
          await accept(store, 'broadcast', names, 0);
          const resets = sites.map((_, at) => `reset@site${at}.test`);
          for (let now = 0; now < 60_000 && world.sent.length < names.length + resets.length; now += STEP_MS) {
            if (now === 500) await accept(store, 'transactional', resets, now);
            await world.step(now);
          }
          expect(world.sent.map(({ address }) => address).sort()).toEqual([...names, ...resets].sort());
          for (const [site, { connections, rates }] of bounds) {
            const starts = world.sent.filter((one) => one.site === site).map(({ startedAt }) => startedAt);
            for (const { limit, windowMs } of rates)
              for (const from of starts)
                expect(starts.filter((at) => at >= from && at < from + windowMs).length).toBeLessThanOrEqual(limit);
            expect(world.most(site)).toBeLessThanOrEqual(4 * connections);
          }
          // A window's slice, and what is on its way.
          for (const { stream, acceptedAt, startedAt } of world.sent)
            if (stream === 'transactional')
              expect(startedAt - acceptedAt).toBeLessThanOrEqual(1000 + 150 + 4 * STEP_MS);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('take turns: one with a long backlog does not keep those behind it waiting', async () => {
    const store = await openStore();
    const shaped = { boundsOf: () => ({ connections: 10, unproven: 10, rates: [] }) };
    const owner = await store.queue.register({ pid: 1, host: 'a', rates: {}, routes: ['out'], shaped }, 0);
    const long = Array.from({ length: 400 }, (_, index) => `n${index}@long.test`);
    await accept(store, 'broadcast', long, 0);
    await accept(store, 'broadcast', ['one@short.test'], 1);
    const world = simulate(store, [owner], () => 0);
    for (let now = 1; world.sent.every(({ site }) => site !== 'short.test'); now += STEP_MS) await world.step(now);
    expect(world.sent.length).toBeLessThan(100);
  });

  it('get back what a dead process had, with its places', async () => {
    const store = await openStore();
    const shaped = { boundsOf: () => ({ connections: 1, unproven: 1, rates: [] }) };
    const register = (now: number) =>
      store.queue.register({ pid: 1, host: 'a', rates: {}, routes: ['out'], shaped }, now);
    await accept(store, 'broadcast', ['a@one.test'], 0);
    const lane = { route: 'out', stream: 'broadcast' } as const;
    const dead = await register(0);
    await simulate(store, [dead], () => 1000).step(0);
    const alive = await register(20_000);
    const request = { lane, limit: 10, unknown: 10, failing: 10, owner: alive, now: 20_000 };
    expect(await store.sites.claim(request)).toEqual([]);
    await store.queue.beat(alive, { now: 20_000, leaseMs: 15_000 });
    expect(await store.sites.claim(request)).toMatchObject([{ address: 'a@one.test', site: 'one.test' }]);
    await store.queue.unregister(alive, 20_000);
    // A relay whose route has no limits by site any more finds it, too.
    const plain = await store.queue.register({ pid: 2, host: 'a', rates: {}, routes: ['out'] }, 20_000);
    expect(store.sites.readyAt(lane)).toBeUndefined();
    expect(await store.queue.claim({ lane, limit: 10, owner: plain, now: 20_000 })).toHaveLength(1);
  });

  it('hand out nothing while they, or their route, are paused, or a rule suspends them', async () => {
    const store = await openStore();
    const shaped = { boundsOf: () => ({ connections: 1, unproven: 1, rates: [] }) };
    const owner = await store.queue.register({ pid: 1, host: 'a', rates: {}, routes: ['out'], shaped }, 0);
    await accept(store, 'broadcast', ['a@one.test'], 0);
    const lane = { route: 'out', stream: 'broadcast' } as const;
    await store.sites.sort(
      lane,
      new Map([['one.test', store.sites.unsorted({ lane, limit: 1, now: 0 }).map(({ id }) => id)]]),
      0,
    );
    const claim = (now: number) => store.sites.claim({ lane, limit: 10, unknown: 10, failing: 10, owner, now });
    await store.queue.pause(lane, true, 0);
    expect(await claim(0)).toEqual([]);
    await store.queue.pause(lane, false, 0);
    const rule = {
      name: 'stop',
      reply: '421',
      since: 0,
      until: 60_000,
      factor: 0,
      recoverFrom: 0.25,
      stepMs: 1000,
      avoided: [],
    };
    await store.sites.applyRule('out', 'one.test', rule, 0);
    expect(await claim(59_999)).toEqual([]);
    expect(store.sites.readyAt(lane)).toBe(60_000);
    expect(await claim(60_000)).toHaveLength(1);
    expect(store.sites.lane('out', 'one.test', 'broadcast')).toMatchObject({ held: 1, rule: { name: 'stop' } });
  });
});

describe('places of a site', () => {
  it('are never more than its connections, and transactional mail gets the next one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.constantFrom(...STREAMS), { maxLength: 40 }),
        async (most, mails) => {
          const turns = createSiteTurns();
          let taken = 0;
          const order: Stream[] = [];
          await Promise.all(
            mails.map(async (stream) => {
              await turns.take('one.test', () => most, stream);
              taken += 1;
              order.push(stream);
              expect(taken).toBeLessThanOrEqual(most);
              await new Promise(setImmediate);
              taken -= 1;
              turns.give('one.test');
            }),
          );
          expect(order).toHaveLength(mails.length);
          const later = order.slice(most);
          expect(later).toEqual([...later].sort().reverse());
        },
      ),
      { numRuns: 50 },
    );
  });
});
