import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MailRelay, smtp } from '../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { PAIRS } from './support/garbage.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import type { Mode } from './support/smtp-log.ts';
import {
  type Account,
  arrivals,
  expectAllArrived,
  expectDeferralsAreTrue,
  expectDuplicatesWithin,
  expectReportIsTrue,
  unansweredOf,
} from './support/truth.ts';
import { expectRateHeld, expectRateUsed } from './support/windows.ts';

const MAILS = inForm({ short: 40, full: 5000 });
const TURNS = inForm({ short: 1, full: 10 });
const TIMEOUT = inForm({ short: 60_000, full: 300_000 });
const RATE = { limit: inForm({ short: 20, full: 400 }), windowMs: 1000 };
const CONNECTIONS = 5;
/** Failures to wait for: a route that fails three mails in a row rests, and no more may come. */
const FAILURES = 3;
const SILENCE_MS = inForm({ short: 1000, full: 2000 });
/** The file of a relay is its own; all relays of this file share a campaign name. */
const CAMPAIGN = 'faults';

const people = Array.from({ length: MAILS }, (_, index) => `r${index}@example.com`);
/** The same with some that the server refuses for good: the address, or the mail. */
const REFUSED: Readonly<Record<number, string>> = { 3: 'gone', 7: 'unwanted' };
const mixed = people.map((address, index) => (REFUSED[index % 10] ?? '') + address);

async function sending(to = people): Promise<{ readonly relay: MailRelay; readonly server: RemoteSmtp }> {
  const folder = scratchFolder();
  const server = await remoteSmtp(folder);
  // Longer than a machine that is busy with other things keeps a server that is well from answering.
  const timeouts = { connectionTimeoutMs: SILENCE_MS, greetingTimeoutMs: SILENCE_MS, socketTimeoutMs: SILENCE_MS };
  const route = smtp(
    { host: '127.0.0.1', port: server.port, connections: CONNECTIONS, ...timeouts },
    { name: 'out', rate: `${RATE.limit}/s` },
  );
  const relay = relayWith({
    store: join(folder, 'relay.db'),
    routes: [route],
    queue: { retryFirstMs: 200, retryMaxMs: 800 },
    logger: { debug() {}, info() {}, warn() {}, error: (...said) => console.error(...said) },
  });
  await relay.sendMany(to, { subject: 'Hello', text: 'Hello', campaign: CAMPAIGN });
  return { relay, server };
}

/** Waits until so many more deliveries were deferred: the fault has had its effect. */
async function feel(relay: MailRelay, deferrals: number): Promise<void> {
  const count = async (): Promise<number> => (await relay.reports.campaign(CAMPAIGN)).deferrals;
  const goal = (await count()) + deferrals;
  await expect.poll(count, { timeout: TIMEOUT / 3, interval: 10 }).toBeGreaterThanOrEqual(goal);
}

/** Waits until so many pairs of garbage and step were said, of which there are PAIRS. */
async function hear(server: RemoteSmtp, pairs: number): Promise<void> {
  await expect.poll(() => server.garbage(), { timeout: TIMEOUT / 2, interval: 20 }).toBeGreaterThanOrEqual(pairs);
}

/** Waits until the server took some more, or all. */
async function progress(server: RemoteSmtp): Promise<void> {
  // It may refuse a fifth; and enough has to be left for the fault, also where this machine stands still for a moment.
  const most = Math.floor((MAILS * inForm({ short: 0.4, full: 0.7 })) / TURNS);
  const goal = Math.min(MAILS * 0.8, arrivals(server).size + between(1, most));
  await expect.poll(() => arrivals(server).size, { timeout: TIMEOUT / 3, interval: 5 }).toBeGreaterThanOrEqual(goal);
}

/** Everything arrives once the server is well; a mail arrives again only where its attempt ended with nobody knowing. */
async function settle({ relay, server }: Awaited<ReturnType<typeof sending>>, unanswered: number): Promise<Account> {
  await expect
    .poll(async () => (await relay.reports.campaign(CAMPAIGN)).sent, { timeout: TIMEOUT - 20_000, interval: 50 })
    .toBe(MAILS);
  expectAllArrived(server, people);
  const account = await expectReportIsTrue(relay, CAMPAIGN, MAILS);
  const again = expectDuplicatesWithin(server, unansweredOf(account));
  expect(again).toBeLessThanOrEqual(unanswered);
  console.info({ again, unanswered, ...expectRate(server, account) });
  return account;
}

