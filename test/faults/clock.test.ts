import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { inForm } from './support/form.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import {
  arrivals,
  countBy,
  expectAllArrived,
  expectDuplicatesWithin,
  expectFewOnTheWay,
  expectReportIsTrue,
  readerOf,
} from './support/truth.ts';
import { expectRateHeld } from './support/windows.ts';

const MAILS = inForm({ short: 80, full: 1500 });
const CONNECTIONS = 5;
const RATE = { limit: inForm({ short: 60, full: 200 }), windowMs: 1000 };
const TIMEOUT = inForm({ short: 60_000, full: 240_000 });
const HOUR_MS = 3_600_000;
const people = Array.from({ length: MAILS }, (_, index) => `r${index}@example.com`);

interface World {
  readonly smtp: RemoteSmtp;
  readonly settings: RelaySettings;
  start(): Promise<RemoteRelay>;
  setClock(shiftMs: number): void;
}

/** A relay whose clock the test sets. */
async function world(): Promise<World> {
  const folder = scratchFolder();
  const smtp = await remoteSmtp(folder);
  const clock = join(folder, 'clock');
  const setClock = (shiftMs: number): void => {
    writeFileSync(`${clock}.new`, String(shiftMs));
    renameSync(`${clock}.new`, clock);
  };
  setClock(0);
  const settings: RelaySettings = {
    store: join(folder, 'relay.db'),
    smtp: { port: smtp.port, connections: CONNECTIONS },
    rate: `${RATE.limit}/s`,
    queue: { leaseMs: 1000, retryFirstMs: 500, retryMaxMs: 500 },
  };
  const preload = [`--import=${new URL('./support/clock.ts', import.meta.url).href}`];
  return { smtp, settings, setClock, start: () => remoteRelay(settings, preload, { MAIL_RELAY_CLOCK: clock }) };
}

const hand = (relay: RemoteRelay): Promise<unknown> =>
  relay.sendMany(people, { subject: 'Hello', text: 'Hello', campaign: 'clock' });

async function taken(smtp: RemoteSmtp, goal: number): Promise<void> {
  await expect.poll(() => arrivals(smtp).size, { timeout: TIMEOUT / 3, interval: 10 }).toBeGreaterThanOrEqual(goal);
}

/** Everything arrives, long before the clock shows again what it showed. */
async function expectTruth({ smtp, settings }: World, allowed: ReadonlyMap<string, number>): Promise<void> {
  const reader = readerOf(settings.store);
  await expect
    .poll(async () => (await reader.reports.campaign('clock')).sent, { timeout: TIMEOUT / 2, interval: 50 })
    .toBe(MAILS);
  expectAllArrived(smtp, people);
  const again = expectDuplicatesWithin(smtp, allowed);
  const account = await expectReportIsTrue(reader, 'clock', MAILS);
  const shift = ({ startedAt, seenAt }: { startedAt: number; seenAt: number }): number =>
    seenAt - startedAt > HOUR_MS / 2 ? HOUR_MS : 0;
  console.info({ again, ...expectRateHeld(smtp, account, RATE, shift) });
}

describe('a clock that goes back by an hour', () => {
  it('in the middle of sending holds up no mail, repeats none, and leaves the rate as it is', {
    timeout: TIMEOUT,
  }, async () => {
    const all = await world();
    const relay = await all.start();
    await hand(relay);
    await taken(all.smtp, MAILS / 3);
    all.setClock(-HOUR_MS);
    await expectTruth(all, new Map());
  });

  it('while mail waits to be tried again does not make it wait longer', { timeout: TIMEOUT }, async () => {
    const all = await world();
    const relay = await all.start();
    await all.smtp.behave('later');
    await hand(relay);
    const reader = readerOf(all.settings.store);
    await expect
      .poll(async () => (await reader.reports.campaign('clock')).deferred, { timeout: 20_000 })
      .toBeGreaterThan(10);
    all.setClock(-HOUR_MS);
    await all.smtp.behave('well');
    await expectTruth(all, new Map());
  });

  it('while nobody runs: the next process sends all, what the dead one had as well', { timeout: TIMEOUT }, async () => {
    const all = await world();
    const first = await all.start();
    await hand(first);
    await taken(all.smtp, MAILS / 3);
    await first.kill();
    const held = expectFewOnTheWay(all.settings.store, all.smtp, { since: 0, connections: CONNECTIONS });
    all.setClock(-HOUR_MS);
    await all.start();
    await expectTruth(all, countBy(held));
  });
});
