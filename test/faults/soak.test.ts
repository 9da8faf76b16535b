import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../packages/core/src/store/report-port.ts';
import { freePort } from '../support/programs.ts';
import { scratchFolder } from '../support/relay.ts';
import { inForm } from './support/form.ts';
import { growthOf, openFiles, type Sample, sampleOf } from './support/growth.ts';
import { countsOf, type Deeds, figuresOf, noDeeds, outcomesOf, readMails } from './support/readers.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import { rowsOf } from './support/store-size.ts';
import { readerOf } from './support/truth.ts';

/** An hour, of which each minute takes as long as the rate allows. */
const MINUTES = inForm({ short: 4, full: 60 });
const CAMPAIGN = inForm({ short: 50, full: 240 });
const SENDS = inForm({ short: 10, full: 40 });
/** Single mails without a key, a few at once. */
const UNKEYED = inForm({ short: 10, full: 20 });
const UNKEYED_AT_ONCE = 5;
const UNPRESSED_MS = 60;
/** Until half of the time is over; then one relay lives as long as the other half takes. */
const RESTART_EVERY = inForm({ short: 1, full: 2 });
const LAST_RESTART = inForm({ short: 2, full: 30 });
/** After it the process ends, and another one goes on. */
const NEW_PROCESS_AFTER = inForm({ short: 1, full: 10 });
const REGULARS = 20;
const CONNECTIONS = 5;
const MIB = 1 << 20;
/** What a mail may take of the file, with its events; and what the log may take beside it. */
const BYTES_PER_MAIL = 2000;
const LOG_BYTES = 20 * MIB;
const TIMEOUT = inForm({ short: 90_000, full: 1_080_000 });

const html = '<p><a href="https://shop.example/a">A</a> <a href="https://shop.example/b">B</a></p>';
const regulars = Array.from({ length: REGULARS }, (_, index) => `regular${index}@example.com`);
const isSingle = (to: string): boolean => /^m\d+[su]/.test(to);
const restartsIn = (number: number): boolean => number <= LAST_RESTART && number % RESTART_EVERY === 0;

interface World {
  relay: RemoteRelay;
  readonly smtp: RemoteSmtp;
  readonly campaigns: Map<string, Deeds>;
  /** Single mails of no campaign, which nobody opens. */
  readonly receipts: Deeds;
  readonly left: Set<string>;
  /** Recipients of the mails that the server must have by now. */
  readonly expected: string[];
  /** How much of what the server took was read. */
  read: number;
}

