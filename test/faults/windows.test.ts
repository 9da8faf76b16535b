import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { inForm } from './support/form.ts';
import { checkProperty } from './support/property.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import { remoteSmtp } from './support/smtp.ts';
import {
  countBy,
  expectAllArrived,
  expectDuplicatesWithin,
  expectReportIsTrue,
  onTheWay,
  readerOf,
} from './support/truth.ts';
import { expectRateHeld, expectRateUsed } from './support/windows.ts';

const TIMEOUT = inForm({ short: 60_000, full: 480_000 });
const RUNS = inForm({ short: 1, full: 8 });
/** What a run sends takes about so many windows. */
const WINDOWS = inForm({ short: 3, full: 8 });

const plan = fc.record({
  limit: fc.integer({ min: 20, max: inForm({ short: 60, full: 300 }) }),
  connections: fc.integer({ min: 1, max: 8 }),
  /** Which of the two processes ends, how, and after which share of the mails. */
  ends: fc.array(
    fc.record({
      process: fc.nat({ max: 1 }),
      kill: inForm({ short: fc.constant(true), full: fc.boolean() }),
      share: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
    }),
    { minLength: 1, maxLength: inForm({ short: 1, full: 6 }) },
  ),
});

describe('a rate on the real clock', () => {
  it('holds at the server over two processes on one file, of which one or the other ends', {
    timeout: TIMEOUT,
  }, async () => {
    await checkProperty(
      fc.asyncProperty(plan, async ({ limit, connections, ends }) => {
        const folder = scratchFolder();
        const smtp = await remoteSmtp(folder);
        const settings = {
          store: join(folder, 'relay.db'),
          smtp: { port: smtp.port, connections },
          rate: `${limit}/s`,
          // Long enough that a process that gets no time for a while keeps what it has.
          queue: { leaseMs: 4000 },
        };
        const people = Array.from({ length: limit * WINDOWS }, (_, index) => `r${index}@example.com`);
        const processes: RemoteRelay[] = await Promise.all([remoteRelay(settings), remoteRelay(settings)]);
        const mail = { subject: 'Hello', text: 'Hello', campaign: 'rates' };
        // Half by each stream, which share the rate.
        await processes[0]?.sendMany(people.slice(people.length / 2), mail);
        await processes[1]?.sendMany(people.slice(0, people.length / 2), { ...mail, stream: 'transactional' });
        const held: string[] = [];
        for (const { process, kill, share } of ends.toSorted((one, other) => one.share - other.share)) {
          await expect
            .poll(() => smtp.of('begun').length, { timeout: TIMEOUT / 3, interval: 5 })
            .toBeGreaterThanOrEqual(people.length * share);
          const ending = processes[process] as RemoteRelay;
          if (kill) {
            await ending.kill();
            // The other one has some on its way at this moment, too.
            held.push(...onTheWay(settings.store, smtp));
          } else await ending.stop({ timeoutMs: 5000 });
          processes[process] = await remoteRelay(settings);
        }
        const reader = readerOf(settings.store);
        await expect
          .poll(async () => (await reader.reports.campaign('rates')).sent, { timeout: TIMEOUT / 2, interval: 50 })
          .toBe(people.length);
        expectAllArrived(smtp, people);
        const again = expectDuplicatesWithin(smtp, countBy(held));
        const account = await expectReportIsTrue(reader, 'rates', people.length);
        const rate = { limit, windowMs: 1000 };
        const busiest = expectRateHeld(smtp, account, rate);
        console.info({ limit, connections, again, ...busiest });
        expectRateUsed(busiest, rate);
        await Promise.all(processes.map((one) => one.kill()));
        await reader.stop();
      }),
      { runs: RUNS, timeLimitMs: TIMEOUT / 2 },
    );
  });
});
