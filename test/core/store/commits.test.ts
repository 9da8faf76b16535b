import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { scratchFolder } from '../../support/relay.ts';
import { claim, input, NOW, SENT, settlement } from './suite/bench.ts';

/** A store on a file, its connection, and the statements that it ran by name. */
async function watched(): Promise<{ store: Store; connection: DatabaseSync; commits(): number }> {
  let connection: DatabaseSync | undefined;
  let commits = 0;
  const exec = DatabaseSync.prototype.exec;
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, text) {
    connection = this;
    if (text === 'COMMIT') commits += 1;
    exec.call(this, text);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const store = createSqliteStore({ path: `${scratchFolder()}/relay.db`, messageIdOf: () => '<1@example.com>' });
  await store.open();
  onTestFinished(() => store.close());
  return { store, connection: connection as unknown as DatabaseSync, commits: () => commits };
}

const many = Array.from({ length: 100 }, (_, index) => recipientOf(`r${index}@example.com`));

describe('the database', () => {
  it('writes ahead, and waits for the disk with each commit', async () => {
    const { connection } = await watched();
    expect(connection.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' });
    // 2 is FULL.
    expect(connection.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: 2 });
  });

  it('commits once for all that comes at the same time', async () => {
    const { store, commits } = await watched();
    const before = commits();
    await Promise.all(many.map((recipient) => store.intake.accept(input({ recipients: [recipient] }))));
    expect(commits() - before).toBe(1);
  });

  it('commits once for callers that come back one after the other, as they were answered together', async () => {
    const { store, commits } = await watched();
    const accept = (recipient: (typeof many)[number]) => store.intake.accept(input({ recipients: [recipient] }));
    await Promise.all(many.slice(0, 10).map(accept));
    // What they noted is posted with the first query.
    await store.log.list({ limit: 1 });
    const before = commits();
    // However busy the machine is.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    const answers: Promise<unknown>[] = [];
    for (const recipient of many.slice(10, 20)) {
      answers.push(accept(recipient));
      await nextTurn();
    }
    await Promise.all(answers);
    expect(commits() - before).toBe(1);
  });

  it('does not wait for callers that stay away', async () => {
    const { store, commits } = await watched();
    // The journal, which has a time of its own, is not posted meanwhile.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const accept = (recipient: (typeof many)[number]) => store.intake.accept(input({ recipients: [recipient] }));
    await Promise.all(many.slice(0, 10).map(accept));
    const before = commits();
    for (const recipient of many.slice(10, 20)) await accept(recipient);
    expect(commits() - before).toBe(10);
  });

  it('commits once for a batch that is claimed, and once for its results', async () => {
    const { store, commits } = await watched();
    await store.intake.accept(input({ recipients: many }));
    const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW);
    const before = commits();
    const claimed = await claim(store, owner, NOW, 100);
    await store.queue.settle(
      claimed.map((one) => settlement(one, SENT)),
      { owner, now: NOW },
    );
    expect([claimed.length, commits() - before]).toEqual([100, 2]);
  });

  it('has the content of messages that share it once', async () => {
    const { store, connection } = await watched();
    for (const recipient of many.slice(0, 5)) await store.intake.accept(input({ recipients: [recipient] }));
    await store.intake.accept(input({ content: contentOf({ subject: 'Another' }) }));
    await store.log.list({ limit: 1 });
    expect(connection.prepare('SELECT count(*) AS n FROM content').get()).toMatchObject({ n: 2 });
    expect(connection.prepare('SELECT count(*) AS n FROM message').get()).toMatchObject({ n: 6 });
  });

  it('does not wait for itself where two in one thread write to one file', async () => {
    const path = `${scratchFolder()}/relay.db`;
    const stores = [1, 2].map(() => createSqliteStore({ path, messageIdOf: () => '<1@example.com>' }));
    for (const store of stores) {
      await store.open();
      onTestFinished(() => store.close());
    }
    const refused: unknown[] = [];
    const { exec } = DatabaseSync.prototype;
    vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, text) {
      try {
        exec.call(this, text);
      } catch (error) {
        refused.push(error);
        throw error;
      }
    });
    onTestFinished(() => void vi.restoreAllMocks());
    await Promise.all(many.map((recipient, at) => stores[at % 2]?.intake.accept(input({ recipients: [recipient] }))));
    expect(refused).toEqual([]);
    const list = async () => (await (stores[0] as Store).log.list({ limit: 200 })).items.length;
    // What the other one was told a moment ago comes into the tables a moment later.
    await expect.poll(list).toBe(100);
  });
});
