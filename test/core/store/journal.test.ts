import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeId } from '../../../packages/core/src/message.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { scratchFolder } from '../../support/relay.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';
import { input, LANE, NOW } from './suite/bench.ts';

interface Opened {
  readonly path: string;
  readonly store: Store;
  /** Errors and warnings that were logged. */
  readonly logged: readonly string[];
  /** Rows of a table, as another connection finds them. */
  count(table: 'journal' | 'message' | 'delivery' | 'event'): number;
  raw(sql: string, ...values: (string | number)[]): void;
}

async function open(path = `${scratchFolder()}/relay.db`): Promise<Opened> {
  const logged: string[] = [];
  const store = createSqliteStore({
    path,
    messageIdOf: ({ deliveryId }) => `<${deliveryId}@example.com>`,
    log: (_, __, message) => void logged.push(message),
  });
  await store.open();
  const connection = new DatabaseSync(path, { timeout: 5000 });
  onTestFinished(async () => {
    connection.close();
    await store.close();
  });
  return {
    path,
    store,
    logged,
    count: (table) => Number(connection.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n),
    raw: (sql, ...values) => void connection.prepare(sql).run(...values),
  };
}

const click = (deliveryId: number, at = NOW) =>
  ({
    type: 'clicked',
    deliveryId,
    at,
    agent: { kind: 'human', evidence: 'browser', userAgent: 'x' },
    url: 'https://a.example/',
  }) as const;

describe('what is answered before it is in its tables', () => {
  it('is one row of the journal, and in its tables a moment later', async () => {
    const { store, count } = await open();
    let posted = 0;
    const accepted = await store.intake.accept(
      input({ recipients: ['a', 'b'].map((name) => recipientOf(`${name}@example.com`)) }),
      undefined,
      () => {
        posted += 1;
      },
    );
    expect([count('journal'), count('message'), count('delivery'), posted]).toEqual([1, 0, 0, 0]);
    await expect.poll(() => posted).toBe(1);
    expect([count('journal'), count('message'), count('delivery')]).toEqual([0, 1, 2]);
    const { items } = await store.log.list({ limit: 10 });
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set(accepted.deliveries.map(({ id }) => id)));
    expect(items).toMatchObject([{ messageId: accepted.id }, { messageId: accepted.id }]);
  });

  it('is found by every query of its process', async () => {
    const { store, count } = await open();
    const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW);
    const { id } = await store.intake.accept(input());
    expect((await store.log.list({ limit: 10 })).items).toMatchObject([{ messageId: id }]);
    await store.intake.accept(input());
    expect(store.queue.nextDueAt(LANE)).toBe(NOW);
    await store.intake.accept(input());
    expect(await store.queue.claim({ lane: LANE, limit: 10, owner, now: NOW })).toHaveLength(3);
    await store.intake.accept(input());
    await store.suppressions.add(
      { address: 'ada@example.com', scope: 'all', reason: 'manual', evidence: undefined },
      NOW,
    );
    expect((await store.log.list({ limit: 10 })).items.map(({ state }) => state).toSorted()).toEqual([
      'sending',
      'sending',
      'sending',
      'suppressed',
    ]);
    expect(count('journal')).toBe(0);
  });

  it('shares its commit, and is asked to do so again where that fails', async () => {
    const { store } = await open();
    const keyed = (subject: string) =>
      store.intake.accept(input({ idempotencyKey: 'k', content: contentOf({ subject }) }));
    await keyed('One');
    const [plain, conflict, other] = await Promise.allSettled([
      store.intake.accept(input({ recipients: [recipientOf('plain@example.com')] })),
      keyed('Two'),
      store.intake.accept(input({ recipients: [recipientOf('other@example.com')] })),
    ]);
    expect([plain.status, conflict.status, other.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const { items } = await store.log.list({ limit: 10 });
    expect(items.map(({ recipient }) => recipient).toSorted()).toEqual([
      'ada@example.com',
      'other@example.com',
      'plain@example.com',
    ]);
  });

  it('is only what is answered alike: anything else is in its tables at once', async () => {
    const { store, count } = await open();
    await store.suppressions.add(
      { address: 'gone@example.com', scope: 'all', reason: 'manual', evidence: undefined },
      NOW,
    );
    const suppressed = await store.intake.accept(input({ recipients: [recipientOf('gone@example.com')] }));
    expect(suppressed.deliveries).toMatchObject([{ state: 'suppressed' }]);
    const twice = ['ada@example.com', 'Ada@Example.com'].map(recipientOf);
    expect((await store.intake.accept(input({ recipients: twice }))).deliveries).toHaveLength(1);
    await store.intake.accept(input({ idempotencyKey: 'k' }));
    await store.intake.accept(input(), new Map([['hash', Buffer.from('bytes')]]));
    await store.intake.accept(input({ content: contentOf({ text: 'x'.repeat(20_000) }) }));
    expect([count('journal'), count('message')]).toEqual([0, 5]);
    await store.subscriptions.declare({ name: 's', kind: 'handler', types: ['accepted'] }, NOW);
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([0, 6]);
  });

  it('is in its tables at once where other processes may look for it', async () => {
    const { store, count } = await open();
    const others = await Promise.all([1, 2].map((pid) => store.queue.register({ pid, host: 'here', rates: {} }, NOW)));
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([0, 1]);
    await store.queue.unregister(others[1] as number, NOW);
    await expect
      .poll(async () => {
        await store.intake.accept(input());
        return count('journal');
      })
      .toBe(1);
  });

  it('is in its tables at once while queries keep coming: it would only be written twice', async () => {
    const { store, count } = await open();
    await store.intake.accept(input());
    await store.log.list({ limit: 1 });
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([0, 2]);
    await setTimeout(60);
    await store.intake.accept(input());
    expect([count('journal'), count('message')]).toEqual([1, 2]);
  });

  it('waits until it is due', async () => {
    const { store } = await open();
    const accepted = await store.intake.accept(input({ sendAt: NOW + 60_000 }));
    expect(accepted.deliveries).toMatchObject([{ state: 'scheduled' }]);
    expect((await store.log.list({ limit: 1 })).items).toMatchObject([{ state: 'scheduled' }]);
    expect(store.queue.nextDueAt(LANE)).toBe(NOW + 60_000);
  });

  it('is counted for readings, which count before that, too', async () => {
    const { store, count } = await open();
    const { deliveries } = await store.intake.accept(
      input({ campaign: 'spring', content: contentOf({ stream: 'broadcast' }) }),
    );
    const id = decodeId('dlv', deliveries[0]?.id ?? '') as number;
    await store.log.list({ limit: 1 });
    const told: string[] = [];
    const note = (many: number) =>
      store.activity.note(
        Array.from({ length: many }, () => click(id)),
        (events) => void told.push(...events.map(({ type }) => type)),
      );
    await note(3);
    expect([count('journal'), count('event')]).toEqual([1, 0]);
    expect(store.activity.look(id, NOW)).toMatchObject({ recentClicks: 3 });
    await note(2);
    expect(store.activity.look(id, NOW)).toMatchObject({ recentClicks: 5 });
    expect(told).toEqual([]);
    expect(await store.reports.campaign('spring')).toMatchObject({ clicksTotal: 5, clicksUnique: 1 });
    expect(store.activity.look(id, NOW)).toMatchObject({ recentClicks: 5 });
    await expect.poll(() => told).toHaveLength(5);
    expect([count('journal'), count('event')]).toEqual([0, 5]);
  });
});

