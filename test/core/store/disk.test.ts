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

/** A disk that has just refused, and a reader that keeps the log from being moved. */
async function refused() {
  const { openDisk, waiting } = tamed();
  const opened = await open(openDisk);
  const reader = new DatabaseSync(opened.path);
  onTestFinished(() => reader.close());
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM campaign').get();
  const first = watch(opened.add('first'));
  const onItsWay = watch(opened.db.carryOn(() => 'done'));
  await turns();
  waiting.shift()?.(new Error('EIO'));
  await turns();
  return { ...opened, waiting, first, onItsWay, letGo: () => reader.exec('COMMIT') };
}

it('says that it does not know what survives where the log cannot be moved, and carries on with what is on its way', async () => {
  const { first, onItsWay } = await refused();
  expect(first.state).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('EIO') });
  expect(onItsWay.state).toBe('kept');
});

it('writes nothing more behind the hole, until the log could be moved', async () => {
  const { add, db, rows, waiting, letGo } = await refused();
  const later = [watch(add('second')), watch(db.carryOn(() => 'done'))];
  await turns();
  for (const { state } of later) expect(state).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(() => db.now(() => 'done')).toThrow(/EIO/);
  expect([rows(), waiting]).toEqual([['first'], []]);
  letGo();
  const third = watch(add('third'));
  await turns();
  expect([third.state, rows(), waiting.length]).toEqual(['waits', ['first', 'third'], 1]);
  waiting.shift()?.();
  await turns();
  expect(third.state).toBe('kept');
});

it('moves the log also while another database of the thread has something open', async () => {
  const { openDisk, waiting } = tamed();
  const { add, path } = await open(openDisk);
  const other = createDatabase(path, openDisk);
  await other.open();
  onTestFinished(() => other.close());
  const first = watch(add('first'));
  await turns();
  void other.write(() => other.nextId(1));
  waiting.shift()?.(new Error('EIO'));
  await turns();
  expect(first.state).toBe('kept');
});

it('a process that finds a log moves it, as whoever was here before may have left a hole', async () => {
  const { add, path, rows } = await open();
  await add('first');
  const sibling = createDatabase(path);
  await sibling.open();
  onTestFinished(() => sibling.close());
  const copy = `${scratchFolder()}/relay.db`;
  copyFileSync(path, copy);
  expect(rows(copy)).toEqual(['first']);
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
  /** Whether this thread waits for the disk itself after that. */
  async function waitsItself(): Promise<boolean> {
    const log = `${scratchFolder()}/log`;
    writeFileSync(log, 'x');
    const disk = createDisk(log);
    onTestFinished(() => disk.close());
    // From here timers come before what the pool has done.
    await new Promise((resolve) => setImmediate(resolve));
    const synced = new Promise<unknown>((resolve) => {
      disk.sync(resolve);
    });
    const start = performance.now();
    while (performance.now() - start < 60);
    expect(await synced).toBe(undefined);
    let told = false;
    disk.sync(() => {
      told = true;
    });
    return told;
  }
  // It should where the disk took longer: one of five is quick.
  let tries = 1;
  while ((await waitsItself()) && tries < 5) tries += 1;
  expect(tries).toBeLessThan(5);
});

it('a second stop finds nothing to do', async () => {
  const { db } = await open();
  await db.close();
  await db.close();
});

it('says what the disk says', async () => {
  const log = `${scratchFolder()}/log`;
  writeFileSync(log, 'x');
  const disk = createDisk(log);
  disk.close();
  expect(() => disk.syncNow()).toThrow(/EBADF/);
});
