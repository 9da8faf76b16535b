import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type MailRelay, type MailRelayOptions, smtp } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { type Inbox, politely, rawServer, slowServer, smtpServer } from '../../support/smtp.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';

const mail = { subject: 'Hi', text: 'Hello' } as const;
const people = (count: number, prefix = 'r'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}@example.com`);

function relayTo(port: number, options: MailRelayOptions = {}, route: Parameters<typeof smtp>[1] = {}): MailRelay {
  return relayWith({ routes: [smtp({ host: '127.0.0.1', port }, { name: 'out', ...route })], ...options });
}

const states = async (relay: MailRelay): Promise<string[]> =>
  (await relay.messages.list({ limit: 1000 })).items.map(({ state }) => state);
const received = ({ mails }: Inbox): string[] => mails.map(({ to }) => to);

describe('a lane', () => {
  it('has no more mails on their way than its concurrency', async () => {
    const inbox = await slowServer();
    const relay = relayTo(inbox.port, {}, { concurrency: 3 });
    await relay.sendMany(people(20), { ...mail, campaign: 'c' });
    await expect.poll(inbox.waiting).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(inbox.waiting()).toBe(3);
    inbox.release();
    await expect.poll(() => inbox.mails.length).toBe(20);
    expect(inbox.connections.most).toBeLessThanOrEqual(3);
  });

  it('lets transactional mail go before a newsletter that waits', async () => {
    const inbox = await smtpServer();
    const relay = relayTo(inbox.port, {}, { concurrency: 1, rate: '40/s' });
    await relay.sendMany(people(200), { ...mail, campaign: 'news' });
    await expect.poll(() => inbox.mails.length).toBeGreaterThan(5);
    const before = inbox.mails.length;
    await relay.send({ ...mail, to: 'reset@example.com' });
    await expect.poll(() => received(inbox).indexOf('reset@example.com')).toBeGreaterThan(0);
    expect(received(inbox).indexOf('reset@example.com') - before).toBeLessThan(20);
  });

  it('can be paused and resumed, also by another process, and one stream alone', async () => {
    const inbox = await smtpServer();
    const store = join(scratchFolder(), 'relay.db');
    const relay = relayTo(inbox.port, { store });
    const other = relayTo(inbox.port, { store, queue: { deliver: false } });
    await other.lanes.pause('out', { stream: 'broadcast' });
    await relay.sendMany(people(3), { ...mail, campaign: 'news' });
    await relay.send({ ...mail, to: 'reset@example.com' });
    await expect.poll(() => received(inbox)).toEqual(['reset@example.com']);
    expect(await relay.lanes.list()).toMatchObject([
      { stream: 'broadcast', paused: true, waiting: 3 },
      { stream: 'transactional', paused: false, waiting: 0 },
    ]);
    await other.lanes.resume('out');
    await expect.poll(() => inbox.mails.length).toBe(4);
    await expect(relay.lanes.pause('nowhere')).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('known are out'),
    });
  });
});

describe('a paused site', () => {
  it('keeps its mail back in one stream or both, while the rest of the route goes on', async () => {
    const inbox = await smtpServer();
    const relay = relayTo(inbox.port, {}, { shaping: true });
    await relay.lanes.pause('out', { site: 'google', stream: 'broadcast' });
    await relay.lanes.pause('out', { site: 'yahoo' });
    await relay.sendMany([{ to: 'a@gmail.com' }, { to: 'b@example.com' }], { ...mail, campaign: 'news' });
    const { deliveries } = await relay.send({ ...mail, to: ['c@gmail.com', 'd@yahoo.com'] });
    await expect.poll(() => received(inbox).toSorted()).toEqual(['b@example.com', 'c@gmail.com']);
    await expect
      .poll(async () => (await relay.lanes.list()).filter(({ paused }) => paused))
      .toMatchObject([
        { site: 'google', stream: 'broadcast', waiting: 1 },
        { site: 'yahoo', stream: 'transactional', waiting: 1 },
        { site: 'yahoo', stream: 'broadcast', waiting: 0 },
      ]);
    const explained = await relay.messages.explain(deliveries[1]?.id ?? '');
    expect(explained).toMatchObject({ reasons: [{ kind: 'lane-paused' }] });
    expect(explained?.summary).toContain('out/transactional/yahoo is paused');
    // Who pauses and resumes the whole route leaves the site as it is.
    await relay.lanes.pause('out');
    await relay.lanes.resume('out');
    await relay.lanes.resume('out', { site: 'google' });
    await expect.poll(() => received(inbox)).toContain('a@gmail.com');
    expect(received(inbox)).not.toContain('d@yahoo.com');
    await relay.lanes.resume('out', { site: 'yahoo' });
    await expect.poll(() => received(inbox)).toContain('d@yahoo.com');
  });

  it('is an error on a route that has no lanes by site', async () => {
    const relay = relayTo((await smtpServer()).port);
    await expect(relay.lanes.pause('out', { site: 'google' })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });
});

describe('mail that waits', () => {
  it('goes when it is time, is held until released, and is never sent when cancelled', async () => {
    const inbox = await smtpServer();
    const relay = relayTo(inbox.port);
    await relay.lanes.pause('out');
    const soon = new Date(Date.now() + 500);
    const later = await relay.send({ ...mail, to: 'later@example.com', sendAt: soon });
    const held = await relay.send({ ...mail, to: 'held@example.com' });
    const tomorrow = new Date(Date.now() + 86_400_000);
    const cancelled = await relay.send({ ...mail, to: 'cancelled@example.com', sendAt: tomorrow });
    expect(cancelled.deliveries).toMatchObject([{ state: 'scheduled' }]);
    expect([
      await relay.messages.hold(held.id, { reason: 'ask first' }),
      await relay.messages.cancel(cancelled.id),
    ]).toEqual([1, 1]);
    await relay.lanes.resume('out');
    await expect.poll(() => received(inbox)).toEqual(['later@example.com']);
    expect(Date.now()).toBeGreaterThanOrEqual(soon.getTime());
    expect((await relay.messages.list({ state: 'held' })).items).toMatchObject([{ reason: 'ask first' }]);
    await relay.messages.release(held.id);
    await expect.poll(() => received(inbox)).toEqual(['later@example.com', 'held@example.com']);
    await expect(relay.messages.cancel(later.id)).rejects.toMatchObject({ code: 'MESSAGE_STATE' });
    // The server has it before its answer is written.
    await expect.poll(async () => (await states(relay)).sort()).toEqual(['cancelled', 'sent', 'sent']);
  });

  it('is tried again with the same Message-ID after a refusal for now or a break in DATA', async () => {
    const tries = new Map<string, number>();
    const ids: string[] = [];
    let to = '';
    const server = await rawServer(
      politely((line, socket) => {
        if (line.startsWith('RCPT')) to = line;
        if (line.startsWith('DATA:Message-ID')) ids.push(line);
        const turn = (tries.get(to) ?? 0) + (line.startsWith('RCPT') || line === '.' ? 1 : 0);
        if (line.startsWith('RCPT') && to.includes('grey')) {
          tries.set(to, turn);
          return turn === 1 ? '451 4.3.0 later' : undefined;
        }
        if (line === '.' && to.includes('break')) {
          tries.set(to, turn);
          if (turn > 1) return undefined;
          socket.destroy();
          return null;
        }
        return undefined;
      }),
    );
    const relay = relayTo(server.port, { queue: { retryFirstMs: 100 } }, { concurrency: 1 });
    const sent: string[] = [];
    relay.on('event', ({ type, recipient }) => void sent.push(`${recipient.split('@')[0]} ${type}`));
    await relay.send({ ...mail, to: 'grey@example.com' });
    await expect.poll(() => sent).toEqual(['grey accepted', 'grey deferred', 'grey sent']);
    await relay.send({ ...mail, to: 'break@example.com' });
    await expect.poll(() => sent.slice(3)).toEqual(['break accepted', 'break deferred', 'break sent']);
    expect(ids).toHaveLength(3);
    expect(ids[1]).toBe(ids[2]);
    const [broken] = (await relay.messages.list({ recipient: 'break@example.com' })).items;
    expect(broken).toMatchObject({ attempts: 2, route: 'out' });
  });

  it('is given up with `failed` after its maximum age, not bounced, and nobody is suppressed', async () => {
    const server = await rawServer(politely((line) => (line.startsWith('RCPT') ? '451 4.3.0 later' : undefined)));
    const relay = relayTo(server.port, { queue: { retryFirstMs: 200, retryMaxMs: 200, maxAgeMs: 1500 } });
    const { id } = await relay.send({ ...mail, to: 'ada@example.com' });
    await expect.poll(() => states(relay)).toEqual(['failed']);
    const events = (await relay.messages.get(id))?.events ?? [];
    expect(events.at(-1)).toMatchObject({ type: 'failed', reason: 'expired', reply: '451 4.3.0 later' });
    expect(events.map(({ type }) => type).slice(0, -1)).toContain('deferred');
    expect(await relay.suppressions.has('ada@example.com')).toBe(false);
    expect(await relay.messages.retry(id)).toBe(1);
  });

  it('is not sent to an address that bounced meanwhile', async () => {
    const inbox = await smtpServer({
      onRcptTo: ({ address }, _session, done) =>
        address.startsWith('gone')
          ? done(Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 }))
          : done(),
    });
    const relay = relayTo(inbox.port, {}, { concurrency: 1 });
    await relay.send({ ...mail, to: 'gone@example.com', sendAt: new Date(Date.now() + 60_000) });
    await relay.send({ ...mail, to: 'gone@example.com' });
    await expect.poll(() => states(relay)).toEqual(['bounced', 'suppressed']);
    expect((await relay.send({ ...mail, to: 'Gone@example.com' })).deliveries).toMatchObject([{ state: 'suppressed' }]);
  });
});

describe('a stop', () => {
  it('sends what waits where asked to', async () => {
    const inbox = await smtpServer();
    const relay = relayTo(inbox.port);
    await relay.sendMany(people(100), { ...mail, campaign: 'c' });
    await relay.stop({ drain: true });
    expect(new Set(received(inbox)).size).toBe(100);
  });

  it('else leaves it to the next start, which sends each once', async () => {
    const inbox = await slowServer();
    const store = join(scratchFolder(), 'relay.db');
    const first = relayTo(inbox.port, { store }, { concurrency: 2 });
    await first.sendMany(people(60), { ...mail, campaign: 'c' });
    await expect.poll(inbox.waiting).toBe(2);
    const stopped = first.stop();
    inbox.release();
    await stopped;
    const before = inbox.mails.length;
    expect(before).toBeLessThan(60);
    const second = relayTo(inbox.port, { store });
    await second.start();
    await expect.poll(() => inbox.mails.length).toBe(60);
    expect(new Set(received(inbox)).size).toBe(60);
    await expect.poll(async () => (await second.reports.campaign('c')).sent).toBe(60);
  });
});

describe('two processes', () => {
  it('one accepts and the other delivers, as soon as it is there', async () => {
    const inbox = await smtpServer();
    const store = join(scratchFolder(), 'relay.db');
    const web = relayTo(inbox.port, { store, queue: { deliver: false } });
    const worker = relayTo(inbox.port, { store });
    await worker.start();
    await web.send({ ...mail, to: 'ada@example.com' });
    await expect.poll(() => received(inbox)).toEqual(['ada@example.com']);
    await expect.poll(() => states(web)).toEqual(['sent']);
  });

  it('one is killed in the middle: the other sends what it had, with the same Message-ID', async () => {
    const inbox = await slowServer();
    const store = join(scratchFolder(), 'relay.db');
    const web = relayTo(inbox.port, { store, queue: { deliver: false } });
    await web.sendMany(people(4), { ...mail, campaign: 'c' });
    const child = fork(
      fileURLToPath(new URL('../../support/smtp-worker.ts', import.meta.url)),
      [store, String(inbox.port)],
      {
        execArgv: [...SOURCE_ARGUMENTS],
        stdio: 'ignore',
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    await expect.poll(inbox.waiting).toBe(4);
    child.kill('SIGKILL');
    inbox.release();
    const worker = relayTo(inbox.port, { store, queue: { leaseMs: 1500 } });
    await worker.start();
    await expect.poll(async () => (await web.reports.campaign('c')).sent).toBe(4);
    const ids = inbox.mails.map(({ source }) => /^Message-ID: (.*)\r$/m.exec(source)?.[1]);
    expect(new Set(received(inbox)).size).toBe(4);
    expect(new Set(ids).size).toBe(4);
  });
});
