import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import {
  type Account,
  arrivals,
  countBy,
  expectAllArrived,
  expectDeferralsAreTrue,
  expectDuplicatesWithin,
  expectFewOnTheWay,
  expectReportIsTrue,
  readerOf,
} from './support/truth.ts';
import { expectRateHeld, expectRateUsed } from './support/windows.ts';

const MAILS = inForm({ short: 80, full: 5000 });
/** How often the clock goes back, and how often a process is killed before. */
const STEPS = inForm({ short: 1, full: 6 });
const KILLS = inForm({ short: 1, full: 12 });
const CONNECTIONS = 5;
const RATE = { limit: inForm({ short: 60, full: 300 }), windowMs: 1000 };
const TIMEOUT = inForm({ short: 60_000, full: 240_000 });
const HOUR_MS = 3_600_000;
const people = Array.from({ length: MAILS }, (_, index) => `r${index}@example.com`);

interface World {
  readonly smtp: RemoteSmtp;
  readonly settings: RelaySettings;
  start(): Promise<RemoteRelay>;
  /** By one to three hours more. */
  setClockBack(): void;
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
  let hours = 0;
  setClock(0);
  const settings: RelaySettings = {
    store: join(folder, 'relay.db'),
    smtp: { port: smtp.port, connections: CONNECTIONS },
    rate: `${RATE.limit}/s`,
    queue: { leaseMs: 1000, retryFirstMs: 500, retryMaxMs: 500 },
  };
  const preload = [`--import=${new URL('./support/clock.ts', import.meta.url).href}`];
  const setClockBack = (): void => {
    hours += between(1, 3);
    setClock(-hours * HOUR_MS);
  };
  return { smtp, settings, setClockBack, start: () => remoteRelay(settings, preload, { MAIL_RELAY_CLOCK: clock }) };
}

const hand = (relay: RemoteRelay): Promise<unknown> =>
  relay.sendMany(people, { subject: 'Hello', text: 'Hello', campaign: 'clock' });

/** Waits until the server took some more, of which there are enough for so many turns. */
async function progress(smtp: RemoteSmtp, turns: number): Promise<void> {
  const goal = Math.min(MAILS * 0.9, arrivals(smtp).size + between(1, Math.floor((MAILS * 0.9) / turns)));
  await expect.poll(() => arrivals(smtp).size, { timeout: TIMEOUT / 3, interval: 10 }).toBeGreaterThanOrEqual(goal);
}

/** Everything arrives, long before the clock shows again what it showed. */
async function expectTruth({ smtp, settings }: World, allowed: ReadonlyMap<string, number>): Promise<Account> {
  const reader = readerOf(settings.store);
  await expect
    .poll(async () => (await reader.reports.campaign('clock')).sent, { timeout: TIMEOUT / 2, interval: 50 })
    .toBe(MAILS);
  expectAllArrived(smtp, people);
  const again = expectDuplicatesWithin(smtp, allowed);
  const account = await expectReportIsTrue(reader, 'clock', MAILS);
  const shift = ({ startedAt, seenAt }: { startedAt: number; seenAt: number }): number =>
    Math.round((seenAt - startedAt) / HOUR_MS) * HOUR_MS;
  const windows = expectRateHeld(smtp, account, RATE, shift);
  if (inForm({ short: false, full: true })) expectRateUsed(windows, RATE);
  console.info({ again, ...windows });
  return account;
}

describe('a clock that goes back by hours', () => {
  it('in the middle of sending holds up no mail, repeats none, and leaves the rate as it is', {
    timeout: TIMEOUT,
  }, async () => {
    const all = await world();
    const relay = await all.start();
    await hand(relay);
    for (let step = 0; step < STEPS; step++) {
      await progress(all.smtp, STEPS);
      all.setClockBack();
    }
    await expectTruth(all, new Map());
  });

  it('while mail waits to be tried again does not make it wait longer', { timeout: TIMEOUT }, async () => {
    const all = await world();
    const relay = await all.start();
    await hand(relay);
    const reader = readerOf(all.settings.store);
    const deferrals = async (): Promise<number> => (await reader.reports.campaign('clock')).deferrals;
    for (let step = 0; step < STEPS; step++) {
      if (step > 0) await progress(all.smtp, STEPS);
      const before = await deferrals();
      await all.smtp.behave('later');
      await expect.poll(deferrals, { timeout: 20_000 }).toBeGreaterThan(before + 10);
      all.setClockBack();
      await all.smtp.behave('well');
    }
    expectDeferralsAreTrue(all.smtp, await expectTruth(all, new Map()));
  });

  it('while nobody runs: the next process sends all, what the dead ones had as well', {
    timeout: TIMEOUT,
  }, async () => {
    const all = await world();
    let relay = await all.start();
    await hand(relay);
    const held: string[] = [];
    let since = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await progress(all.smtp, KILLS);
      await relay.kill();
      held.push(
        ...expectFewOnTheWay(all.settings.store, all.smtp, { since, connections: CONNECTIONS, limit: RATE.limit }),
      );
      since = all.smtp.seen().length;
      all.setClockBack();
      relay = await all.start();
    }
    await expectTruth(all, countBy(held));
  });
});
