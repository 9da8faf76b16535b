import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { type RemoteRelay, remoteRelay } from './support/relay.ts';
import type { RelaySettings } from './support/relay-calls.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import {
  countBy,
  expectAllArrived,
  expectDuplicatesWithin,
  expectFewOnTheWay,
  expectReportIsTrue,
  inFlight,
  readerOf,
} from './support/truth.ts';
import { expectRateHeld, expectRateUsed } from './support/windows.ts';

const MAILS = inForm({ short: 200, full: 5000 });
const KILLS = inForm({ short: 3, full: 14 });
const TIMEOUT = inForm({ short: 60_000, full: 300_000 });
/** Calls of `send()` that wait for their answer at once. */
const AT_ONCE = 20;
const CONNECTIONS = 5;
const RATE = { limit: inForm({ short: 100, full: 200 }), windowMs: 1000 };

const bulk = Array.from({ length: MAILS / 2 }, (_, index) => `bulk${index}@example.com`);
const single = Array.from({ length: MAILS / 2 }, (_, index) => `single${index}@example.com`);

/** Hands everything in, as a host does that does not know what an earlier process had accepted. */
async function submit(relay: RemoteRelay, answered: Set<string>): Promise<void> {
  const mail = { subject: 'Hello', text: 'Hello' };
  const many = answered.has('bulk')
    ? Promise.resolve()
    : relay
        .sendMany(bulk, { ...mail, campaign: 'crash', idempotencyKey: 'bulk' })
        .then(() => void answered.add('bulk'));
  const singly = async (): Promise<void> => {
    const left = single.filter((address) => !answered.has(address));
    for (let at = 0; at < left.length; at += AT_ONCE) {
      await Promise.all(
        left.slice(at, at + AT_ONCE).map(async (to) => {
          await relay.send({ ...mail, to, campaign: 'crash', idempotencyKey: to });
          answered.add(to);
        }),
      );
    }
  };
  await Promise.all([many, singly()]);
}

/** Lets a relay run until the server has seen so much more, or all there is to see, and kills it. */
async function killAfter(more: number, relay: RemoteRelay, smtp: RemoteSmtp): Promise<void> {
  const goal = smtp.seen().length + more;
  await expect.poll(() => smtp.seen().length, { timeout: TIMEOUT / 3, interval: 5 }).toBeGreaterThanOrEqual(goal);
  await relay.kill();
}

describe('a process that is killed', () => {
  it(`loses none of ${MAILS} mails, however often, and repeats only what was in flight`, {
    timeout: TIMEOUT,
  }, async () => {
    const folder = scratchFolder();
    const smtp = await remoteSmtp(folder);
    const settings: RelaySettings = {
      store: join(folder, 'relay.db'),
      smtp: { port: smtp.port, connections: CONNECTIONS },
      rate: `${RATE.limit}/s`,
      queue: { leaseMs: 1000 },
    };
    const answered = new Set<string>();
    const held: string[] = [];
    let mostHeld = 0;
    // Three lines of the log for each mail: what is left after the kills is for the last process.
    const most = Math.floor((MAILS * 3 * 0.9) / KILLS);
    for (let kill = 0; kill < KILLS; kill++) {
      const since = smtp.seen().length;
      const relay = await remoteRelay(settings);
      // What is still handed in when the process dies is never answered, and handed in again.
      submit(relay, answered).catch(() => {});
      await killAfter(between(1, most), relay, smtp);
      const caught = expectFewOnTheWay(settings.store, smtp, { since, connections: CONNECTIONS, limit: RATE.limit });
      mostHeld = Math.max(mostHeld, caught.length);
      held.push(...caught);
    }
    const last = await remoteRelay(settings);
    await submit(last, answered);
    const reader = readerOf(settings.store);
    await expect
      .poll(async () => (await reader.reports.campaign('crash')).sent, { timeout: TIMEOUT - 10_000, interval: 100 })
      .toBe(MAILS);
    expectAllArrived(smtp, [...bulk, ...single]);
    const again = expectDuplicatesWithin(smtp, countBy(held));
    const account = await expectReportIsTrue(reader, 'crash', MAILS);
    const windows = expectRateHeld(smtp, account, RATE);
    console.info({ kills: KILLS, onTheirWay: held.length, mostHeld, again, ...windows });
    // Few kills may have found nothing on its way, and few mails do not use a rate up.
    expect(held.length, 'mails on their way at a kill').toBeGreaterThanOrEqual(inForm({ short: 0, full: 1 }));
    if (inForm({ short: false, full: true })) expectRateUsed(windows, RATE);
    expect(inFlight(settings.store)).toEqual([]);
    await last.stop();
  });
});
