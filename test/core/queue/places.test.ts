import { describe, expect, it } from 'vitest';
import { type MailRelay, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { slowServer } from '../../support/smtp.ts';

const mail = { subject: 'Hi', text: 'Hello' } as const;
const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}@example.com`);

function relayTo(port: number, route: Parameters<typeof smtp>[1] = {}): MailRelay {
  return relayWith({ routes: [smtp({ host: '127.0.0.1', port }, { name: 'out', ...route })] });
}

describe('a lane of a route', () => {
  it('says how much it sends at once, over which connections, and who says so', async () => {
    const inbox = await slowServer();
    const relay = relayTo(inbox.port);
    await relay.sendMany(people(30), { ...mail, campaign: 'c' });
    // One is kept free for transactional mail.
    await expect.poll(inbox.waiting).toBe(4);
    const full = [
      { kind: 'concurrency', text: '10 at once', by: 'default', most: 10, used: 10 },
      { kind: 'connections', text: '5 connections', by: 'default', most: 5, used: 4 },
    ];
    await expect
      .poll(async () => relay.lanes.list({ stream: 'broadcast' }))
      .toMatchObject([{ limits: full, readyAt: undefined }]);
    await relay.lanes.pause('out');
    const { id } = await relay.send({ ...mail, to: 'ada@example.com' });
    const [lane] = await relay.lanes.list({ stream: 'transactional' });
    expect(lane?.limits).toEqual([{ ...full[0], used: 0 }, full[1]]);
    expect((await relay.messages.explain(id)).limits).toEqual(lane?.limits);
    inbox.release();
  });

  it.each([
    [{ concurrency: 7 }, { connections: 2 }, ['7 at once', 'route', '2 connections', 'route']],
    [{}, { connections: 1 }, ['2 at once', 'route', '1 connection', 'route']],
    [{ concurrency: 3 }, {}, ['3 at once', 'route', '5 connections', 'default']],
  ])('says what the options %o and %o set', async (options, server, expected) => {
    const relay = relayWith({
      routes: [smtp({ host: '127.0.0.1', port: 1, ...server }, { name: 'out', ...options })],
      queue: { deliver: false },
    });
    await relay.send({ ...mail, to: 'ada@example.com' });
    const [lane] = await relay.lanes.list();
    expect(lane?.limits.flatMap(({ text, by }) => [text, by])).toEqual(expected);
  });

  it('explains that it has as many on their way as it sends at once', async () => {
    const inbox = await slowServer();
    const relay = relayTo(inbox.port, { concurrency: 1, rate: '1000/s' });
    await relay.sendMany(people(200), { ...mail, campaign: 'c' });
    await expect.poll(inbox.waiting).toBe(1);
    const [waiting] = (await relay.messages.list({ state: 'queued' })).items;
    const { reasons } = await relay.messages.explain(waiting?.id ?? '');
    expect(reasons).toMatchObject([
      { kind: 'queue', text: expect.stringContaining('; the route sends 1 at once, and has') },
    ]);
    inbox.release();
  });
});
