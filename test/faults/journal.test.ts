import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Accepted, SendMessage } from '../../packages/core/src/index.ts';
import { scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import { answersOf } from './support/spree.ts';
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
/** Answers that a process gives at most, of twice as many calls. */
const MOST = inForm({ short: 15, full: 60 });
const TIMEOUT = inForm({ short: 60_000, full: 240_000 });
const CONNECTIONS = 5;

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

/** A relay that is the only one: until those that died are forgotten, nothing is noted. */
async function onlyRelay({ settings }: World): Promise<RemoteRelay> {
  const relay = await remoteRelay(settings);
  await expect.poll(() => countRows(settings.store, 'owner'), { timeout: TIMEOUT / 3, interval: 20 }).toBe(1);
  return relay;
}

/** When a process is killed: as it answers, or within 2 ms. */
function moment(): { readonly upon: number; readonly afterMs: number } {
  return { upon: between(2, MOST), afterMs: Math.max(0, between(-2, 2)) };
}

describe('what is answered, and noted only, when the process is killed', () => {
  it(`is mail that arrives and is there once, over ${KILLS} kills`, { timeout: TIMEOUT }, async () => {
    const all = await world();
    const { smtp, settings, log } = all;
    const held: string[] = [];
    const noted: number[] = [];
    const asked = new Set<string>();
    for (let kill = 0; kill < KILLS; kill++) {
      const since = smtp.seen().length;
      const people = Array.from({ length: 2 * MOST }, (_, index) => `k${kill}r${index}@example.com`);
      for (const to of people) asked.add(to);
      const tasks = people.map((to) => ({ to, subject: 'Receipt', text: 'Thank you', campaign: 'noted' }));
      const relay = await onlyRelay(all);
      await relay.sendUntilKilled({ tasks, log, ...moment() });
      noted.push(countRows(settings.store, 'journal'));
      held.push(...expectFewOnTheWay(settings.store, smtp, { since, connections: CONNECTIONS }));
    }
    expect(Math.max(...noted), 'rows of the journal after a kill').toBeGreaterThan(0);
    const last = await remoteRelay(settings);
    const reader = readerOf(settings.store);
    await expect
      .poll(async () => (await reader.reports.campaign('noted')).pending, { timeout: TIMEOUT / 3, interval: 50 })
      .toBe(0);
    const { deliveries } = await accountOf(reader);
    const people = deliveries.map(({ recipient }) => recipient);
    expect(new Set(people).size, 'recipients of all deliveries').toBe(people.length);
    expect(people.filter((to) => !asked.has(to))).toEqual([]);
    expect(countRows(settings.store, 'message')).toBe(people.length);
    const arrived = new Map(smtp.of('taken').map(({ to, messageId }) => [to, messageId]));
    const stored = deliveries.map((one) => ({ ...one, header: arrived.get(one.recipient) }));
    const answers = answersOf<SendMessage, Accepted>(log);
    for (const { task, value } of answers) {
      expect(value.deliveries).toHaveLength(1);
      expect(stored).toContainEqual(
        expect.objectContaining({
          recipient: task.to,
          id: value.deliveries[0]?.id,
          messageId: value.id,
          header: value.messageId,
        }),
      );
    }
    expectAllArrived(smtp, people);
    const again = expectDuplicatesWithin(smtp, countBy(held));
    await expectReportIsTrue(reader, 'noted', people.length);
    console.info({ answers: answers.length, stored: people.length, noted, onTheirWay: held.length, again });
    await last.stop();
    expect(countRows(settings.store, 'journal')).toBe(0);
  });

  it(`are opens and clicks that count once, over ${KILLS} kills`, { timeout: TIMEOUT }, async () => {
    const all = await world();
    const { smtp, settings, log } = all;
    const people = Array.from({ length: KILLS * MOST }, (_, index) => `r${index}@example.com`);
    const first = await onlyRelay(all);
    const html = '<p><a href="https://shop.example/a">A</a></p>';
    await first.sendMany(people, { subject: 'News', html, campaign: 'noted' });
    await expect.poll(() => smtp.of('answered').length, { timeout: TIMEOUT / 3 }).toBe(people.length);
    await first.stop({ drain: true });
    const reads = smtp
      .of('taken')
      .map(({ to, links }) => ({ to, links: links.filter((one) => /\/mail\/[oc]\//.test(one)) }));
    const noted: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const tasks = reads.slice(kill * MOST, (kill + 1) * MOST).flatMap(({ links }) => links);
      const relay = await onlyRelay(all);
      await relay.readUntilKilled({ tasks, log, ...moment() });
      noted.push(countRows(settings.store, 'journal'));
    }
    expect(Math.max(...noted), 'rows of the journal after a kill').toBeGreaterThan(0);
    const last = await remoteRelay(settings);
    const reader = readerOf(settings.store);
    const { events } = await accountOf(reader);
    const answered = answersOf<string, number>(log);
    expect(answered.filter(({ value }) => value !== 200 && value !== 302)).toEqual([]);
    const answers = new Set(answered.map(({ task }) => task));
    const sum = { opened: 0, clicked: 0 };
    for (const { to, links } of reads) {
      expect(links).toHaveLength(2);
      for (const url of links) {
        const type = url.includes('/mail/o/') ? 'opened' : 'clicked';
        const counted = (events.get(to) ?? []).filter((event) => event.type === type).length;
        sum[type] += counted;
        if (answers.has(url)) expect(counted, `${type} of ${to}`).toBe(1);
        else expect(counted, `${type} of ${to}`).toBeLessThanOrEqual(1);
      }
    }
    expect(await reader.reports.campaign('noted')).toMatchObject({
      accepted: people.length,
      sent: people.length,
      opens: { total: sum.opened, unique: sum.opened },
      clicks: { total: sum.clicked, unique: sum.clicked },
    });
    console.info({ answers: answers.size, ...sum, noted });
    await last.stop();
    expect(countRows(settings.store, 'journal')).toBe(0);
  });
});