describe('what a process leaves in the journal', () => {
  /** A process that has mail answered, and says so; it never comes to post it. */
  async function senders(path: string): Promise<{ child: ChildProcess; ids: string[] }> {
    const script = `
      import { createSqliteStore } from '#store';
      const store = createSqliteStore({ path: process.argv[1], messageIdOf: () => '<1@example.com>' });
      await store.open();
      const { input, reading } = JSON.parse(process.argv[2]);
      const accept = (n) => store.intake.accept({ ...input, recipients: [{ ...input.recipients[0], address: 'r' + n + '@example.com' }] });
      const first = await accept(0);
      await store.log.list({ limit: 1 });
      // So that no query was near.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const accepted = await Promise.all(Array.from({ length: 50 }, (_, n) => accept(n + 1)));
      await store.activity.note(Array.from({ length: 3 }, () => ({ ...reading, deliveryId: parseInt(first.deliveries[0].id.slice(4), 36) })), () => {});
      process.stdout.write(JSON.stringify(accepted.map(({ id }) => id)));
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    `.replace('#store', new URL('../../../packages/core/src/store/sqlite/store.ts', import.meta.url).href);
    const given = {
      input: input({ campaign: 'spring', content: contentOf({ stream: 'broadcast' }) }),
      reading: click(0),
    };
    const child = spawn(
      process.execPath,
      [...SOURCE_ARGUMENTS, '--input-type=module', '--eval', script, path, JSON.stringify(given)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const [chunk] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    return { child, ids: JSON.parse(String(chunk)) };
  }

  it('is found by the next, once, as it was answered', async () => {
    const path = `${scratchFolder()}/relay.db`;
    const { child, ids } = await senders(path);
    const connection = new DatabaseSync(path, { readOnly: true });
    expect(Number(connection.prepare('SELECT count(*) AS n FROM journal').get()?.n)).toBe(51);
    connection.close();
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const _ of [1, 2]) {
      const { store, count } = await open(path);
      expect(count('journal')).toBe(0);
      const { items } = await store.log.list({ limit: 100 });
      expect(items).toHaveLength(51);
      expect(items.map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(ids));
      expect(await store.reports.campaign('spring')).toMatchObject({ accepted: 51, clicksTotal: 3, clicksUnique: 1 });
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

  it('stays there where it cannot be read, holds up nothing else, and is tried again at the next start', async () => {
    const { store, count, raw, logged, path } = await open();
    await store.intake.accept(input());
    await store.intake.accept(input());
    await store.close();
    raw('INSERT INTO journal (id, kind, at, json) VALUES (1, 0, 0, ?)', '{"input":');
    raw('INSERT INTO journal (id, kind, at, json) VALUES (2, 1, 0, ?)', '[]');
    const next = await open(path);
    expect(next.logged).toContain('an entry of the journal cannot be posted, and is kept there');
    expect([count('journal'), logged]).toEqual([1, []]);
    await next.store.intake.accept(input());
    expect((await next.store.log.list({ limit: 10 })).items).toHaveLength(3);
    raw('UPDATE journal SET kind = 1, json = ? WHERE id = 1', '[]');
    await open(path);
    expect(count('journal')).toBe(0);
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