/** The rate holds; and it was used up where there is time for that. */
function expectRate(server: RemoteSmtp, account: Account): object {
  const windows = expectRateHeld(server, account, RATE);
  if (inForm({ short: false, full: true })) expectRateUsed(windows, RATE);
  return windows;
}

describe('a server that', () => {
  it('dies in the middle costs no mail, and repeats none but those it had not answered', {
    timeout: TIMEOUT,
  }, async () => {
    const { relay, server } = await sending();
    for (let turn = 0; turn < TURNS; turn++) {
      await progress(server);
      await server.die();
      // Nobody listens any more: connections are refused.
      await feel(relay, FAILURES);
      await server.revive();
    }
    await settle({ relay, server }, TURNS * CONNECTIONS);
  });

  it('hangs costs no mail, and repeats none but those it had not answered', { timeout: TIMEOUT }, async () => {
    const { relay, server } = await sending();
    for (let turn = 0; turn < TURNS; turn++) {
      await progress(server);
      server.freeze();
      await feel(relay, FAILURES);
      server.thaw();
    }
    await settle({ relay, server }, TURNS * CONNECTIONS);
  });

  const harmless: readonly (readonly [string, Mode])[] = [
    ['is too busy for connections', 'busy'],
    ['refuses recipients for now', 'later'],
    ['says nothing after DATA', 'hang'],
    ['breaks off in DATA', 'drop-before'],
    ['answers garbage', 'garbage'],
  ];
  for (const [title, mode] of harmless) {
    it(`${title} costs no mail, and repeats at most what was on its connections`, { timeout: TIMEOUT }, async () => {
      const { relay, server } = await sending();
      for (let turn = 0; turn < TURNS; turn++) {
        await progress(server);
        await server.behave(mode);
        // No route rests whose server does answer.
        await feel(relay, mode === 'later' ? 10 : FAILURES);
        if (mode === 'garbage') await hear(server, Math.ceil((PAIRS * (turn + 1)) / TURNS));
        await server.behave('well');
      }
      // Going from one behaviour to another ends connections, with what was on them.
      const account = await settle({ relay, server }, 2 * TURNS * CONNECTIONS);
      if (mode === 'later') expectDeferralsAreTrue(server, account);
    });
  }

  it('breaks off after DATA, with the mail taken, gets each again with its Message-ID', {
    timeout: TIMEOUT,
  }, async () => {
    const { relay, server } = await sending();
    for (let turn = 0; turn < TURNS; turn++) {
      await progress(server);
      await server.behave('drop-after');
      await feel(relay, FAILURES);
      await server.behave('well');
    }
    const unanswered = (): number => server.of('taken').length - server.of('answered').length;
    expect(unanswered()).toBeGreaterThan(0);
    await settle({ relay, server }, unanswered() + TURNS * CONNECTIONS);
  });

  it('refuses some for good has each of them asked once, and a report that counts them', {
    timeout: TIMEOUT,
  }, async () => {
    const { relay, server } = await sending(mixed);
    const gone = mixed.filter((to) => to.startsWith('gone'));
    const refused = mixed.filter((to) => /^(?:gone|unwanted)/.test(to));
    for (let turn = 0; turn < TURNS; turn++) {
      await progress(server);
      await server.behave('later');
      await feel(relay, 10);
      await server.behave('well');
    }
    await expect
      .poll(async () => (await relay.reports.campaign(CAMPAIGN)).pending, { timeout: TIMEOUT - 20_000, interval: 50 })
      .toBe(0);
    expectAllArrived(
      server,
      mixed.filter((to) => !refused.includes(to)),
    );
    expect(expectDuplicatesWithin(server, new Map())).toBe(0);
    const said = server.of('refused').map(({ to }) => to);
    expect(said.toSorted()).toEqual(refused.toSorted());
    const account = await expectReportIsTrue(relay, CAMPAIGN, MAILS, said);
    expect(await relay.reports.campaign(CAMPAIGN)).toMatchObject({ hardBounced: gone.length });
    const { items } = await relay.suppressions.list({ limit: 1000 });
    expect(items.map(({ address }) => address).sort()).toEqual(gone.toSorted());
    expectDeferralsAreTrue(server, account);
    console.info({ refused: said.length, ...expectRate(server, account) });
  });
});
