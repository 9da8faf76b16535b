import { beforeEach, describe, expect, it } from 'vitest';
import { capture, type MailRelay } from '../../../packages/core/src/index.ts';
import { awayFromMidnight } from '../../support/midnight.ts';
import { relayWith } from '../../support/relay.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';

const mail = { subject: 'Hi', text: 'Hello' } as const;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const dayAfter = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

/** Sends broadcast mail, until so many are sent; answers the id of one that waits. */
async function newsletter(relay: MailRelay, { sent, to = 'example.org' }: { sent: number; to?: string }) {
  const people = Array.from({ length: sent + 2 }, (_, number) => `reader${number}@${to}`);
  const { id } = await relay.send({ ...mail, to: people, stream: 'broadcast' });
  const inState = async (state: 'sent' | 'queued') => (await relay.messages.list({ message: id, state })).items;
  await expect.poll(async () => (await inState('sent')).length).toBe(sent);
  const [waiting] = await inState('queued');
  return waiting?.id ?? '';
}

describe('broadcast mail that has had its share', () => {
  beforeEach(awayFromMidnight);

  it('of a rate waits for the rate, though what is kept for transactional mail is free', async () => {
    const relay = relayWith({ routes: [capture({ name: 'out', rate: '20/day' })] });
    const { reasons, nextAt } = await relay.messages.explain(await newsletter(relay, { sent: 19 }));
    expect(reasons).toMatchObject([{ kind: 'rate', text: expect.stringContaining('20/day') }]);
    expect(nextAt?.getTime()).toBeGreaterThan(Date.now() + 23 * HOUR);
    const [news] = await relay.lanes.list({ stream: 'broadcast' });
    expect(news?.limits[0]).toEqual({ kind: 'rate', text: '20/day', by: 'route', most: 19, used: 19 });
    expect(news?.readyAt).toBeGreaterThan(Date.now() + 23 * HOUR);
    const { id } = await relay.send({ ...mail, to: 'ada@example.org' });
    await expect.poll(async () => (await relay.messages.explain(id)).state).toBe('sent');
  });

  it('of a day of a warm-up waits for the next', async () => {
    const relay = relayWith({ routes: [capture({ name: 'out', warmUp: { from: dayAfter(0), days: [20, 40] } })] });
    const { reasons, nextAt } = await relay.messages.explain(await newsletter(relay, { sent: 19 }));
    expect(reasons).toMatchObject([{ kind: 'warm-up', until: nextAt }]);
    expect((nextAt?.getTime() ?? 1) % DAY).toBe(0);
  });

  it('of a day of a warm-up of its receiver waits for the next', async () => {
    const warmUp = { from: dayAfter(0), perSite: { laposte: [20, 40] } };
    const relay = relayWith({ routes: [capture({ name: 'out', warmUp, shaping: true })] });
    const waiting = await newsletter(relay, { sent: 19, to: 'laposte.net' });
    const { reasons, nextAt } = await relay.messages.explain(waiting);
    expect(reasons).toMatchObject([{ kind: 'warm-up', text: expect.stringMatching(/laposte has had its .*20 on/) }]);
    expect((nextAt?.getTime() ?? 1) % DAY).toBe(0);
  });
});

describe('mail for a route that is full', () => {
  it('is told the first day of a warm-up that has not begun', async () => {
    const from = dayAfter(9);
    const relay = relayWith({ routes: [capture({ name: 'out', warmUp: { from } })] });
    const { id } = await relay.send({ ...mail, to: 'ada@example.org' });
    await expect
      .poll(async () => (await relay.messages.explain(id)).nextAt?.getTime())
      .toBe(Date.parse(`${from}T00:00:00Z`));
  });

  it('is told the last of the times of all limits that are full, and these alone', async () => {
    const out = scripted('out', () => SAID.sent, { rate: ['1/h', '9/day'] });
    const warmUp = { from: '2026-03-02', days: [1, 5] };
    const { relay } = clockedRelay({ routes: [{ ...out, warmUp }] }, Date.parse('2026-03-02T23:50:00Z'));
    const { id } = await relay.send({ ...mail, to: ['ada@example.org', 'bob@example.org'] });
    await expect.poll(async () => (await relay.messages.list({ message: id, state: 'sent' })).items.length).toBe(1);
    const { reasons, nextAt } = await relay.messages.explain(id);
    expect(reasons).toMatchObject([
      { kind: 'warm-up', text: expect.stringContaining('its 1/h and 1 on 2026-03-02 (warm-up), and has room') },
    ]);
    expect(nextAt?.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-03-03T00:50:00Z'));
  });
});
