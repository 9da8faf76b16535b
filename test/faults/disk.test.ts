import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Accepted } from '../../packages/core/src/index.ts';
import { scratchFolder } from '../support/relay.ts';
import { type DiskKind, fill, removeStaleDisks, smallDisk } from './support/disk.ts';
import { between, inForm } from './support/form.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import {
  accountOf,
  arrivals,
  countBy,
  countRows,
  expectAllArrived,
  expectDuplicatesWithin,
  expectFewOnTheWay,
  expectReportIsTrue,
  readerOf,
} from './support/truth.ts';
import { expectRateHeld, expectRateUsed } from './support/windows.ts';

const MAILS = inForm({ short: 100, full: 5000 });
const TURNS = inForm({ short: 1, full: 10 });
const CONNECTIONS = 5;
const RATE = { limit: inForm({ short: 30, full: 300 }), windowMs: 1000 };
const TIMEOUT = inForm({ short: 60_000, full: 240_000 });
/** Of the file, and of a file system in memory. */
const PAGE = 4096;
/** After a query the journal is used again. */
const UNPRESSED_MS = 100;
const people = Array.from({ length: MAILS }, (_, index) => `r${index}@example.com`);

beforeAll(removeStaleDisks);

async function taken(smtp: RemoteSmtp, goal: number): Promise<void> {
  await expect.poll(() => arrivals(smtp).size, { timeout: TIMEOUT / 3, interval: 10 }).toBeGreaterThanOrEqual(goal);
}

/** Lets it run for a while, and waits until the relay says that the disk is full. */
async function runFull({ disk, smtp, settings }: World, relay: RemoteRelay): Promise<() => void> {
  const step = Math.floor((MAILS * 0.7) / TURNS);
  await taken(smtp, Math.min(MAILS, arrivals(smtp).size + between(1, step)));
  const before = relay.errors.length;
  // The server takes what is on its way when the result cannot be written any more.
  smtp.freeze();
  emptyLog(settings.store);
  const free = fill(disk);
  smtp.thaw();
  const said = (): string =>
    relay.errors
      .slice(before)
      .map(({ error }) => String(error))
      .join('\n');
  await expect.poll(said, { timeout: TIMEOUT / 3, interval: 20 }).toContain('disk of the database is full');
  return free;
}

