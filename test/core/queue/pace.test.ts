import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { capture, type LaneView, type MailRelay } from '../../../packages/core/src/index.ts';
import { createPaces } from '../../../packages/core/src/queue/pace.ts';
import { relayWith } from '../../support/relay.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const mail = { subject: 'Hi', text: 'Hello' };
const people = (count: number, domain = 'example.com') =>
  Array.from({ length: count }, (_, number) => `reader${number}@${domain}`);

/** By stream and site. */
async function pacesOf(relay: MailRelay): Promise<Record<string, number | undefined>> {
  const nameOf = ({ stream, site }: LaneView) => (site === undefined ? stream : `${stream} ${site}`);
  return Object.fromEntries((await relay.lanes.list()).map((lane) => [nameOf(lane), lane.startedLastMinute]));
}

describe('how fast a lane goes', () => {
  it('is what began to go out in the last minute, without any rate', async () => {
    const { relay, clock, waiting } = clockedRelay({ routes: [scripted('out', () => SAID.sent)] });
    await relay.send({ ...mail, to: people(3) });
    await relay.send({ ...mail, to: people(1), stream: 'broadcast' });
    await waiting.settled();
    expect(await pacesOf(relay)).toEqual({ transactional: 3, broadcast: 1 });
    await clock.advance(30 * SECOND);
    await relay.send({ ...mail, to: people(2) });
    await waiting.settled();
    expect(await pacesOf(relay)).toEqual({ transactional: 5, broadcast: 1 });
    await clock.advance(30 * SECOND);
    expect(await pacesOf(relay)).toEqual({ transactional: 2, broadcast: 0 });
    await clock.advance(30 * SECOND);
    expect(await pacesOf(relay)).toEqual({ transactional: 0, broadcast: 0 });
  });

  it('has each try, and none of what did not go out', async () => {
    const { relay, clock, waiting } = clockedRelay({
      routes: [scripted('out', () => ({ ...SAID.greylisted, reason: 'other' }))],
      queue: { retryFirstMs: 10 * SECOND },
    });
    await relay.suppressions.add('reader1@example.com', { reason: 'manual' });
    await relay.send({ ...mail, to: people(2) });
    await waiting.settled();
    expect(await pacesOf(relay)).toEqual({ transactional: 1 });
    // A wait varies by a fifth: the second try comes after 8 to 12 s, the third not before 24.
    await clock.advance(15 * SECOND);
    expect(await pacesOf(relay)).toEqual({ transactional: 2 });
  });

  it('is of a site, too, and of the route as a whole where it has sites', async () => {
    const { relay, clock, waiting } = clockedRelay({
      routes: [capture({ name: 'out', shaping: true, rate: '100/s' })],
    });
    await relay.send({ ...mail, to: [...people(4, 'gmail.com'), ...people(3, 'example.com')] });
    await waiting.settled();
    // Lanes of sites without mail are listed where they are paused.
    for (const site of ['google', 'other', 'yahoo']) await relay.lanes.pause('out', { site, stream: 'transactional' });
    const before = { transactional: 7, 'transactional google': 4, 'transactional other': 3, 'transactional yahoo': 0 };
    expect(await pacesOf(relay)).toEqual(before);
    await clock.advance(MINUTE);
    expect(new Set(Object.values(await pacesOf(relay)))).toEqual(new Set([0]));
  });

  it('is unknown to a process that does not deliver', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    await relay.send({ ...mail, to: people(1) });
    expect(await pacesOf(relay)).toEqual({ transactional: undefined });
  });
});

describe('the counts', () => {
  const KEY = { route: 'out', stream: 'transactional' } as const;

  function counting(now: number) {
    const clock = { at: now, now: () => clock.at };
    return { clock, paces: createPaces([{ key: KEY }], clock) };
  }

  it('are of 55 to 60 seconds, at whatever time they begin', () => {
    for (const start of [0, 4_999, 5_000, 1_767_225_600_000, 1_767_225_603_210]) {
      const { clock, paces } = counting(start);
      for (let second = 0; second < 200; second++) {
        paces.note(KEY, undefined);
        const seconds = Math.min(second + 1, 60);
        const counted = paces.lastMinute(KEY) ?? 0;
        expect(counted).toBeLessThanOrEqual(seconds);
        expect(counted).toBeGreaterThanOrEqual(Math.min(second + 1, 55));
        clock.at += SECOND;
      }
      clock.at += MINUTE;
      expect(paces.lastMinute(KEY)).toBe(0);
    }
  });

  it('go on after a clock that was set back, and stay no longer than a minute', () => {
    for (const back of [SECOND, 30 * SECOND, MINUTE, DAY]) {
      const { clock, paces } = counting(10 * DAY);
      paces.note(KEY, 'google');
      clock.at -= back;
      paces.note(KEY, 'google');
      expect(paces.lastMinute({ ...KEY, site: 'google' })).toBe(back < MINUTE ? 2 : 1);
      clock.at += back + MINUTE;
      expect(paces.lastMinute({ ...KEY, site: 'google' })).toBe(0);
    }
  });

  it('of ten thousand sites an hour, others each hour for days, keep nothing', () => {
    const { clock, paces } = counting(10 * DAY);
    const hours = (count: number) => {
      for (let hour = 0; hour < count; hour++) {
        for (let site = 0; site < 10_000; site++) paces.note(KEY, `site${clock.at}-${site}.example`);
        clock.at += 60 * MINUTE;
      }
    };
    hours(3);
    const before = memory();
    hours(72);
    // 720,000 names of sites would be 50 MB and more.
    expect(memory() - before).toBeLessThan(5_000_000);
    expect(paces.lastMinute(KEY)).toBe(0);
  });
});

/** What is in use after a collection, bytes. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
