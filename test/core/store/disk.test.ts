import { pbkdf2 } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { createDatabase, type Database } from '../../../packages/core/src/store/sqlite/database.ts';
import { createDisk, type Disk } from '../../../packages/core/src/store/sqlite/disk.ts';
import { scratchFolder } from '../../support/relay.ts';

interface Opened {
  readonly db: Database;
  readonly path: string;
  /** Writes a row; resolves as `write` does. */
  add(name: string): Promise<number>;
  /** Rows of a file, as another process sees them. */
  rows(file?: string): string[];
}

async function open(openDisk?: (log: string) => Disk): Promise<Opened> {
  const path = `${scratchFolder()}/relay.db`;
  const db = createDatabase(path, openDisk);
  await db.open();
  onTestFinished(() => db.close());
  const insert = db.prepare((query, { name }: { name: string }) => query.insertInto('campaign').values({ name }));
  return {
    db,
    path,
    add: (name) => db.write(() => insert.insert({ name })),
    rows(file = path) {
      const other = new DatabaseSync(file);
      try {
        return other
          .prepare('SELECT name FROM campaign ORDER BY id')
          .all()
          .map(({ name }) => String(name));
      } finally {
        other.close();
      }
    },
  };
}

/** A disk that does what it is told. */
function tamed(): { readonly openDisk: (log: string) => Disk; readonly waiting: ((error?: unknown) => void)[] } {
  const waiting: ((error?: unknown) => void)[] = [];
  const openDisk = (): Disk => ({ sync: (done) => void waiting.push(done), syncNow: () => {}, close: () => {} });
  return { openDisk, waiting };
}

const turns = async (count = 20): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** What became of a promise so far. */
function watch(promise: Promise<unknown>): { state: unknown } {
  const seen: { state: unknown } = { state: 'waits' };
  promise.then(
    () => {
      seen.state = 'kept';
    },
    (error: unknown) => {
      seen.state = error;
    },
  );
  return seen;
}

it('answers when the disk has it, and lets others find it before', async () => {
  const { openDisk, waiting } = tamed();
  const { add, rows } = await open(openDisk);
  const first = watch(add('first'));
  await turns();
  expect([first.state, rows(), waiting.length]).toEqual(['waits', ['first'], 1]);
  waiting.shift()?.();
  await turns();
  expect(first.state).toBe('kept');
});

it('commits together what comes while the disk is busy, once it is free', async () => {
  const { openDisk, waiting } = tamed();
  const { add, rows } = await open(openDisk);
  const first = watch(add('first'));
  await turns();
  const later = [watch(add('second')), watch(add('third'))];
  await turns();
  expect([rows(), waiting.length]).toEqual([['first'], 1]);
  waiting.shift()?.();
  await turns();
  expect([first.state, later[0]?.state, rows(), waiting.length]).toEqual([
    'kept',
    'waits',
    ['first', 'second', 'third'],
    1,
  ]);
  waiting.shift()?.();
  await turns();
  expect(later.map(({ state }) => state)).toEqual(['kept', 'kept']);
});

it('moves the log into the database where the disk did not keep it', async () => {
  const { openDisk, waiting } = tamed();
  const { add, rows, path } = await open(openDisk);
  const first = watch(add('first'));
  await turns();
  waiting.shift()?.(new Error('EIO'));
  await turns();
  expect(first.state).toBe('kept');
  const copy = `${scratchFolder()}/relay.db`;
  copyFileSync(path, copy);
  expect(rows(copy)).toEqual(['first']);
});

