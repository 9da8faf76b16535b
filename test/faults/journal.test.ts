import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Accepted, DeliveryRecord, MessageEvent, SendMessage } from '../../packages/core/src/index.ts';
import { scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import type { Seen } from './support/smtp-log.ts';
import { answersOf, type Spree } from './support/spree.ts';
import {
  accountOf,
  countBy,
  countRows,
  expectAllArrived,
  expectDuplicatesWithin,
  expectFewOnTheWay,
  expectReportIsTrue,
  readerOf,
} from './support/truth.ts';

const KILLS = inForm({ short: 3, full: 20 });
/** A machine that is slow may take this many more until one kill is quick enough. */
const MORE_KILLS = 20;
/** Answers that a process gives at most, of twice as many calls. */
const MOST = inForm({ short: 15, full: 60 });
const TIMEOUT = inForm({ short: 60_000, full: 300_000 });
const CONNECTIONS = 5;
const WAIT = { timeout: TIMEOUT / 3, interval: 20 };

interface World {
  readonly smtp: RemoteSmtp;
  readonly settings: RelaySettings;
  /** Takes the answers. */
  readonly log: string;
}

async function world(): Promise<World> {
  const folder = scratchFolder();
  const smtp = await remoteSmtp(folder);
  const settings: RelaySettings = {
    store: join(folder, 'relay.db'),
    smtp: { port: smtp.port, connections: CONNECTIONS },
    queue: { leaseMs: 1000 },
    tracking: { opens: true, clicks: true },
  };
  return { smtp, settings, log: join(folder, 'answers.log') };
}

/** A relay that is the only one: until those that died are forgotten, mail is not noted. */
async function onlyRelay({ settings }: World): Promise<RemoteRelay> {
  const relay = await remoteRelay(settings);
  await expect.poll(() => countRows(settings.store, 'owner'), WAIT).toBe(1);
  return relay;
}

/**
 * When to kill: upon an answer or within 2 ms, and each third time while what was noted is posted, or goes out; but for those
 * kills that are to leave rows.
 */
function moment(kill: number): Pick<Spree<never>, 'upon' | 'afterMs'> {
  const late = kill % 3 === 2 && kill < KILLS;
  return { upon: between(2, MOST), afterMs: late ? between(3, 15) : Math.max(0, between(-2, 2)) };
}

/** Runs senders that are killed. Some of them have to leave rows in the journal. */
async function killSenders({ settings }: World, run: (kill: number) => Promise<void>): Promise<readonly number[]> {
  const left: number[] = [];
  const none = (): boolean => left.every((rows) => rows === 0);
  while (left.length < KILLS || (none() && left.length < KILLS + MORE_KILLS)) {
    await run(left.length);
    left.push(countRows(settings.store, 'journal'));
  }
  expect(none(), 'no kill left rows in the journal').toBe(false);
  return left;
}

/** A process that sends one mail after the other, to addresses of its own, until it is killed. */
async function sendUntilKilled(all: World, kill: number): Promise<void> {
  const people = Array.from({ length: 2 * MOST }, (_, index) => `k${kill}r${index}@example.com`);
  const tasks = people.map((to) => ({ to, subject: 'Receipt', text: 'Thank you', campaign: 'noted' }));
  const relay = await onlyRelay(all);
  await relay.sendUntilKilled({ tasks, log: all.log, ...moment(kill) });
}

/** Each mail that was answered is stored as it was answered, and nothing is stored twice. */
function expectAnswered({ smtp, log }: World, deliveries: readonly DeliveryRecord[]): number {
  const stored = new Map(deliveries.map((one) => [one.recipient, one]));
  expect(stored.size, 'recipients of all deliveries').toBe(deliveries.length);
  const headers = new Map(smtp.of('taken').map(({ to, messageId }) => [to, messageId]));
  const answers = answersOf<SendMessage, Accepted>(log);
  for (const { task, value } of answers) {
    const to = String(task.to);
    const found = { id: stored.get(to)?.id, messageId: stored.get(to)?.messageId, header: headers.get(to) };
    expect(found, to).toEqual({ id: value.deliveries[0]?.id, messageId: value.id, header: value.messageId });
  }
  return answers.length;
}

/** Mails that arrived, with their pixel and their link. */
async function sendNews(all: World): Promise<readonly Seen[]> {
  const people = Array.from({ length: KILLS * MOST }, (_, index) => `r${index}@example.com`);
  const html = '<p><a href="https://shop.example/a">A</a></p>';
  const relay = await remoteRelay(all.settings);
  await relay.sendMany(people, { subject: 'News', html, campaign: 'noted' });
  await expect.poll(() => all.smtp.of('answered').length, WAIT).toBe(people.length);
  await relay.stop({ drain: true });
  await relay.kill();
  return all.smtp
    .of('taken')
    .map((mail) => ({ ...mail, links: mail.links.filter((url) => typeOf(url) !== undefined) }));
}

function typeOf(url: string): 'opened' | 'clicked' | undefined {
  return url.includes('/mail/o/') ? 'opened' : url.includes('/mail/c/') ? 'clicked' : undefined;
}

/** Each URL was asked for at most once: it counts once where that was answered, and else at most once. Answers what was counted. */
function expectCounted(
  { log }: World,
  news: readonly Seen[],
  events: ReadonlyMap<string, readonly MessageEvent[]>,
): { opened: number; clicked: number } {
  const answers = answersOf<string, number>(log);
  expect(answers.filter(({ value }) => value !== 200 && value !== 302)).toEqual([]);
  const answered = new Set(answers.map(({ task }) => task));
  const sum = { opened: 0, clicked: 0 };
  for (const { to, links } of news) {
    expect(links).toHaveLength(2);
    for (const url of links) {
      const type = typeOf(url) as 'opened' | 'clicked';
      const counted = (events.get(to) ?? []).filter((event) => event.type === type).length;
      expect(counted, `${type} of ${to}`).toBeGreaterThanOrEqual(answered.has(url) ? 1 : 0);
      expect(counted, `${type} of ${to}`).toBeLessThanOrEqual(1);
      sum[type] += counted;
    }
  }
  return sum;
}

describe(`what is answered when the process is killed right upon it (${KILLS} times)`, () => {
  it('is mail that arrives, and is there once', { timeout: TIMEOUT }, async () => {
    const all = await world();
    const { smtp, settings } = all;
    const held: string[] = [];
    const left = await killSenders(all, async (kill) => {
      const since = smtp.seen().length;
      await sendUntilKilled(all, kill);
      held.push(...expectFewOnTheWay(settings.store, smtp, { since, connections: CONNECTIONS }));
    });
    const last = await remoteRelay(settings);
    const reader = readerOf(settings.store);
    await expect.poll(async () => (await reader.reports.campaign('noted')).pending, WAIT).toBe(0);
    const { deliveries } = await accountOf(reader);
    const answers = expectAnswered(all, deliveries);
    const people = deliveries.map(({ recipient }) => recipient);
    expectAllArrived(smtp, people);
    const again = expectDuplicatesWithin(smtp, countBy(held));
    await expectReportIsTrue(reader, 'noted', people.length);
    await last.stop();
    expect(countRows(settings.store, 'message')).toBe(people.length);
    expect(countRows(settings.store, 'journal')).toBe(0);
    console.info({ left, answers, stored: people.length, onTheirWay: held.length, again });
  });

  it('are opens and clicks that count once', { timeout: TIMEOUT }, async () => {
    const all = await world();
    const news = await sendNews(all);
    for (let kill = 0; kill < KILLS; kill++) {
      const tasks = news.slice(kill * MOST, (kill + 1) * MOST).flatMap(({ links }) => links);
      const relay = await onlyRelay(all);
      await relay.readUntilKilled({ tasks, log: all.log, ...moment(kill) });
    }
    const last = await remoteRelay(all.settings);
    const reader = readerOf(all.settings.store);
    const { events } = await accountOf(reader);
    const { opened, clicked } = expectCounted(all, news, events);
    expect(await reader.reports.campaign('noted')).toMatchObject({
      accepted: news.length,
      sent: news.length,
      opens: { total: opened, unique: opened },
      clicks: { total: clicked, unique: clicked },
    });
    await last.stop();
    console.info({ opened, clicked });
  });
});
