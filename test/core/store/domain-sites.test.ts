import { expect, it, onTestFinished } from 'vitest';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { NOW } from './suite/bench.ts';

const HOUR = 3_600_000;

it('sites of domains that have expired are forgotten, some with each beat', async () => {
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  const names = (kind: string) => Array.from({ length: 700 }, (_, number) => `${kind}${number}.example`);
  const [gone, kept] = [names('gone'), names('kept')];
  const entry = (domain: string, until: number) => ({ domain, site: 'mx.example', until });
  await store.sites.keepSites(
    [...gone.map((one) => entry(one, NOW + 1)), ...kept.map((one) => entry(one, NOW + HOUR))],
    NOW,
  );
  const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW);
  /** As they were seen before they expired: those that are still there. */
  const stored = (domains: readonly string[]) => store.sites.sitesOf(domains, NOW).size;
  const beat = () => store.queue.beat(owner, { now: NOW + 1, leaseMs: HOUR });

  await beat();
  expect(stored(gone)).toBeGreaterThan(0);
  expect(stored(gone)).toBeLessThan(gone.length);
  for (let beats = 0; beats < 3; beats++) await beat();
  expect(stored(gone)).toBe(0);
  expect(stored(kept)).toBe(kept.length);

  // It begins anew at the end.
  await store.sites.keepSites([entry('gone0.example', NOW + 1)], NOW);
  for (let beats = 0; beats < 3; beats++) await beat();
  expect(stored(gone)).toBe(0);
});
