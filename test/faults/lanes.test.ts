import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMailRelay, type MailRelay, type MailRelayOptions, smtp } from '../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../support/relay.ts';
import { between, inForm } from './support/form.ts';
import { remoteRelay } from './support/relay.ts';
import { type RemoteSmtp, remoteSmtp } from './support/smtp.ts';

/** So much broadcast mail waits at each moment, at least; and so much is there at first. */
const WAITING = inForm({ short: 10_000, full: 100_000 });
const BROADCAST = inForm({ short: 14_000, full: 115_000 });
const RESETS = inForm({ short: 20, full: 100 });
/** Of a second series. */
const AGAIN = 20;
/** Before and after the death of another process. */
const BESIDE = inForm({ short: 3, full: 25 });
const TIMEOUT = inForm({ short: 60_000, full: 180_000 });
const CONNECTIONS = 5;
/** Mails a second, where there is a rate. */
const LIMIT = 80;
const folder = mkdtempSync(join(tmpdir(), 'mail-relay-lanes-'));
const store = join(folder, 'relay.db');

async function* people(): AsyncGenerator<string> {
  for (let index = 0; index < BROADCAST; index++) yield `b${index}@example.com`;
}

beforeAll(async () => {
  const options: MailRelayOptions = {
    from: 'App <app@example.com>',
    secret: 'a secret of enough length',
    store,
    routes: [smtp({ host: '127.0.0.1', port: 1 }, { name: 'out' })],
    queue: { deliver: false },
  };
  const relay = createMailRelay(options);
  await relay.sendMany(people(), { subject: 'News', text: 'News', campaign: 'news' });
  await relay.stop();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Busy {
  readonly relay: MailRelay;
  readonly server: RemoteSmtp;
}

async function busyRelay(rate: string | undefined): Promise<Busy> {
  const server = await remoteSmtp(scratchFolder());
  const route = { name: 'out', ...(rate === undefined ? {} : { rate }) };
  const relay = relayWith({
    store,
    routes: [smtp({ host: '127.0.0.1', port: server.port, connections: CONNECTIONS }, route)],
  });
  await relay.start();
  return { relay, server };
}

/**
 * Sends transactional mails at any moments; answers how many broadcast mails began between the answer to each and its turn.
 * Enough broadcast mail waits all the time.
 */
async function overtaking({ relay, server }: Busy, name = 'reset', mails = RESETS): Promise<number[]> {
  const begun = (): number => server.of('begun').length;
  const resets = Array.from({ length: mails }, (_, index) => `${name}${index}@example.com`);
  // From the answer: what the disk takes until then is not the lane's.
  const acceptedAt = new Map<string, number>();
  for (const to of resets) {
    const goal = begun() + between(1, 40);
    await expect.poll(begun, { timeout: TIMEOUT / 3, interval: 1 }).toBeGreaterThanOrEqual(goal);
    await relay.send({ to, subject: 'Reset', text: 'Reset' });
    acceptedAt.set(to, Date.now());
    expect((await relay.reports.campaign('news')).pending).toBeGreaterThanOrEqual(WAITING);
  }
  const arrived = (): unknown[] => resets.filter((to) => !server.of('begun').some((seen) => seen.to === to));
  await expect.poll(arrived, { timeout: TIMEOUT / 3, interval: 10 }).toEqual([]);
  const all = server.of('begun');
  const counts = resets.map((to) => {
    const own = all.findIndex((seen) => seen.to === to);
    return all.slice(0, own).filter((seen) => seen.to.startsWith('b') && seen.at > (acceptedAt.get(to) as number))
      .length;
  });
  console.info({ overtaking: counts, pending: (await relay.reports.campaign('news')).pending });
  return counts;
}

/** The count that this share of them does not exceed. */
function usual(counts: readonly number[], share: number): number {
  return counts.toSorted((one, other) => one - other)[Math.ceil(counts.length * share) - 1] as number;
}

/** The same; where nine of ten were not as early as that, a second series decides: others may have had the machine. */
async function overtakingAtMost(usually: number, busy: Busy): Promise<number[]> {
  const counts = await overtaking(busy);
  return usual(counts, 0.9) <= usually ? counts : overtaking(busy, 'again', AGAIN);
}

describe(`a transactional mail, while ${WAITING} broadcast mails wait,`, () => {
  it('goes with the next slot of a rate that broadcast mail uses up', { timeout: TIMEOUT }, async () => {
    const counts = await overtakingAtMost(LIMIT / 16, await busyRelay(`${LIMIT}/s`));
    // What was claimed before: no more than a slice of the window, as `turns.test.ts` has it; and one more while a machine that
    // is busy lets it wait.
    expect(usual(counts, 0.95)).toBeLessThanOrEqual(LIMIT / 8);
    expect(Math.max(...counts)).toBeLessThanOrEqual((2 * LIMIT) / 8);
    // As a rule the slice is used up, and the next one is its own.
    expect(usual(counts, 0.9)).toBeLessThanOrEqual(LIMIT / 16);
  });

  it('goes with the next turn of the connections where there is no rate', { timeout: TIMEOUT }, async () => {
    const counts = await overtakingAtMost(2 * CONNECTIONS, await busyRelay(undefined));
    // It does not wait for what is claimed: at most each connection takes a few more, while this one is claimed on a slow disk
    // (nothing bounds what a machine that is busy lets pass now and then); as a rule, what is on the connections of broadcast
    // mail ends, and waits for the next turn.
    expect(usual(counts, 0.95)).toBeLessThanOrEqual(4 * CONNECTIONS);
    expect(usual(counts, 0.9)).toBeLessThanOrEqual(2 * CONNECTIONS);
    expect(usual(counts, 0.5)).toBeLessThanOrEqual(CONNECTIONS);
  });

  it.for(inForm({ short: [`${LIMIT}/s`], full: [`${LIMIT}/s`, undefined] }))(
    'goes next also with another process on the file, which dies and starts again (rate: %s)',
    { timeout: TIMEOUT },
    async (rate) => {
      const busy = await busyRelay(rate);
      const settings = { store, smtp: { port: busy.server.port, connections: CONNECTIONS }, ...(rate ? { rate } : {}) };
      const other = await remoteRelay(settings);
      const before = await overtaking(busy, 'before', BESIDE);
      await other.kill();
      await remoteRelay(settings);
      const counts = [...before, ...(await overtaking(busy, 'after', BESIDE))];
      // The other one may have claimed a slice as well. Where nothing bounds it, it goes on while a machine that is busy lets
      // the one with the transactional mail wait.
      if (rate !== undefined) expect(Math.max(...counts)).toBeLessThanOrEqual((2 * LIMIT) / 8);
      // Of ten mails these two say little.
      if (inForm({ short: true, full: false })) return;
      expect(usual(counts, 0.9)).toBeLessThanOrEqual(rate === undefined ? 4 * CONNECTIONS : LIMIT / 8);
      expect(usual(counts, 0.5)).toBeLessThanOrEqual(rate === undefined ? 2 * CONNECTIONS : LIMIT / 16);
    },
  );
});
