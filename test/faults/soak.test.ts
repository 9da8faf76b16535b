import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { inForm } from './support/form.ts';
import { type Deeds, figuresOf, noDeeds, readMails } from './support/readers.ts';
import { type RemoteRelay, remoteRelay, type Usage } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import { arrivals, readerOf } from './support/truth.ts';

/** An hour, of which each minute takes as long as the rate allows. */
const MINUTES = inForm({ short: 4, full: 60 });
const CAMPAIGN = inForm({ short: 50, full: 240 });
const SENDS = inForm({ short: 10, full: 40 });
/** Single mails without a key, a few at once. */
const UNKEYED = inForm({ short: 10, full: 20 });
const UNKEYED_AT_ONCE = 5;
const UNPRESSED_MS = 60;
const RESTART_EVERY = inForm({ short: 2, full: 5 });
/** After it the process ends, and another one goes on; within the first third, after which memory is compared. */
const NEW_PROCESS_AFTER = inForm({ short: 2, full: 15 });
const REGULARS = 20;
const CONNECTIONS = 5;
const TIMEOUT = inForm({ short: 90_000, full: 1_080_000 });
const MIB = 1 << 20;

const html = '<p><a href="https://shop.example/a">A</a> <a href="https://shop.example/b">B</a></p>';
const regulars = Array.from({ length: REGULARS }, (_, index) => `regular${index}@example.com`);

/** Files and handles of the process. */
interface Open {
  readonly files: number;
  readonly handles: number;
}

interface Sample extends Usage {
  readonly engineHeap: number;
}

interface World {
  relay: RemoteRelay;
  readonly smtp: RemoteSmtp;
  readonly campaigns: Map<string, Deeds>;
  readonly left: Set<string>;
  /** Mails that the server must have by now. */
  expected: number;
  /** How much of what the server took was read. */
  read: number;
}

