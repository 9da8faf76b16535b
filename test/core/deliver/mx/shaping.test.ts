import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqlite } from '../../../../packages/core/src/index.ts';
import { RECEIVERS } from '../../../../packages/core/src/route/sites/receivers.ts';
import { fakeDns, type Zone } from '../../../support/dns.ts';
import { scratchFolder } from '../../../support/relay.ts';
import { countingHost, mailHost, relayTo } from './support.ts';

/** Accepts connections, and never says a word. */
async function silentHost(address: string, port: number): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

const at = (domain: string, n: number): string[] => Array.from({ length: n }, (_, index) => `n${index}@${domain}`);

describe('shaping of direct MX', () => {
  it('dead domains, and domains without DNS, do not hold the places of the others', async () => {
    const host = await mailHost('127.0.0.2');
    await silentHost('127.0.0.3', host.port);
    const dead = Array.from({ length: 12 }, (_, index) => `dead${index}.test`);
    const mute = Array.from({ length: 30 }, (_, index) => `mute${index}.test`);
    const zone: Zone = { 'alive.test': { MX: [[10, 'mx.alive.test']] }, 'mx.alive.test': { A: ['127.0.0.2'] } };
    for (const name of dead)
      Object.assign(zone, { [name]: { MX: [[10, `mx.${name}`]] }, [`mx.${name}`]: { A: ['127.0.0.3'] } });
    for (const name of mute) zone[name] = 'silence';
    const dns = await fakeDns(zone);
    const relay = relayTo(dns, host.port, { concurrency: 8, greetingTimeoutMs: 1000 });
    await relay.start();
    for (const name of [...dead, ...mute]) await relay.send({ to: at(name, 3), subject: 'Hello', text: 'Hello' });
    await relay.send({ to: at('alive.test', 60), subject: 'Hello', text: 'Hello' });
    await expect.poll(() => host.taken.length).toBe(60);
  });

  it('rolls domains up by their MX, and holds them together to what the host says of the site', async () => {
    const narrow = await countingHost('127.0.0.2');
    const wide = await countingHost('127.0.0.3', narrow.port);
    const dns = await fakeDns({
      'one.test': { MX: [[10, 'mx1.narrow.test']] },
      'two.test': { MX: [[10, 'mx1.narrow.test']] },
      'three.test': { MX: [[10, 'mx2.narrow.test']] },
      'mx1.narrow.test': { A: ['127.0.0.2'] },
      'mx2.narrow.test': { A: ['127.0.0.2'] },
      'wide.test': { MX: [[10, 'mx.wide.test']] },
      'mx.wide.test': { A: ['127.0.0.3'] },
    });
    const relay = relayTo(
      dns,
      narrow.port,
      {},
      {
        shaping: { sites: { narrow: { mx: ['narrow.test'], connections: 1 }, 'wide.test': { connections: 3 } } },
      },
    );
    await relay.start();
    const to = [...at('one.test', 10), ...at('two.test', 10), ...at('three.test', 10), ...at('wide.test', 30)];
    const { id } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
    await expect.poll(() => narrow.taken.length + wide.taken.length, { timeout: 10_000 }).toBe(60);
    expect(narrow.most()).toBe(1);
    expect(wide.most()).toBe(3);
    const { items } = await relay.messages.list({ message: id });
    expect(new Set(items.map(({ recipient, site }) => `${recipient.split('@')[1]} ${site}`))).toEqual(
      new Set(['one.test narrow', 'two.test narrow', 'three.test narrow', 'wide.test wide.test']),
    );
    expect(dns.questions.filter((question) => question === 'MX one.test')).toHaveLength(1);
  }, 20_000);

  it('holds domains with equal hosts at two operators together as one site, whichever is tried first', async () => {
    const first = await countingHost('127.0.0.2');
    const other = await countingHost('127.0.0.3', first.port);
    const domains = Array.from({ length: 12 }, (_, index) => `d${index}.test`);
    const zone: Zone = { 'mx.zulu.test': { A: ['127.0.0.2'] }, 'mx.alpha.test': { A: ['127.0.0.3'] } };
    for (const name of domains)
      zone[name] = {
        MX: [
          [10, 'mx.zulu.test'],
          [10, 'mx.alpha.test'],
        ],
      };
    const dns = await fakeDns(zone);
    const sites = { 'alpha.test': { connections: 1 } };
    const relay = relayTo(dns, first.port, { idleMs: 60_000 }, { shaping: { sites } });
    await relay.start();
    const to = domains.flatMap((domain) => at(domain, 4));
    const { id } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
    await expect.poll(() => first.taken.length + other.taken.length, { timeout: 10_000 }).toBe(48);
    const { items } = await relay.messages.list({ message: id });
    expect(new Set(items.map(({ site }) => site))).toEqual(new Set(['alpha.test']));
    expect(first.most() + other.most()).toBeLessThanOrEqual(1);
  }, 20_000);

  it('sends no more mails over a connection than the receiver takes, as the data or the host says', async () => {
    const sessions = new Map<string, { readonly domain: string; mails: number }>();
    const host = await mailHost('127.0.0.2', 0, {
      onData(stream, { id, envelope }, done) {
        const session = sessions.get(id) ?? { domain: envelope.rcptTo[0]?.address.split('@')[1] ?? '', mails: 0 };
        session.mails += 1;
        sessions.set(id, session);
        stream.resume().on('end', () => done());
      },
    });
    const dns = await fakeDns({
      'known.test': { MX: [[10, 'mx1.mail.ovh.net']] },
      'mx1.mail.ovh.net': { A: ['127.0.0.2'] },
      'given.test': { MX: [[10, 'mx.given.test']] },
      'mx.given.test': { A: ['127.0.0.2'] },
      'plain.test': { MX: [[10, 'mx.plain.test']] },
      'mx.plain.test': { A: ['127.0.0.2'] },
    });
    const preset = RECEIVERS.find(({ name }) => name === 'ovh')?.messagesPerConnection ?? 0;
    const sites = {
      ovh: { connections: 1, rate: '10000/s' },
      'given.test': { connections: 2, messagesPerConnection: 7 },
    };
    const route = { connectionsPerSite: 1, maxMessagesPerConnection: 60, idleMs: 60_000 };
    const relay = relayTo(dns, host.port, route, { shaping: { sites } });
    await relay.start();
    const to = [...at('known.test', 120), ...at('given.test', 50), ...at('plain.test', 120)];
    await relay.sendMany(to, { campaign: 'c', subject: 'Hello', text: 'Hello' });
    const mails = (domain: string) =>
      [...sessions.values()].filter((one) => one.domain === domain).map((one) => one.mails);
    await expect
      .poll(() => [...sessions.values()].reduce((sum, one) => sum + one.mails, 0), { timeout: 15_000 })
      .toBe(290);
    expect(preset).toBe(50);
    expect(mails('known.test')).toEqual([50, 50, 20]);
    expect(mails('plain.test')).toEqual([60, 60]);
    expect(Math.max(...mails('given.test'))).toBe(7);
    expect(mails('given.test').reduce((sum, n) => sum + n)).toBe(50);
  }, 20_000);

  it('keeps a rate for one domain, and leaves a route without shaping alone', async () => {
    const host = await countingHost('127.0.0.2');
    const dns = await fakeDns({
      'one.test': { MX: [[10, 'mx.one.test']] },
      'two.test': { MX: [[10, 'mx.one.test']] },
      'mx.one.test': { A: ['127.0.0.2'] },
    });
    const shaping = { domains: { 'one.test': { rate: '5/h' } } };
    const relay = relayTo(dns, host.port, {}, { shaping });
    await relay.start();
    await relay.send({ to: [...at('one.test', 8), ...at('two.test', 8)], subject: 'Hello', text: 'Hello' });
    await expect.poll(() => host.taken.length, { timeout: 10_000 }).toBe(13);
    const waiting = async () => (await relay.lanes.list()).filter((lane) => lane.waiting > 0);
    await expect
      .poll(waiting)
      .toMatchObject([{ route: 'mx', stream: 'transactional', site: '@one.test', waiting: 3, sending: 0 }]);
    await relay.stop();
    const plain = relayTo(dns, host.port, { shaping: false, name: 'plain' }, { shaping });
    await plain.start();
    await plain.send({ to: at('one.test', 8), subject: 'Hello', text: 'Hello' });
    await expect.poll(() => host.taken.length, { timeout: 10_000 }).toBe(21);
  }, 20_000);

  it('suspends a site after what it said, says so, and still knows it after a restart', async () => {
    const busy = await mailHost('127.0.0.2', 0, {
      onMailFrom: (_, __, done) => done(Object.assign(new Error('4.3.0 Too busy for you'), { responseCode: 451 })),
    });
    const free = await mailHost('127.0.0.3', busy.port);
    const dns = await fakeDns({
      'busy.test': { MX: [[10, 'mx.busy.test']] },
      'mx.busy.test': { A: ['127.0.0.2'] },
      'free.test': { MX: [[10, 'mx.free.test']] },
      'mx.free.test': { A: ['127.0.0.3'] },
    });
    const rule = { name: 'busy', reply: /too busy/i, times: 2, action: 'suspend', forMs: 3_600_000 } as const;
    const store = sqlite(join(scratchFolder(), 'relay.db'));
    const options = { store, shaping: { rules: [rule] }, queue: { retryFirstMs: 1, retryMaxMs: 1 } };
    const relay = relayTo(dns, busy.port, {}, options);
    const mail = { subject: 'Hello', text: 'Hello' };
    await relay.start();
    const { id } = await relay.send({ ...mail, to: 'a@busy.test' });
    const suspended = {
      kind: 'rule',
      text: expect.stringMatching(/^the rule busy suspends busy\.test until .*Too busy/),
    };
    await expect
      .poll(async () => (await relay.messages.explain(id)).reasons)
      .toContainEqual(expect.objectContaining(suspended));
    const explained = await relay.messages.explain(id);
    expect(explained).toMatchObject({ site: 'busy.test', state: 'deferred' });
    expect(explained.nextAt?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
    const other = await relay.send({ ...mail, to: 'b@free.test' });
    // Until the relay has its answer too: before that the delivery still holds a place of the route.
    await expect.poll(async () => (await relay.messages.get(other.id))?.deliveries).toMatchObject([{ state: 'sent' }]);
    expect(free.taken).toHaveLength(1);
    const lanes = await relay.lanes.list();
    expect(lanes.find(({ site }) => site === 'busy.test')).toMatchObject({
      rule: { name: 'busy', factor: 0, reply: expect.stringContaining('Too busy') },
      limits: [
        { kind: 'connections', text: '5 connections, suspended', by: 'rule', most: 0 },
        { kind: 'concurrency', text: '200 at once', by: 'default', most: 200, used: 0 },
        { kind: 'connections', text: '100 connections', by: 'default', most: 100, used: 0 },
      ],
      readyAt: explained.nextAt?.getTime(),
    });
    await relay.stop();
    const again = relayTo(dns, busy.port, {}, options);
    await again.start();
    const later = await again.send({ ...mail, to: 'c@busy.test' });
    await expect
      .poll(async () => (await again.messages.explain(later.id)).reasons)
      .toContainEqual(expect.objectContaining(suspended));
    expect((await again.messages.get(later.id))?.deliveries).toMatchObject([{ state: 'queued', attempts: 0 }]);
  }, 20_000);

  it('does not take for the words of a server what the relay itself refuses', async () => {
    const host = await mailHost('127.0.0.2', 0, { size: 5000, hideSMTPUTF8: true });
    const dns = await fakeDns({ 'one.test': { MX: [[10, 'mx.one.test']] }, 'mx.one.test': { A: ['127.0.0.2'] } });
    const rule = { name: 'ours', reply: /./, action: 'suspend', forMs: 3_600_000 } as const;
    const relay = relayTo(dns, host.port, {}, { shaping: { rules: [rule] } });
    await relay.start();
    const large = await relay.send({ to: 'large@one.test', subject: 'Hello', text: 'Hello '.repeat(5000) });
    const utf8 = await relay.send({ to: 'mañana@one.test', subject: 'Hello', text: 'Hello' });
    for (const { id } of [large, utf8])
      await expect
        .poll(async () => (await relay.messages.get(id))?.deliveries)
        .toMatchObject([{ state: 'bounced', attempts: 1 }]);
    await relay.send({ to: 'small@one.test', subject: 'Hello', text: 'Hello' });
    await expect.poll(() => host.taken.map(({ to }) => to)).toEqual(['small@one.test']);
  }, 20_000);

  it('moves to another local address for one that the site has blocked', async () => {
    const refused: string[] = [];
    const host = await mailHost('127.0.0.2', 0, {
      onMailFrom(_, session, done) {
        if (session.remoteAddress === '127.0.1.2') return done();
        refused.push(session.remoteAddress);
        return done(Object.assign(new Error('4.7.1 Your address is blocked'), { responseCode: 451 }));
      },
    });
    const dns = await fakeDns({ 'one.test': { MX: [[10, 'mx.one.test']] }, 'mx.one.test': { A: ['127.0.0.2'] } });
    const rule = { name: 'blocked', reply: /address is blocked/, action: 'move', forMs: 3_600_000 } as const;
    const localAddresses = ['127.0.1.1', '127.0.1.2'];
    const options = { shaping: { rules: [rule] }, queue: { retryFirstMs: 1, retryMaxMs: 1 } };
    const relay = relayTo(dns, host.port, { localAddresses }, options);
    await relay.start();
    await relay.send({ to: at('one.test', 20), subject: 'Hello', text: 'Hello' });
    await expect.poll(() => host.taken.length, { timeout: 10_000 }).toBe(20);
    expect(new Set(host.taken.map(({ from }) => from))).toEqual(new Set(['127.0.1.2']));
    expect(refused.length).toBeLessThan(20);
    const [lane] = await relay.lanes.list({ site: 'one.test' });
    const [avoided] = lane?.rule?.avoided ?? [];
    expect(lane?.rule).toMatchObject({ name: 'blocked', factor: 1, avoided: [{ address: '127.0.1.1' }] });
    expect(avoided?.until).toBeGreaterThan(Date.now() + 3_000_000);
    await relay.lanes.pause('mx', { site: 'one.test' });
    const { id } = await relay.send({ to: 'late@one.test', subject: 'Hello', text: 'Hello' });
    const until = new Date(avoided?.until ?? 0).toISOString();
    const text = `the rule blocked sends one.test nothing from 127.0.1.1 until ${until}, after: 451 4.7.1 Your address is blocked`;
    await expect
      .poll(async () => (await relay.messages.explain(id)).reasons)
      .toContainEqual({ kind: 'rule', text, until: expect.any(Date) });
  }, 20_000);
});