it('says that it does not know where that cannot be, and does not trust the log before it could', async () => {
  const { openDisk, waiting } = tamed();
  const { add, path } = await open(openDisk);
  // A reader that stays where it is keeps the log from being moved.
  const reader = new DatabaseSync(path);
  onTestFinished(() => reader.close());
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM campaign').get();
  const first = watch(add('first'));
  await turns();
  waiting.shift()?.(new Error('EIO'));
  await expect.poll(() => first.state).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(String((first.state as Error).message)).toContain('EIO');
  const second = watch(add('second'));
  await expect.poll(() => second.state).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(waiting).toEqual([]);
  reader.exec('COMMIT');
  const third = watch(add('third'));
  await turns();
  expect(third.state).toBe('kept');
  const fourth = watch(add('fourth'));
  await turns();
  expect([fourth.state, waiting.length]).toEqual(['waits', 1]);
  waiting.shift()?.();
  await turns();
  expect(fourth.state).toBe('kept');
});

it('a stop answers all that wait for the disk', async () => {
  const { openDisk } = tamed();
  const { db, add } = await open(openDisk);
  const first = watch(add('first'));
  await turns();
  const second = watch(add('second'));
  await db.close();
  await turns();
  expect([first.state, second.state]).toEqual(['kept', 'kept']);
});

it('what was answered is there after a loss of power', async () => {
  // What lies on the disk for sure: the files as they were when it was last asked to keep them, and did.
  const kept = `${scratchFolder()}/relay.db`;
  let path = '';
  const openDisk = (log: string): Disk => {
    const disk = createDisk(log);
    path = log.replace(/-wal$/, '');
    return {
      ...disk,
      sync(done) {
        const [database, frames] = [readFileSync(path), readFileSync(log)];
        disk.sync((error) => {
          writeFileSync(kept, database);
          writeFileSync(`${kept}-wal`, frames);
          done(error);
        });
      },
    };
  };
  const { add, rows } = await open(openDisk);
  const answered: string[] = [];
  await Promise.all(
    Array.from({ length: 5 }, async (_, caller) => {
      for (let index = 0; index < 20; index++) {
        const name = `${caller} ${index}`;
        await add(name);
        answered.push(name);
        if (index % 5 !== 0) continue;
        const copy = `${scratchFolder()}/relay.db`;
        copyFileSync(kept, copy);
        copyFileSync(`${kept}-wal`, `${copy}-wal`);
        const found = new Set(rows(copy));
        expect(answered.filter((one) => !found.has(one))).toEqual([]);
      }
    }),
  );
  expect(answered).toHaveLength(100);
});

it('does not wait for a thread pool that others have taken', async () => {
  const log = `${scratchFolder()}/log`;
  writeFileSync(log, 'x');
  const disk = createDisk(log);
  onTestFinished(() => disk.close());
  const order: string[] = [];
  const hashes = Array.from(
    { length: 8 },
    () =>
      new Promise<void>((resolve) => {
        pbkdf2('password', 'salt', 1_000_000, 64, 'sha512', () => {
          order.push('hash');
          resolve();
        });
      }),
  );
  await new Promise<void>((resolve) => {
    disk.sync((error) => {
      order.push(error === undefined ? 'disk' : 'error');
      resolve();
    });
  });
  await Promise.all(hashes);
  expect(order[0]).toBe('disk');
  expect(order.filter((one) => one !== 'hash')).toEqual(['disk']);
});

it('does not take a loop that stood still for a pool that is taken', async () => {
  const log = `${scratchFolder()}/log`;
  writeFileSync(log, 'x');
  const disk = createDisk(log);
  onTestFinished(() => disk.close());
  const synced = new Promise<unknown>((resolve) => {
    disk.sync(resolve);
  });
  const start = performance.now();
  while (performance.now() - start < 60);
  expect(await synced).toBe(undefined);
  // It would do so at once if it waited for the disk itself.
  let told = false;
  disk.sync(() => {
    told = true;
  });
  expect(told).toBe(false);
});

it('says what the disk says', async () => {
  const log = `${scratchFolder()}/log`;
  writeFileSync(log, 'x');
  const disk = createDisk(log);
  disk.close();
  expect(() => disk.syncNow()).toThrow(/EBADF/);
});
