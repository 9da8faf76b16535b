import { describe, expect, it } from 'vitest';
import { capture, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { politely, rawServer } from '../../support/smtp.ts';

const mail = { to: 'ada@example.org', subject: 'Hi', text: 'Hello' } as const;
const HOUR = 3_600_000;

/** A route of one connection to a server that answers MAIL and nothing before. */
const refusing = async (reply: string, rate?: string) => {
  const { port } = await rawServer(politely((line) => (/^RCPT/.test(line) ? reply : undefined)));
  return smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name: 'out', ...(rate === undefined ? {} : { rate }) });
};

describe('explain', () => {
  it('says that it was sent, with what was said', async () => {
    const { port } = await rawServer(politely(() => undefined));
    const relay = relayWith({ routes: [smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name: 'out' })] });
    const { id } = await relay.send(mail);
    await expect.poll(async () => (await relay.messages.explain(id)).state).toBe('sent');
    const explanation = await relay.messages.explain(id);
    expect(explanation).toMatchObject({ route: 'out', attempts: 1, nextAt: undefined, reasons: [{ kind: 'over' }] });
    expect(explanation.summary).toBe('the next server has taken it.');
    expect(explanation.transcripts).toMatchObject([{ route: 'out', steps: expect.any(Array) }]);
  });

  it('says until when a mail waits, and what the server said', async () => {
    const relay = relayWith({ routes: [await refusing('451 4.7.1 Greylisted, try again in 300 seconds')] });
    const { id } = await relay.send(mail);
    await expect.poll(async () => (await relay.messages.explain(id)).state).toBe('deferred');
    const { reasons, nextAt, summary, transcripts } = await relay.messages.explain(id);
    expect(reasons).toMatchObject([{ kind: 'retry', until: nextAt }]);
    expect(summary).toMatch(/^it is tried again at \d{4}-.*\(attempt 1, greylisted: 451 4\.7\.1 Greylisted/);
    expect(nextAt?.getTime()).toBeGreaterThan(Date.now());
    expect(transcripts).toHaveLength(1);
  });

  it('says that it is too early, that the lane is paused, that it is held, cancelled and suppressed', async () => {
    const relay = relayWith({ routes: [capture({ name: 'out' })], queue: { deliver: false } });
    await relay.suppressions.add('gone@example.org', { reason: 'complained' });
    const { id } = await relay.send({ ...mail, sendAt: new Date(Date.now() + HOUR) });
    expect(await relay.messages.explain(id)).toMatchObject({ state: 'scheduled', reasons: [{ kind: 'scheduled' }] });
    await relay.lanes.pause('out');
    const paused = await relay.messages.explain(id);
    expect(paused).toMatchObject({ nextAt: undefined, reasons: [{ kind: 'lane-paused' }, { kind: 'scheduled' }] });
    expect(paused.summary).toContain('the lane out/transactional is paused; it is not to leave before');
    await relay.messages.hold(id, { reason: 'the offer is over' });
    expect((await relay.messages.explain(id)).summary).toBe('it is held: the offer is over.');
    await relay.messages.cancel(id);
    expect((await relay.messages.explain(id)).reasons).toMatchObject([{ kind: 'over', text: 'it was cancelled' }]);
    const suppressed = await relay.send({ ...mail, to: 'gone@example.org' });
    expect((await relay.messages.explain(suppressed.id)).summary).toContain('suppression list');
  });

  it('says that it waits for its turn', async () => {
    const relay = relayWith({ routes: [capture({ name: 'out' })], queue: { deliver: false } });
    const { id, deliveries } = await relay.send(mail);
    expect(await relay.messages.explain(deliveries[0]?.id ?? '')).toMatchObject({
      state: 'queued',
      nextAt: expect.any(Date),
      reasons: [{ kind: 'queue', text: expect.stringContaining('out/transactional, in which 1 wait') }],
    });
    expect((await relay.messages.explain(id)).recipient).toBe('ada@example.org');
  });

  it('says that the route has sent what it may', async () => {
    const relay = relayWith({ routes: [capture({ name: 'out', rate: '2/day' })] });
    for (let index = 0; index < 3; index++) await relay.send(mail);
    await expect.poll(async () => (await relay.messages.list({ state: 'sent' })).items.length).toBe(2);
    const [waiting] = (await relay.messages.list({ state: 'queued' })).items;
    const { reasons, nextAt } = await relay.messages.explain(waiting?.id ?? '');
    expect(reasons).toMatchObject([
      { kind: 'rate', text: expect.stringContaining('the route out has sent its 2/day') },
    ]);
    expect(nextAt?.getTime()).toBeGreaterThan(Date.now() + 23 * HOUR);
  });

  it('says that the route does not work', async () => {
    const { port } = await rawServer((socket) => socket.destroy());
    const relay = relayWith({ routes: [smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name: 'out' })] });
    for (let index = 0; index < 20; index++) await relay.send(mail);
    await expect
      .poll(async () => {
        const [waiting] = (await relay.messages.list({ state: 'queued' })).items;
        return waiting === undefined ? [] : (await relay.messages.explain(waiting.id)).reasons;
      })
      .toMatchObject([{ kind: 'route-down', text: expect.stringContaining('the route out does not work') }]);
  });

  it('knows no id that is not there', async () => {
    const relay = relayWith();
    await expect(relay.messages.explain('msg_1')).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    await expect(relay.messages.explain('nonsense')).rejects.toMatchObject({ code: expect.any(String) });
  });
});
