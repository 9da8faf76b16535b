import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { input, NOW, SENT, settlement } from './suite/bench.ts';

const LANE = { route: 'out', stream: 'transactional' } as const;

const { prepare } = DatabaseSync.prototype;

/** A store, its connection, and all that was prepared on it since it was opened. */
async function watchedStore(): Promise<{ store: Store; db: DatabaseSync; prepared: Set<string> }> {
  const prepared = new Set<string>();
  let db: DatabaseSync | undefined;
  const spy = vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (
    this: DatabaseSync,
    text,
    ...more
  ) {
    db = this;
    prepared.add(text);
    return prepare.call(this, text, ...more);
  });
  onTestFinished(() => void spy.mockRestore());
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  prepared.clear();
  return { store, db: db as DatabaseSync, prepared };
}

/** Mail for so many sites, each in its lane. */
async function fill(store: Store, sites: number): Promise<number> {
  const boundsOf = () => ({ connections: 1, unproven: 1, rates: [] });
  const owner = await store.queue.register(
    { pid: 1, host: 'here', rates: {}, routes: ['out'], shaped: { boundsOf } },
    NOW,
  );
  const recipients = Array.from({ length: sites }, (_, index) => recipientOf(`ada@d${index}.example`));
  await store.intake.accept(input({ recipients }));
  const found = store.sites.unsorted({ lane: LANE, limit: sites, now: NOW });
  await store.sites.sort(LANE, new Map(found.map(({ id, domain }) => [domain, [id]])), NOW);
  return owner;
}

it('a beat writes as little where thousands of sites have had mail', async () => {
  const written = async (sites: number): Promise<number> => {
    const { store, db } = await watchedStore();
    const owner = await fill(store, sites);
    const changes = (): number => Number(db.prepare('select total_changes() as n').get()?.n);
    const before = changes();
    await store.queue.beat(owner, { now: NOW, leaseMs: 1000, fallback: { route: 'out', absentMs: 1 } });
    return changes() - before;
  };
  expect(await written(300)).toBe(await written(3));
});

it('nothing that is done for each mail, batch or beat goes through all lanes', async () => {
  const { store, db, prepared } = await watchedStore();
  const owner = await fill(store, 3);
  // Registering works all lanes out anew, once.
  prepared.clear();
  const taken = await store.sites.claim({ lane: LANE, limit: 2, unknown: 2, failing: 2, owner, now: NOW });
  expect(taken).toHaveLength(2);
  await store.queue.settle(
    taken.map((one) => settlement(one, SENT)),
    { owner, now: NOW },
  );
  store.sites.readyAt(LANE);
  await store.queue.beat(owner, { now: NOW, leaseMs: 1000, fallback: { route: 'out', absentMs: 1 } });
  const plans = [...prepared].flatMap((text) =>
    db
      .prepare(`explain query plan ${text}`)
      .all(...Array.from({ length: text.split('?').length - 1 }, () => null))
      .map(({ detail }) => `${detail}: ${text}`),
  );
  expect(plans.length).toBeGreaterThan(0);
  expect(plans.filter((plan) => /^SCAN lane\b/.test(plan))).toEqual([]);
});
