import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { contentOf, recipientOf } from '../../support/content.ts';
import { scratchFolder } from '../../support/relay.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';
import { open } from './journal-bench.ts';
import { input, NOW } from './suite/bench.ts';

describe('what a process leaves in the journal', () => {
  /** A process that has mail answered, and says so; it never comes to post it. */
  async function senders(path: string): Promise<{ child: ChildProcess; ids: string[] }> {
    const script = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      import { createSqliteStore } from '#store';
      // What takes long is posted before it is answered: this disk does not.
      fs.fdatasync = (_, done) => queueMicrotask(() => done(null));
      syncBuiltinESMExports();
      const store = createSqliteStore({ path: process.argv[1], messageIdOf: () => '<1@example.com>' });
      await store.open();
      const input = JSON.parse(process.argv[2]);
      const accept = (n) => store.intake.accept({ ...input, recipients: [{ ...input.recipients[0], address: 'r' + n + '@example.com' }] });
      await accept(0);
      await store.log.list({ limit: 1 });
      // So that no query was near.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const accepted = await Promise.all(Array.from({ length: 20 }, (_, n) => accept(n + 1)));
      process.stdout.write(JSON.stringify(accepted.map(({ id }) => id)));
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    `.replace('#store', new URL('../../../packages/core/src/store/sqlite/store.ts', import.meta.url).href);
    const given = input({ campaign: 'spring', content: contentOf({ stream: 'broadcast' }) });
    const child = spawn(
      process.execPath,
      [...SOURCE_ARGUMENTS, '--input-type=module', '--eval', script, path, JSON.stringify(given)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const [chunk] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    return { child, ids: JSON.parse(String(chunk)) };
  }

  /** What was answered, and never posted. */
  async function left(): Promise<{ path: string; ids: string[] }> {
    const path = `${scratchFolder()}/relay.db`;
    const { child, ids } = await senders(path);
    const connection = new DatabaseSync(path, { readOnly: true });
    const noted = Number(connection.prepare('SELECT count(*) AS n FROM journal').get()?.n);
    connection.close();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(noted).toBe(20);
    return { path, ids };
  }

  it('is found by the next, once, as it was answered', async () => {
    const { path, ids } = await left();
    for (const _ of [1, 2]) {
      const { store, count } = await open(path);
      expect(count('journal')).toBe(0);
      const { items } = await store.log.list({ limit: 100 });
      expect(items).toHaveLength(21);
      expect(items.map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(ids));
      expect(await store.reports.campaign('spring')).toMatchObject({ accepted: 21 });
    }
  }, 20_000);

  it('is posted by a sibling after some seconds, and not again by who comes back', async () => {
    const one = await open();
    const other = await open(one.path);
    await one.store.intake.accept(input());
    // As if it had been stopped for long: only its row is old.
    one.raw('UPDATE journal SET at = at - 60000');
    await other.store.queue.beat(0, { now: NOW, leaseMs: 1000 });
    await expect.poll(() => other.count('delivery')).toBe(1);
    await setTimeout(50);
    expect((await one.store.log.list({ limit: 10 })).items).toHaveLength(1);
    expect(one.count('journal')).toBe(0);
  });

  it('is posted by a sibling where the clock was set back since, and is due', async () => {
    // Who noted it never comes to post it.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const one = await open();
    const other = await open(one.path);
    await one.store.intake.accept(input());
    expect(one.count('journal')).toBe(1);
    one.raw('UPDATE journal SET at = at + 3600000');
    await other.store.queue.beat(0, { now: NOW, leaseMs: 1000 });
    expect([other.count('journal'), other.count('delivery')]).toEqual([0, 1]);
    const connection = new DatabaseSync(one.path, { readOnly: true });
    expect(Number(connection.prepare('SELECT due_at FROM delivery').get()?.due_at)).toBeLessThan(NOW - 3_590_000);
    connection.close();
  });

  it('stays there where it cannot be read, holds up nothing else, and is tried again at the next start', async () => {
    const { store, count, raw, logged, path } = await open();
    await store.intake.accept(input());
    await store.intake.accept(input());
    await store.close();
    raw('INSERT INTO journal (id, at, json) VALUES (1, 0, ?)', '{"input":');
    const next = await open(path);
    expect(next.logged).toContain('an entry of the journal cannot be posted, and is kept there');
    expect([count('journal'), logged]).toEqual([1, []]);
    await next.store.intake.accept(input());
    expect((await next.store.log.list({ limit: 10 })).items).toHaveLength(3);
    raw('UPDATE journal SET json = ? WHERE id = 1', JSON.stringify({ input: input(), ids: [1, 2] }));
    const last = await open(path);
    expect(count('journal')).toBe(0);
    expect((await last.store.log.list({ limit: 10 })).items).toHaveLength(4);
  });
});

describe('an entry that cannot be posted', () => {
  it('holds up no other and no query, is kept, and is tried again by the next process', async () => {
    const { store, count, raw, logged, path } = await open();
    await store.log.list({ limit: 1 });
    raw(`CREATE TRIGGER bad BEFORE INSERT ON delivery WHEN NEW.recipient = 'bad@example.com'
         BEGIN SELECT RAISE(ABORT, 'bad luck'); END`);
    const names = ['one', 'bad', 'two'];
    const accepted = await Promise.all(
      names.map((name) => store.intake.accept(input({ recipients: [recipientOf(`${name}@example.com`)] }))),
    );
    const recipients = async () =>
      (await store.log.list({ limit: 10 })).items.map(({ recipient }) => recipient).toSorted();
    await expect.poll(recipients).toEqual(['one@example.com', 'two@example.com']);
    await expect.poll(() => logged).toContain('an entry of the journal cannot be posted, and is kept there');
    await expect.poll(() => count('journal')).toBe(1);
    // The journal is open again.
    await store.intake.accept(input());
    await expect.poll(recipients).toHaveLength(3);
    expect(count('journal')).toBe(1);
    await store.close();
    raw('DROP TRIGGER bad');
    const next = await open(path);
    const { items } = await next.store.log.list({ limit: 10 });
    expect(items.find(({ recipient }) => recipient === 'bad@example.com')?.id).toBe(accepted[1]?.deliveries[0]?.id);
    expect(count('journal')).toBe(0);
  });

  it('fails none of the changes that share its transaction', async () => {
    const { store, raw } = await open();
    raw(`CREATE TRIGGER bad BEFORE INSERT ON delivery WHEN NEW.recipient = 'bad@example.com'
         BEGIN SELECT RAISE(ABORT, 'bad luck'); END`);
    await store.intake.accept(input({ recipients: [recipientOf('bad@example.com')] }));
    const keyed = (name: string) =>
      store.intake.accept(input({ recipients: [recipientOf(`${name}@example.com`)], idempotencyKey: name }));
    const answers = await Promise.all([
      keyed('one'),
      keyed('two'),
      store.suppressions.add({ address: 'x@example.com', scope: 'all', reason: 'manual', evidence: undefined }, NOW),
    ]);
    expect(answers).toHaveLength(3);
    expect((await store.log.list({ limit: 10 })).items).toHaveLength(2);
  });
});
