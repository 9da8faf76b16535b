import { describe, expect, it } from 'vitest';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';
import { HOUR, kitWith, MINUTE, SECOND, START, statesOf } from './support.ts';

const mail = { to: 'ada@example.com', subject: 'Hello', text: 'Hello Ada' };

describe("a test's clock", () => {
  it('stands still until the test moves it', async () => {
    const { relay, inbox, clock } = await kitWith();
    const { id } = await relay.send(mail);
    await inbox.last();
    expect((await relay.messages.get(id))?.acceptedAt).toEqual(START);
    await clock.advance(HOUR);
    expect(clock.now()).toBe(START.getTime() + HOUR);
  });

  it('sends scheduled mail at its time, not before', async () => {
    const { relay, inbox, clock } = await kitWith();
    await relay.send({ ...mail, sendAt: new Date(START.getTime() + HOUR) });
    await clock.advance(HOUR - 1);
    expect(await inbox.all()).toEqual([]);
    await clock.advance(1);
    expect(await inbox.all()).toHaveLength(1);
  });

  it('tries again by the retry schedule, each attempt at its time', async () => {
    const kit = await kitWith({ queue: { retryFirstMs: MINUTE } });
    const { relay, clock } = kit;
    const at: number[] = [];
    relay.on('deferred', (event) => void at.push(event.at.getTime() - START.getTime()));
    const { id } = await relay.send({ ...mail, to: 'down@simulator.example' });
    await relay.when(id, 'deferred');
    await clock.advance(9 * MINUTE);
    // A wait varies by a fifth: the fourth attempt comes between 5.6 and 8.4 minutes, the fifth after 12.
    expect(at).toHaveLength(4);
    expect((at[1] ?? 0) / MINUTE).toBeCloseTo(1, 0);
    expect(((at[3] ?? 0) - (at[2] ?? 0)) / MINUTE).toBeGreaterThan(3);
    await clock.advance(6 * 24 * HOUR);
    expect(await statesOf(kit, id)).toEqual({ 'down@simulator.example': 'failed' });
  });

  it('waits for the next probe of a route that does not work', async () => {
    let up = false;
    const routes = [scripted('out', () => (up ? SAID.sent : SAID.down))];
    const { relay, clock, waiting } = clockedRelay({ routes });
    for (let number = 0; number < 5; number++) await relay.send({ ...mail, to: `reader${number}@example.com` });
    await waiting.settled();
    const breaker = (await relay.health()).breakers.out;
    expect(breaker).toMatchObject({ state: 'open', probeAt: expect.any(Number) });
    expect(await relay.lanes.list()).toMatchObject([{ waiting: 5, readyAt: breaker?.probeAt }]);
    up = true;
    await clock.advance(2 * MINUTE);
    expect(await relay.lanes.list()).toMatchObject([{ waiting: 0 }]);
    const { items } = await relay.messages.list();
    expect(items.map(({ state }) => state)).toEqual(Array(5).fill('sent'));
  });

  it('dates what readers do', async () => {
    const { relay, inbox, clock, unsubscribe } = await kitWith();
    await relay.send({ ...mail, stream: 'broadcast' });
    await unsubscribe(await inbox.last(), { afterMs: HOUR });
    expect((await relay.suppressions.list()).items).toMatchObject([{ since: new Date(START.getTime() + HOUR) }]);
    expect(clock.now()).toBe(START.getTime() + HOUR);
  });

  it('takes moves one after the other, and none back', async () => {
    const { clock } = await kitWith();
    await Promise.all([clock.advance(SECOND), clock.advance(SECOND)]);
    expect(clock.now()).toBe(START.getTime() + 2 * SECOND);
    await clock.advanceTo(new Date(START.getTime() + HOUR));
    await expect(clock.advanceTo(START)).rejects.toThrow(/after 2027-03-01T10:00:00.000Z/);
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
  });

  it('needs an engine in the same thread', async () => {
    const { createMailRelay } = await import('@mailrelay/core');
    const { clock } = await kitWith();
    expect(() => createMailRelay({ clock })).toThrow(/clock` needs `thread: false/);
  });
});
