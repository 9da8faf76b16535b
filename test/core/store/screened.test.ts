import { StatementSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createDatabase } from '../../../packages/core/src/store/sqlite/database.ts';
import { createScreened } from '../../../packages/core/src/store/sqlite/screened.ts';
import { recipientOf } from '../../support/content.ts';
import { scratchFolder } from '../../support/relay.ts';
import { open } from './journal-bench.ts';
import { input, LANE, NOW } from './suite/bench.ts';

const entry = { scope: 'all', reason: 'manual', evidence: undefined } as const;

/** A store with claimed mail for Ada and Bob. */
async function claimed() {
  const opened = await open();
  const { store } = opened;
  const recipients = ['Ada@Example.com', 'bob@example.com'].map(recipientOf);
  await store.intake.accept(input({ recipients }));
  const owner = await store.queue.register({ pid: process.pid, host: 'here', rates: {} }, NOW);
  expect(await store.queue.claim({ lane: LANE, limit: 10, owner, now: NOW })).toHaveLength(2);
  const find = (address: string) => store.suppressions.find(address, ['transactional', 'all'], NOW);
  return { ...opened, find };
}

describe('an address of claimed mail', () => {
  it('was looked for on the list with the others of the claim, and is not looked for again', async () => {
    const { find } = await claimed();
    const asked = vi.spyOn(StatementSync.prototype, 'all');
    onTestFinished(() => asked.mockRestore());
    expect(['ada@example.com', 'Bob@example.com'].map(find)).toEqual([undefined, undefined]);
    expect(asked).not.toHaveBeenCalled();
    find('carol@example.com');
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('is found at once when it comes onto the list, also in the transaction that brings it there', async () => {
    const { store, find } = await claimed();
    const added = store.suppressions.add({ ...entry, address: 'ada@example.com' }, NOW);
    expect(find('Ada@example.com')).toMatchObject({ reason: 'manual' });
    await added;
    expect(find('Ada@example.com')).toMatchObject({ reason: 'manual' });
    expect(find('bob@example.com')).toBeUndefined();
  });

  it('is found some ms after another process has added it', async () => {
    const { path, find } = await claimed();
    const other = await open(path);
    expect(find('ada@example.com')).toBeUndefined();
    await other.store.suppressions.add({ ...entry, address: 'ada@example.com' }, NOW);
    await setTimeout(6);
    expect(find('ada@example.com')).toMatchObject({ reason: 'manual' });
  });

  it('is found where it was on the list as it was claimed', async () => {
    const { store, raw } = await open();
    await store.intake.accept(input());
    const owner = await store.queue.register({ pid: process.pid, host: 'here', rates: {} }, NOW);
    raw(`INSERT INTO suppression (address, scope, reason, since) VALUES ('ada@example.com', 'all', 'manual', ${NOW})`);
    await store.queue.claim({ lane: LANE, limit: 10, owner, now: NOW });
    expect(store.suppressions.find('ada@example.com', ['all'], NOW)).toMatchObject({ reason: 'manual' });
  });
});

it('what was seen in a transaction that was undone is not believed', async () => {
  const db = createDatabase(`${scratchFolder()}/relay.db`);
  await db.open();
  onTestFinished(() => db.close());
  const screened = createScreened(db);
  const add = db.prepare((query) =>
    query.insertInto('suppression').values({ address: 'ada@example.com', scope: 'all', reason: 'manual', since: NOW }),
  );
  const remove = db.prepare((query) => query.deleteFrom('suppression').where('address', '=', 'ada@example.com'));
  await db.write(() => void add.run({}));
  const undone = db.write(() => {
    remove.run({});
    screened.screen(['ada@example.com', 'bob@example.com']);
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  expect(['ada@example.com', 'bob@example.com'].map(screened.has)).toEqual([false, false]);
  await db.write(() => screened.screen(['ada@example.com', 'bob@example.com']));
  expect(['ada@example.com', 'bob@example.com'].map(screened.has)).toEqual([false, true]);
});
