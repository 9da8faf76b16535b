import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MailRelay, smtp } from '../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { PAIRS } from './support/garbage.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';
import type { Mode } from './support/smtp-log.ts';
import { arrivals, expectAllArrived, expectDuplicatesWithin, expectReportIsTrue } from './support/truth.ts';
import { expectRateHeld } from './support/windows.ts';

const MAILS = inForm({ short: 40, full: 5000 });
const TURNS = inForm({ short: 1, full: 10 });
const TIMEOUT = inForm({ short: 60_000, full: 300_000 });
const RATE = { limit: inForm({ short: 100, full: 400 }), windowMs: 1000 };
const CONNECTIONS = 5;
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

/** Waits until the server took some more, or all. */
async function progress(server: RemoteSmtp): Promise<void> {
  // It may refuse a fifth.
  const goal = Math.min(MAILS * 0.8, arrivals(server).size + between(1, Math.floor((MAILS * 0.7) / TURNS)));
  await expect.poll(() => arrivals(server).size, { timeout: TIMEOUT / 3, interval: 5 }).toBeGreaterThanOrEqual(goal);
}

/** Everything arrives once the server is well; a mail arrives again only where its attempt ended with nobody knowing. */
async function settle({ relay, server }: Awaited<ReturnType<typeof sending>>, unanswered: number): Promise<void> {
  await expect
    .poll(async () => (await relay.reports.campaign(CAMPAIGN)).sent, { timeout: TIMEOUT - 20_000, interval: 50 })
    .toBe(MAILS);
  expectAllArrived(server, people);
  const account = await expectReportIsTrue(relay, CAMPAIGN, MAILS);
  const unknown = [...account.events].map(([to, events]): [string, number] => [
    to,
    events.filter((event) => event.type === 'deferred' && /^(?:unknown|timeout|network)$/.test(event.reason)).length,
  ]);
  const again = expectDuplicatesWithin(server, new Map(unknown));
  expect(again).toBeLessThanOrEqual(unanswered);
  console.info({ again, unanswered, ...expectRateHeld(server, account, RATE) });
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
      await feel(relay, 5);
      await server.revive();
    }
    await settle({ relay, server }, TURNS * CONNECTIONS);
  });

  it('hangs costs no mail, and repeats none but those it had not answered', { timeout: TIMEOUT }, async () => {
    const { relay, server } = await sending();
    for (let turn = 0; turn < TURNS; turn++) {
      await progress(server);
      server.freeze();
      await feel(relay, CONNECTIONS);
      server.thaw();
    }
    await settle({ relay, server }, TURNS * CONNECTIONS);
  });

  /**
   * Failures to wait for. Where connections break, no more may come: a route that fails three mails rests. All garbage is to be
   * said at each step; the first failures are those of connections that ended before.
   */
  const felt = (mode: Mode): number =>
    mode === 'garbage' ? Math.ceil(PAIRS / TURNS) + CONNECTIONS : /^(?:busy|drop-before)$/.test(mode) ? 3 : 10;
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
        await feel(relay, felt(mode));
        await server.behave('well');
      }
      // Going from one behaviour to another ends connections, with what was on them.
      await settle({ relay, server }, 2 * TURNS * CONNECTIONS);
    });
  }

  it('breaks off after DATA, with the mail taken, gets each again with its Message-ID', {
    timeout: TIMEOUT,
  }, async () => {
    const { relay, server } = await sending();
    for (let turn = 0; turn < TURNS; turn++) {
      await progress(server);
      await server.behave('drop-after');
      await feel(relay, 10);
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
    console.info({ refused: said.length, ...expectRateHeld(server, account, RATE) });
  });
});