/** A log that is larger than what is in it has room for thousands of mails on a full disk. */
function emptyLog(store: string): void {
  const db = new DatabaseSync(store, { timeout: 20_000 });
  expect(db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
  db.close();
}

interface World {
  readonly disk: string;
  readonly smtp: RemoteSmtp;
  readonly settings: RelaySettings;
}

async function world(context: TestContext, kind?: DiskKind): Promise<World> {
  const disk = smallDisk(context, kind);
  const smtp = await remoteSmtp(scratchFolder());
  const settings = {
    store: join(disk, 'relay.db'),
    smtp: { port: smtp.port, connections: CONNECTIONS },
    rate: `${RATE.limit}/s`,
    queue: { leaseMs: 1000 },
  };
  return { disk, smtp, settings };
}

/** What a process had on its way as it was killed. */
function caught({ settings, smtp }: World, since: number): string[] {
  return expectFewOnTheWay(settings.store, smtp, { since, connections: CONNECTIONS, limit: RATE.limit });
}

async function expectTruth({ smtp, settings }: World, held: readonly string[], all = people): Promise<void> {
  const reader = readerOf(settings.store);
  await expect
    .poll(async () => (await reader.reports.campaign('disk')).sent, { timeout: TIMEOUT - 20_000, interval: 50 })
    .toBe(all.length);
  expectAllArrived(smtp, all);
  const again = expectDuplicatesWithin(smtp, countBy(held));
  const account = await expectReportIsTrue(reader, 'disk', all.length);
  const windows = expectRateHeld(smtp, account, RATE);
  if (inForm({ short: false, full: true })) expectRateUsed(windows, RATE);
  console.info({ onTheirWay: held.length, again, ...windows });
}

const message = { subject: 'Hello', text: 'Hello' };

/**
 * Sends until one is refused, and answers who was not. A disk is full to what is large while it has room for what is small: pages
 * of a batch that was not written in full are free again, and so is what a file system has reserved and not used.
 */
async function sendUntilRefused(relay: RemoteRelay, name: string): Promise<string[]> {
  const accepted: string[] = [];
  for (let sent = 0; sent < 500; sent++) {
    const to = `${name}-${sent}@example.com`;
    try {
      await relay.send({ ...message, to, campaign: 'disk' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_FULL' });
      return accepted;
    }
    accepted.push(to);
  }
  throw new Error('the disk never was full');
}

describe('a disk that is full while mail goes out', () => {
  it.for(['memory', 'ext4'] as const)(
    '(%s) costs no mail and repeats none, once there is room again',
    {
      timeout: TIMEOUT,
    },
    async (kind, context) => {
      const all = await world(context, kind);
      const relay = await remoteRelay(all.settings);
      await relay.sendMany(people, { ...message, campaign: 'disk' });
      const more: string[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        const free = await runFull(all, relay);
        more.push(...(await sendUntilRefused(relay, `more-${turn}`)));
        free();
      }
      await expectTruth(all, [], [...people, ...more]);
    },
  );

  it('and a process that is killed meanwhile repeat only what was in flight', { timeout: TIMEOUT }, async (context) => {
    const all = await world(context);
    let relay = await remoteRelay(all.settings);
    await relay.sendMany(people, { ...message, campaign: 'disk' });
    const held: string[] = [];
    let since = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const free = await runFull(all, relay);
      await relay.kill();
      held.push(...caught(all, since));
      since = all.smtp.seen().length;
      // What is in the log may just fit into the database, which makes room for a start.
      const early = await remoteRelay(all.settings).catch((error: Error) => error);
      if (early instanceof Error) expect(early).toMatchObject({ code: 'STORE_FULL' });
      else {
        await early.kill();
        held.push(...caught(all, since));
        since = all.smtp.seen().length;
      }
      free();
      relay = await remoteRelay(all.settings);
    }
    await expectTruth(all, held);
  });
});

/** Makes room, a page at a time, until a mail is answered: it could be noted, and there is no room to post it. */
async function noteLast(relay: RemoteRelay, makeRoom: (bytes: number) => void): Promise<Accepted> {
  for (let pages = 0; pages < 16; pages++) {
    try {
      return await relay.send({ ...message, to: 'noted@example.com' });
    } catch (error) {
      expect((error as { code?: string }).code).toBe('STORE_FULL');
    }
    makeRoom(PAGE);
    await setTimeout(UNPRESSED_MS);
  }
  throw new Error('there was never just enough room');
}

describe('mail that is noted as the last thing that the disk takes', () => {
  it.for(['goes on', 'is killed'] as const)(
    'is sent and stored once, where the process %s',
    {
      timeout: TIMEOUT,
    },
    async (what, context) => {
      const { disk, smtp, settings: short } = await world(context);
      // Beats would take the room: they are some seconds apart here.
      const settings = { ...short, queue: { leaseMs: 15_000 } };
      let relay = await remoteRelay(settings);
      await relay.send({ ...message, to: 'before@example.com' });
      await taken(smtp, 1);
      await setTimeout(UNPRESSED_MS);
      const free = fill(disk);
      const { id, messageId, deliveries } = await noteLast(relay, free);
      const posts = (): number =>
        relay.errors.filter((said) => said.message === 'the journal could not be posted').length;
      await expect.poll(posts, { interval: 5 }).toBeGreaterThan(0);
      expect(countRows(settings.store, 'journal')).toBe(1);
      const [before, since] = [posts(), performance.now()];
      await setTimeout(1000);
      const seconds = (performance.now() - since) / 1000;
      // Four a second, and the one at an edge of the time.
      expect(posts() - before, 'attempts').toBeLessThanOrEqual(5 * seconds + 1);
      await expect(relay.send({ ...message, to: 'refused@example.com' })).rejects.toMatchObject({ code: 'STORE_FULL' });
      if (what === 'is killed') {
        await relay.kill();
        expect(countRows(settings.store, 'journal')).toBe(1);
        await expect(remoteRelay(settings)).rejects.toMatchObject({ code: 'STORE_FULL' });
      }
      free();
      if (what === 'is killed') relay = await remoteRelay(settings);
      await taken(smtp, 2);
      await relay.stop({ drain: true });
      const account = await accountOf(readerOf(settings.store));
      expect(account.deliveries.map(({ recipient, state }) => `${recipient} ${state}`).sort()).toEqual([
        'before@example.com sent',
        'noted@example.com sent',
      ]);
      expect(account.deliveries).toContainEqual(expect.objectContaining({ id: deliveries[0]?.id, messageId: id }));
      expect(smtp.of('taken').filter(({ to }) => to === 'noted@example.com')).toMatchObject([{ messageId }]);
      expect(countRows(settings.store, 'journal')).toBe(0);
      expect(countRows(settings.store, 'message')).toBe(2);
    },
  );
});

it('a disk that a killed run has left is removed before the next tests', async (context) => {
  const ended = spawnSync(process.execPath, ['--version']).pid;
  const [stale, own] = [smallDisk(context, 'memory', ended), smallDisk(context)];
  expect(readFileSync('/proc/mounts', 'utf8')).toContain(stale);
  removeStaleDisks();
  expect(existsSync(dirname(stale))).toBe(false);
  const mounts = readFileSync('/proc/mounts', 'utf8');
  expect(mounts).not.toContain(stale);
  expect(mounts).toContain(own);
});