async function taken({ smtp }: World, count: number): Promise<void> {
  await expect.poll(() => smtp.of('taken').length, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(count);
}

/** Mails of the campaign that have no key: the store notes them first, and some are only noted as the next thing happens. */
async function sendUnkeyed({ relay }: World, number: number, campaign: string): Promise<string[]> {
  const people = Array.from({ length: UNKEYED }, (_, index) => `m${number}u${index}@example.com`);
  for (let at = 0; at < people.length; at += UNKEYED_AT_ONCE) {
    await setTimeout(UNPRESSED_MS);
    const mails = people
      .slice(at, at + UNKEYED_AT_ONCE)
      .map((to) => ({ to, subject: `Welcome ${number}`, html, campaign }));
    await Promise.all(mails.map((mail) => relay.send(mail)));
  }
  return people;
}

/** Files and handles of the process. */
interface Open {
  readonly files: number;
  readonly handles: number;
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
  for (const to of people) {
    deeds.accepted.add(to);
    if (left.has(to)) deeds.suppressed.add(to);
  }
  const singly = Array.from({ length: SENDS }, (_, index) => `m${number}s${index}@example.com`);
  for (const to of singly) {
    const mail = { to, subject: 'Receipt', text: 'Thank you', idempotencyKey: to };
    const [first, again] = await Promise.all([relay.send(mail), relay.send(mail)]);
    expect(first.id).toBe(again.id);
  }
  const last = campaigns.get(`minute${number - 1}`);
  if (last !== undefined) await readMails(before, last, (to) => /^m\d+r\d*7@/.test(to));
  const unkeyed = await sendUnkeyed(world, number, campaign);
  for (const to of unkeyed) deeds.accepted.add(to);
  for (const to of singly) world.receipts.accepted.add(to);
  world.expected.push(...people.filter((to) => !left.has(to)), ...singly, ...unkeyed);
  if (restartsIn(number)) {
    await relay.stop();
    await relay.start();
  }
  await taken(world, world.expected.length);
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

/** Each mail arrived once, and each has a Message-ID of its own. */
function expectEachOnce({ smtp, expected }: World): void {
  const all = smtp.of('taken');
  expect(all.map(({ to }) => to).sort()).toEqual(expected.toSorted());
  expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(expected.length);
}

/** Every report says what was done, and nothing else. */
async function expectReports(store: string, { campaigns, receipts }: World): Promise<void> {
  const { reports, stop } = readerOf(store);
  for (const [campaign, deeds] of campaigns)
    expect(await reports.campaign(campaign), campaign).toMatchObject(figuresOf([deeds]));
  const all = [...campaigns.values(), receipts];
  const summary = await reports.summary();
  expect(summary).toMatchObject(figuresOf(all));
  const byDay = await reports.by('day');
  expect(byDay.total).toMatchObject(outcomesOf(all));
  // The hour of the test may be that of midnight.
  expect(byDay.rows.reduce((sum, { sent }) => sum + sent, 0)).toBe(byDay.total.sent);
  expect(byDay.rows.map(({ name, sent }) => [name, sent])).toEqual(summary.days.map(({ day, sent }) => [day, sent]));
  const byStream = await reports.by('stream');
  expect(byStream.total).toMatchObject(outcomesOf(all));
  expect(byStream.rows).toMatchObject([
    { name: 'broadcast', ...outcomesOf(all, (to) => !isSingle(to)) },
    { name: 'transactional', ...outcomesOf(all, isSingle) },
  ]);
  await stop();
}

/** A number that is not known, and not any. */
function within(n: number | undefined, least: number, most: number): number | undefined {
  expect(n).toBeGreaterThanOrEqual(least);
  expect(n).toBeLessThanOrEqual(most);
  return n;
}

/**
 * The rows that there must be, and no other, in any table.
 *
 * @param before - rows of the tables of a new file
 */
function expectRows(
  store: string,
  before: Readonly<Record<string, number>>,
  { campaigns, receipts, expected }: World,
): void {
  const deeds = [...campaigns.values(), receipts];
  const { accepted, suppressed, opens, clicks, unsubscribed } = countsOf(deeds);
  const rows = rowsOf(store);
  // By day, of which there may be two; by campaign and by stream; and by figure.
  const scopes = campaigns.size + 2;
  expect(rows).toEqual({
    ...before,
    owner: 0,
    campaign: campaigns.size,
    delivery: accepted,
    message: MINUTES * (1 + SENDS + UNKEYED),
    // Receipts share theirs, until a start knows of none; so do those of a minute that have no key.
    content: 2 * MINUTES + LAST_RESTART / RESTART_EVERY + 1,
    idempotency: receipts.accepted.size,
    event: expected.length + suppressed + opens.total + clicks.total + unsubscribed,
    suppression: unsubscribed,
    // A lane and a way for each stream.
    lane: 2,
    way: 2,
    way_count: within(rows.way_count, 2, 4),
    report: within(rows.report, scopes, 2 * scopes * METRICS.length),
    pulse: within(rows.pulse, scopes, 2 * scopes),
    link: within(rows.link, 1, 2 * campaigns.size),
    // What servers and readers' programs said.
    phrase: within(rows.phrase, 1, 10),
    rate_start: within(rows.rate_start, 0, 202),
  });
}

/** The log goes with the last who closes the file, which is as large as what is in it. */
function expectSize(store: string, { expected }: World): void {
  const { size } = statSync(store);
  const log = statSync(`${store}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  console.info({ size, log, bytesPerMail: Math.round(size / expected.length) });
  expect(log).toBe(0);
  expect(size).toBeLessThanOrEqual(MIB + expected.length * BYTES_PER_MAIL);
}

/**
 * Over restarts the host's thread may not grow, and in a life of its own nothing may. Between the thirds of that come some 6,800
 * mails in the full form: 300 bytes that are kept of each show. Contents that were seen of late are kept.
 */
function expectNoGrowth(samples: readonly Sample[]): void {
  const overRestarts = growthOf(samples.slice(NEW_PROCESS_AFTER, LAST_RESTART));
  const inOneLife = growthOf(samples.slice(LAST_RESTART));
  console.info({ last: samples.at(-1), overRestarts, inOneLife });
  for (const growth of [overRestarts, inOneLife]) {
    expect(growth.heap).toBeLessThan(2 * MIB);
    expect(growth.handles).toBeLessThanOrEqual(2);
  }
  expect(overRestarts.rss).toBeLessThan(40 * MIB);
  expect(inOneLife.rss).toBeLessThan(40 * MIB);
  expect(inOneLife.engineHeap).toBeLessThan(2 * MIB);
  expect(inOneLife.engineExternal).toBeLessThan(2 * MIB);
  // Some connections may be closed for now, each a handle and a file.
  expect(inOneLife.engineHandles).toBeLessThanOrEqual(CONNECTIONS);
  expect(inOneLife.files).toBeLessThanOrEqual(CONNECTIONS);
  expect(Math.max(...samples.map(({ log }) => log))).toBeLessThan(LOG_BYTES);
}

/** What is open once a relay has stopped and its connections are closed: no more than after the first time. */
async function expectNothingOpen({ relay, smtp }: World, first: Open | undefined): Promise<Open> {
  await expect.poll(() => smtp.connections(), { timeout: 10_000 }).toBe(0);
  const open = async (): Promise<Open> => ({ files: openFiles(relay), handles: (await relay.usage()).handles.length });
  const now = await open();
  if (first === undefined) return now;
  await expect
    .poll(open, { timeout: 10_000 })
    .toSatisfy((last: Open) => last.files <= first.files && last.handles <= first.handles);
  return first;
}

describe('an hour of mixed traffic', () => {
  it('leaks nothing, and its reports are true', { timeout: TIMEOUT }, async () => {
    const folder = scratchFolder();
    const store = join(folder, 'relay.db');
    const smtp = await remoteSmtp(folder);
    const settings: RelaySettings = {
      store,
      smtp: { port: smtp.port, connections: CONNECTIONS },
      rate: inForm({ short: '120/s', full: '34/s' }),
    };
    const preload = [`--import=${new URL('./support/engine-usage.ts', import.meta.url).href}`];
    const relay = await remoteRelay({ ...settings, http: await freePort() }, preload);
    const before = rowsOf(store);
    const world: World = {
      relay,
      smtp,
      campaigns: new Map(),
      receipts: noDeeds(),
      left: new Set(),
      expected: [],
      read: 0,
    };
    const samples: Sample[] = [];
    let first: Open | undefined;
    for (let number = 1; number <= MINUTES; number++) {
      await minute(world, number);
      samples.push(await sampleOf(world.relay, store));
      if (number % 5 === 0) console.info(JSON.stringify(samples.at(-1)));
      expect(await smtp.connections()).toBeLessThanOrEqual(CONNECTIONS);
      if (!restartsIn(number)) continue;
      await world.relay.stop({ drain: true });
      first = await expectNothingOpen(world, first);
      if (number === NEW_PROCESS_AFTER) {
        await world.relay.kill();
        // Links of the mails lead to the port.
        world.relay = await remoteRelay({ ...settings, http: relay.port }, preload);
      } else await world.relay.start();
    }
    await world.relay.stop({ drain: true });
    expectEachOnce(world);
    await expectReports(store, world);
    expectRows(store, before, world);
    expectSize(store, world);
    expectNoGrowth(samples);
  });
});
