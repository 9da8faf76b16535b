import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factorOf } from '../../../packages/core/src/lane-rule.ts';
import { createActingRules } from '../../../packages/core/src/queue/acting-rules.ts';
import type { LaneRule } from '../../../packages/core/src/queue/port.ts';
import { createSiteLines } from '../../../packages/core/src/queue/site-lines.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { accept, openStore, STREAMS } from './site-support.ts';

const STEP_MS = 25;

function slowed(factor: number, since: number, forMs: number, stepMs: number): LaneRule {
  const recoverFrom = Math.min(1, 2 * factor);
  return { name: 'busy', reply: '421 busy', since, until: since + forMs, factor, recoverFrom, stepMs, avoided: [] };
}

/** A delivery as it begins. */
interface Begin {
  readonly site: string;
  readonly at: number;
  /** Of the site, in this process, with this one. */
  readonly running: number;
  /** The rule that this process knew of. */
  readonly rule: LaneRule | undefined;
}

/** Processes that share a store, each with its lines, on a clock of their own. */
async function simulate(
  store: Store,
  { processes, connections, latency }: { processes: number; connections: number; latency: () => number },
) {
  let now = 0;
  const bounds = { connections, unproven: connections, rates: [] };
  const shaped = { boundsOf: () => bounds };
  const begun: Begin[] = [];
  const all = await Promise.all(
    Array.from({ length: processes }, async (_, pid) => {
      const owner = await store.queue.register({ pid, host: 'a', rates: {}, routes: ['out'], shaped }, 0);
      const rules = createActingRules();
      const lines = createSiteLines({
        store: store.sites,
        queue: store.queue,
        shaped,
        finder: { known: () => new Map(), ask: async (_, domain) => domain },
        clock: { now: () => now },
        rules,
        onSorted() {},
        onError(error) {
          throw error;
        },
      });
      return { owner, rules, lines, running: [] as { id: number; site: string; endsAt: number; end: () => void }[] };
    }),
  );

  async function settle(process: (typeof all)[number]): Promise<void> {
    const done = process.running.filter(({ endsAt }) => endsAt <= now);
    for (const one of done) process.running.splice(process.running.indexOf(one), 1);
    const result = { type: 'sent', reply: '250 ok' } as const;
    const settlements = done.map(({ id }) => ({ deliveryId: id, startedAt: now, transcript: undefined, result }));
    for (const { end } of done) end();
    await store.queue.settle(settlements, { owner: process.owner, now });
  }

  async function claim({ owner, rules, lines, running }: (typeof all)[number]): Promise<void> {
    for (const stream of STREAMS) {
      const lane = { route: 'out', stream };
      const found = Map.groupBy(store.sites.unsorted({ lane, limit: 500, now }), ({ domain }) => domain);
      const moves = new Map([...found].map(([site, mails]) => [site, mails.map(({ id }) => id)]));
      if (moves.size > 0) await store.sites.sort(lane, moves, now);
      const line = lines.of(lane);
      for (const delivery of (await line?.claim({ lane, limit: 40, owner, now }, 40)) ?? []) {
        const { id, site = '' } = delivery;
        void line?.run(delivery, () => {
          const { promise, resolve } = Promise.withResolvers<void>();
          running.push({ id, site, endsAt: now + latency(), end: resolve });
          const count = running.filter((one) => one.site === site).length;
          begun.push({ site, at: now, running: count, rule: rules.of('out', site, now) });
          return promise;
        });
      }
    }
  }

  return {
    begun,
    /** A process makes a rule, as one that has heard a receiver. */
    async apply(process: number, site: string, rule: LaneRule): Promise<void> {
      all[process]?.rules.note('out', site, rule, now);
      await store.sites.applyRule('out', site, rule, now);
    },
    /** Whether a process has met the rule. */
    knows: (process: number, site: string) => all[process]?.rules.of('out', site, now) !== undefined,
    async step(): Promise<void> {
      for (const process of all) await settle(process);
      // None is always the first.
      for (const process of (now / STEP_MS) % 2 === 0 ? all : all.toReversed()) await claim(process);
      await new Promise(setImmediate);
      now += STEP_MS;
    },
    now: () => now,
  };
}

const names = (n: number, site: string): string[] => Array.from({ length: n }, (_, index) => `n${index}@${site}`);

describe('a rule that slows a site down', () => {
  it('lets begin no more at once than its share of the connections, in every process that knows of it', async () => {
    const scenario = fc.record({
      connections: fc.integer({ min: 1, max: 8 }),
      processes: fc.integer({ min: 1, max: 2 }),
      factor: fc.double({ min: 0.01, max: 0.9, noNaN: true }),
      since: fc.integer({ min: 0, max: 20 }),
      forMs: fc.integer({ min: 100, max: 2000 }),
      stepMs: fc.integer({ min: 50, max: 1000 }),
      mails: fc.integer({ min: 1, max: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, fc.infiniteStream(fc.nat(150)), async (one, ms) => {
        const store = await openStore();
        const world = await simulate(store, { ...one, latency: () => ms.next().value ?? 0 });
        await accept(store, 'broadcast', [...names(one.mails, 'slow.test'), ...names(20, 'other.test')], 0);
        await accept(store, 'transactional', names(5, 'slow.test'), 0);
        const rule = slowed(one.factor, one.since * STEP_MS, one.forMs, one.stepMs);
        const all = one.mails + 25;
        while (world.begun.length < all && world.now() < 200_000) {
          if (world.now() === rule.since) await world.apply(0, 'slow.test', rule);
          await world.step();
        }
        expect(world.begun).toHaveLength(all);
        for (const { site, at, running, rule: known } of world.begun) {
          if (site === 'other.test') expect(known).toBeUndefined();
          const most = Math.max(1, Math.floor(one.connections * factorOf(known, at)));
          expect(running).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives the connections back in steps', async () => {
    const store = await openStore();
    const world = await simulate(store, { processes: 1, connections: 8, latency: () => 2 * STEP_MS });
    await accept(store, 'broadcast', names(400, 'slow.test'), 0);
    for (let step = 0; step < 8; step++) await world.step();
    const since = world.now();
    await world.apply(0, 'slow.test', slowed(0.25, since, 1000, 500));
    while (world.now() < since + 2500) await world.step();
    const mostFrom = (from: number, to: number): number =>
      Math.max(...world.begun.filter(({ at }) => at >= from && at < to).map(({ running }) => running));
    const phases = [0, 1000, 1500, 2500].map((end) => since + end);
    expect(mostFrom(0, since)).toBe(8);
    expect(phases.slice(1).map((end, index) => mostFrom(phases[index] ?? 0, end))).toEqual([2, 4, 8]);
  });

  it('is known to another process as soon as that is handed mail of the site', async () => {
    const store = await openStore();
    const world = await simulate(store, { processes: 2, connections: 4, latency: () => 3 * STEP_MS });
    await accept(store, 'broadcast', names(100, 'slow.test'), 0);
    await world.step();
    await world.apply(0, 'slow.test', slowed(0.5, world.now(), 60_000, 1000));
    expect(world.knows(1, 'slow.test')).toBe(false);
    for (let step = 0; step < 60; step++) await world.step();
    expect(world.knows(1, 'slow.test')).toBe(true);
    expect(world.begun.slice(-10).every(({ running }) => running <= 2)).toBe(true);
  });
});
