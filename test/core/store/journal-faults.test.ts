import { renameSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { contentOf, recipientOf } from '../../support/content.ts';
import { scratchFolder } from '../../support/relay.ts';
import { message, relayOn } from './files.ts';
import { open } from './journal-bench.ts';
import { input, NOW } from './suite/bench.ts';

/** The journal is posted when a test says so, however long the disk takes. */
function stopTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

describe('the journal', () => {
  it('is posted before a drained stop, so that what was answered is sent', async () => {
    const path = `${scratchFolder()}/relay.db`;
    const relay = relayOn(path, true);
    await relay.start();
    await setTimeout(100);
    const { id } = await relay.send(message);
    await relay.stop({ drain: true });
    expect((await relayOn(path).messages.get(id))?.deliveries).toMatchObject([{ state: 'sent' }]);
  });

  it('is posted before a change that is tried again alone', async () => {
    const { store } = await open();
    const keyed = (subject: string) =>
      store.intake.accept(input({ idempotencyKey: 'k', content: contentOf({ subject }) }));
    await keyed('One');
    await setTimeout(60);
    const { id } = await store.intake.accept(input({ recipients: [recipientOf('b@example.com')] }));
    const [conflict, cancelled] = await Promise.allSettled([
      keyed('Two'),
      store.log.apply({ id }, 'cancel', { now: NOW }),
    ]);
    expect([conflict.status, cancelled.status]).toEqual(['rejected', 'fulfilled']);
    const { items } = await store.log.list({ limit: 10 });
    expect(items.find(({ recipient }) => recipient === 'b@example.com')).toMatchObject({ state: 'cancelled' });
  });

  it('tries again now and then while the file is away, not all the time', async () => {
    const { store, logged, path } = await open();
    await store.log.list({ limit: 1 });
    stopTimers();
    await store.intake.accept(input());
    renameSync(path, `${path}-away`);
    // It waits no longer for what may come with it.
    await setTimeout(30);
    await vi.advanceTimersByTimeAsync(600);
    expect(logged).toHaveLength(3);
    renameSync(`${path}-away`, path);
    await vi.advanceTimersByTimeAsync(250);
    expect((await store.log.list({ limit: 10 })).items).toHaveLength(1);
  });

  it('is open again after a failure as nothing waited', async () => {
    const { store, count, raw, logged } = await open();
    await store.intake.accept(input());
    await store.log.list({ limit: 1 });
    raw('ALTER TABLE journal RENAME TO away');
    await store.queue.beat(0, { now: NOW, leaseMs: 1000 });
    raw('ALTER TABLE away RENAME TO journal');
    expect(logged).toEqual(['the journal could not be posted']);
    await expect
      .poll(
        async () => {
          await store.intake.accept(input());
          return count('journal');
        },
        { interval: 100 },
      )
      .toBe(1);
  });

  it('is tried again no more often where the process looks for what others have left', async () => {
    const { store, path, raw, logged, count } = await open();
    stopTimers();
    await store.intake.accept(input());
    raw('UPDATE journal SET at = at - 60000');
    renameSync(path, `${path}-away`);
    await setTimeout(30);
    await vi.advanceTimersByTimeAsync(20);
    expect(logged).toHaveLength(1);
    for (let beats = 0; beats < 20; beats++) {
      await store.queue.beat(0, { now: NOW, leaseMs: 1000 }).catch(() => {});
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(logged).toHaveLength(2);
    renameSync(`${path}-away`, path);
    await vi.advanceTimersByTimeAsync(250);
    expect([count('journal'), count('delivery')]).toEqual([0, 1]);
  });

  it('is open again after an entry that was bad, and all alone', async () => {
    const { store, count, raw } = await open();
    raw(`CREATE TRIGGER bad BEFORE INSERT ON delivery WHEN NEW.recipient = 'bad@example.com'
         BEGIN SELECT RAISE(ABORT, 'bad luck'); END`);
    await store.intake.accept(input({ recipients: [recipientOf('bad@example.com')] }));
    expect((await store.log.list({ limit: 10 })).items).toEqual([]);
    await setTimeout(60);
    stopTimers();
    await store.intake.accept(input());
    expect(count('journal')).toBe(2);
    expect((await store.log.list({ limit: 10 })).items).toHaveLength(1);
  });

  it('counts what stands beside a bad entry once', async () => {
    const { store, raw } = await open();
    raw(`CREATE TRIGGER bad BEFORE INSERT ON delivery WHEN NEW.recipient = 'bad3@example.com'
         BEGIN SELECT RAISE(ABORT, 'bad luck'); END`);
    const content = contentOf({ stream: 'broadcast' });
    await Promise.all(
      Array.from({ length: 7 }, (_, index) =>
        store.intake.accept(
          input({ recipients: [recipientOf(`bad${index}@example.com`)], campaign: 'spring', content }),
        ),
      ),
    );
    expect((await store.log.list({ limit: 10 })).items).toHaveLength(6);
    expect(await store.reports.campaign('spring')).toMatchObject({ accepted: 6 });
  });

  it('has nothing that a process which starts takes from one that is there', async () => {
    const { store, path, count } = await open();
    await store.intake.accept(input());
    await store.queue.register({ pid: process.pid, host: 'elsewhere', rates: {} }, NOW);
    await setTimeout(60);
    stopTimers();
    let told = 0;
    await store.intake.accept(input(), undefined, () => {
      told += 1;
    });
    const other = await open(path);
    expect(count('journal')).toBe(1);
    await store.posted();
    expect([told, count('journal'), other.count('delivery')]).toEqual([1, 0, 2]);
  });

  it('tells what it has posted before `posted()` resolves', async () => {
    const { store } = await open();
    const told: string[] = [];
    await store.intake.accept(input(), undefined, () => void told.push('one'));
    const second = store.intake.accept(input(), undefined, () => void told.push('two'));
    await second;
    await store.posted();
    expect(told).toEqual(['one', 'two']);
  });
});