async function taken({ smtp }: World, count: number): Promise<void> {
  await expect.poll(() => smtp.of('taken').length, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(count);
}

/** Mails of the campaign that have no key: the store notes them first, and some are only noted as the next thing happens. */
async function sendUnkeyed({ relay }: World, number: number, campaign: string): Promise<void> {
  const people = Array.from({ length: UNKEYED }, (_, index) => `m${number}u${index}@example.com`);
  for (let at = 0; at < people.length; at += UNKEYED_AT_ONCE) {
    await setTimeout(UNPRESSED_MS);
    const mails = people
      .slice(at, at + UNKEYED_AT_ONCE)
      .map((to) => ({ to, subject: `Welcome ${number}`, html, campaign }));
    await Promise.all(mails.map((mail) => relay.send(mail)));
  }
}

/** A campaign, single mails with repeated keys and without, and people who read what the minute before has brought. */
async function minute(world: World, number: number): Promise<void> {
  const { relay, smtp, campaigns, left } = world;
  const before = smtp.of('taken').slice(world.read);
  world.read += before.length;
  const campaign = `minute${number}`;
  const deeds = noDeeds();
  campaigns.set(campaign, deeds);
  const people = [...regulars, ...Array.from({ length: CAMPAIGN }, (_, index) => `m${number}r${index}@example.com`)];
  const { accepted } = await relay.sendMany(people, { subject: `News ${number}`, html, campaign });
  expect(accepted).toBe(people.length);
  deeds.accepted = people.length + UNKEYED;
  deeds.suppressed = regulars.filter((address) => left.has(address)).length;
  const singly = Array.from({ length: SENDS }, (_, index) => `m${number}s${index}@example.com`);
  for (const to of singly) {
    const mail = { to, subject: 'Receipt', text: 'Thank you', idempotencyKey: to };
    const [first, again] = await Promise.all([relay.send(mail), relay.send(mail)]);
    expect(first.id).toBe(again.id);
  }
  const last = campaigns.get(`minute${number - 1}`);
  if (last !== undefined) await readMails(before, last, (to) => /^m\d+r\d*7@/.test(to));
  await sendUnkeyed(world, number, campaign);
  world.expected += people.length - deeds.suppressed + singly.length + UNKEYED;
  if (number % RESTART_EVERY === 0) {
    await relay.stop();
    await relay.start();
  }
  await taken(world, world.expected);
  // One of the regular readers leaves, by the mail of this minute.
  const leaver = regulars.find((address) => !left.has(address) && number % 2 === 0);
  if (leaver === undefined) return;
  const mail = smtp
    .of('taken')
    .slice(world.read)
    .filter(({ to }) => to === leaver);
  await readMails(mail, deeds, () => true);
  left.add(leaver);
}

/** The rows that there must be, and no other. */
function expectRows(store: string, { campaigns, smtp }: World): void {
  const db = new DatabaseSync(store);
  const count = (sql: string): number => Number(db.prepare(sql).get()?.n);
  const all = [...campaigns.values()];
  const sum = (of: (deeds: Deeds) => number): number => all.reduce((total, deeds) => total + of(deeds), 0);
  const singly = MINUTES * SENDS;
  try {
    expect({
      owners: count('SELECT count(*) AS n FROM owner'),
      journal: count('SELECT count(*) AS n FROM journal'),
      held: count('SELECT count(*) AS n FROM delivery WHERE owner IS NOT NULL'),
      reserved: count('SELECT coalesce(sum(n), 0) AS n FROM rate_reserved'),
      deliveries: count('SELECT count(*) AS n FROM delivery'),
      messages: count('SELECT count(*) AS n FROM message'),
      contents: count('SELECT count(*) AS n FROM content'),
      keys: count('SELECT count(*) AS n FROM idempotency'),
      events: count('SELECT count(*) AS n FROM event'),
      suppressions: count('SELECT count(*) AS n FROM suppression'),
    }).toEqual({
      owners: 0,
      journal: 0,
      held: 0,
      reserved: 0,
      deliveries: sum(({ accepted }) => accepted) + singly,
      messages: MINUTES + singly + MINUTES * UNKEYED,
      // Receipts share theirs, until a start knows of none; so do those of a minute that have no key.
      contents: 2 * MINUTES + Math.ceil(MINUTES / RESTART_EVERY),
      keys: singly,
      events: smtp.of('taken').length + sum((one) => one.suppressed + one.opens + one.clicks + one.unsubscribed.size),
      suppressions: sum(({ unsubscribed }) => unsubscribed.size),
    });
    expect(count('SELECT count(*) AS n FROM rate_start')).toBeLessThanOrEqual(202);
  } finally {
    db.close();
  }
}

/** What is open once a relay has stopped and its connections are closed: no more than after the first time. */
async function expectNothingOpen({ relay, smtp }: World, first: Open | undefined): Promise<Open> {
  await expect.poll(() => smtp.connections(), { timeout: 10_000 }).toBe(0);
  const open = async (): Promise<Open> => ({
    files: readdirSync(`/proc/${relay.pid}/fd`).length,
    handles: (await relay.usage()).handles.length,
  });
  const now = await open();
  if (first === undefined) return now;
  await expect
    .poll(open, { timeout: 10_000 })
    .toSatisfy((last: Open) => last.files <= first.files && last.handles <= first.handles);
  return first;
}

/** Memory after the first third of the time is what it needs; it may not grow on and on from there. */
function expectNoGrowth(samples: readonly Sample[]): void {
  const third = Math.floor(samples.length / 3);
  const grown = (of: (sample: Sample) => number): number =>
    median(samples.slice(-third).map(of)) - median(samples.slice(third, 2 * third).map(of));
  const growth = {
    heap: grown(({ heap }) => heap),
    engineHeap: grown(({ engineHeap }) => engineHeap),
    rss: grown(({ rss }) => rss),
  };
  console.info({ samples: samples.length, growth, engineHeap: samples.at(-1)?.engineHeap, rss: samples.at(-1)?.rss });
  expect(growth.heap).toBeLessThan(6 * MIB);
  expect(growth.engineHeap).toBeLessThan(6 * MIB);
  expect(growth.rss).toBeLessThan(40 * MIB);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}

describe('an hour of mixed traffic', () => {
  it('leaks nothing, and its reports are true', { timeout: TIMEOUT }, async () => {
    const folder = scratchFolder();
    const store = join(folder, 'relay.db');
    const smtp = await remoteSmtp(folder);
    const settings: RelaySettings = {
      store,
      smtp: { port: smtp.port, connections: CONNECTIONS },
      rate: inForm({ short: '120/s', full: '30/s' }),
    };
    const preload = [`--import=${new URL('./support/engine-heap.ts', import.meta.url).href}`];
    const relay = await remoteRelay({ ...settings, http: true }, preload);
    const world: World = { relay, smtp, campaigns: new Map(), left: new Set(), expected: 0, read: 0 };
    const samples: Sample[] = [];
    let first: Open | undefined;
    for (let number = 1; number <= MINUTES; number++) {
      await minute(world, number);
      samples.push({ ...(await world.relay.usage()), engineHeap: await world.relay.engineHeap() });
      expect(await smtp.connections()).toBeLessThanOrEqual(CONNECTIONS);
      if (number % RESTART_EVERY !== 0) continue;
      await world.relay.stop({ drain: true });
      first = await expectNothingOpen(world, first);
      if (number === NEW_PROCESS_AFTER) {
        await world.relay.kill();
        // Links of the mails lead to the port.
        world.relay = await remoteRelay({ ...settings, http: relay.port }, preload);
      } else await world.relay.start();
    }
    await world.relay.stop({ drain: true });
    expect([...arrivals(smtp).values()].reduce((sum, times) => sum + times, 0)).toBe(world.expected);
    const reader = readerOf(store);
    for (const [campaign, deeds] of world.campaigns)
      expect(await reader.reports.campaign(campaign), campaign).toMatchObject(figuresOf(deeds));
    await reader.stop();
    expectRows(store, world);
    expectNoGrowth(samples);
  });
});
