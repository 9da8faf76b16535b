import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { ClaimedDelivery } from '../../../packages/core/src/queue/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { recipientOf } from '../../support/content.ts';
import { BOUNCED, claim, DEFERRED, input, NOW, SENT, settlement } from './suite/bench.ts';

/** Tables that grow with the mail. */
const LARGE =
  /SCAN (?:delivery|event|message|content|suppression|idempotency|blob)\b(?!.*USING (?:COVERING )?INDEX delivery_due)/;

it('no query of the queue, the log or the reports reads a whole table', async () => {
  const prepared = new Set<string>();
  const prepare = DatabaseSync.prototype.prepare;
  let connection: DatabaseSync | undefined;
  vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, text, ...more) {
    connection = this;
    prepared.add(text);
    return prepare.call(this, text, ...more);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const store = createSqliteStore({ path: ':memory:', messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  prepared.clear();

  const recipients = ['a', 'b', 'c', 'd'].map((one) => recipientOf(`${one}@example.com`));
  const accepted = await store.intake.accept(input({ recipients, campaign: 'spring', idempotencyKey: 'one' }));
  const rates = { out: { limit: 100, windowMs: 1000 } };
  const owner = await store.queue.register({ pid: 1, host: 'here', rates, routes: ['out'] }, NOW);
  await store.queue.beat(owner, { now: NOW, leaseMs: 1000, fallback: { route: 'out', absentMs: 1 } });
  const [a, b, c] = (await claim(store, owner, NOW, 3)) as [ClaimedDelivery, ClaimedDelivery, ClaimedDelivery];
  await store.queue.started('out', [NOW], owner);
  const results = [settlement(a, SENT), settlement(b, DEFERRED), settlement(c, BOUNCED)];
  await store.queue.settle(results, { owner, now: NOW });
  await store.queue.lanes({ limit: 10, offset: 0 });
  await store.queue.totals();
  store.queue.lane({ route: 'out', stream: 'transactional' });
  const boundsOf = () => ({ connections: 1, unproven: 1, rates: [{ limit: 100, windowMs: 1000 }] });
  const shaping = { pid: 1, host: 'here', rates, routes: ['out'], shaped: { boundsOf } };
  const other = await store.queue.register(shaping, NOW);
  const lane = { route: 'out', stream: 'transactional' } as const;
  const ids = store.sites.unsorted({ lane, limit: 10, now: NOW }).map((one) => one.id);
  await store.sites.sort(lane, new Map([['example.com', ids]]), NOW);
  const taken = await store.sites.claim({ lane, limit: 10, unknown: 10, failing: 10, owner: other, now: NOW });
  await store.queue.settle(
    taken.map((one) => settlement(one, SENT)),
    { owner: other, now: NOW },
  );
  await store.sites.keepSites([{ domain: 'example.com', site: 'example.com', until: NOW + 1 }], NOW);
  expect([...store.sites.sitesOf(['example.com'], NOW)]).toEqual([['example.com', 'example.com']]);
  store.sites.readyAt(lane);
  const { id } = accepted;
  await store.log.get(id);
  await store.log.get(accepted.deliveries[0]?.id as string);
  for (const query of [
    {},
    { campaign: 'spring' },
    { message: id },
    { recipient: 'a@example.com' },
    { state: 'bounced' },
    { state: 'deferred', stream: 'transactional' },
    { from: new Date(NOW), to: new Date(NOW + 1) },
  ] as const)
    expect((await store.log.list({ ...query, limit: 10 })).items).not.toHaveLength(0);
  for (const by of ['hold', 'release', 'cancel', 'retry'] as const)
    await store.log.apply({ campaign: 'spring' }, by, { now: NOW });
  await store.suppressions.add({ address: 'd@example.com', scope: 'all', reason: 'manual', evidence: undefined }, NOW);
  await store.suppressions.list({ limit: 10 });
  await store.activity.record([{ type: 'clicked', deliveryId: a.id, at: NOW, url: 'https://example.com', link: 0 }]);
  for (const type of ['unsubscribed', 'resubscribed'] as const)
    await store.activity.record([{ type, deliveryId: a.id, at: NOW, scope: 'transactional' }]);
  await store.reports.campaign('spring');
  await store.reports.links('spring', 10);
  await store.reports.days({ from: NOW, to: NOW + 1, stream: undefined });
  await store.queue.unregister(owner, NOW);

  prepared.add('select * from delivery where reason = ?');
  const whole: string[] = [];
  for (const text of prepared) {
    if (!/^(?:select|update|delete)/i.test(text)) continue;
    const plan = prepare.call(connection as DatabaseSync, `EXPLAIN QUERY PLAN ${text}`).all();
    const details = plan.map(({ detail }) => String(detail));
    const newestFirst = /order by "id" desc limit \?$/.test(text) && !/state|recipient|message_id/.test(text);
    if (details.some((detail) => LARGE.test(detail)) && !newestFirst) whole.push(`${text}\n  ${details.join('\n  ')}`);
  }
  // The one that was added above shows that the others would be found.
  expect(whole).toEqual([expect.stringContaining('where reason = ?')]);
  expect(prepared.size).toBeGreaterThan(40);
});
