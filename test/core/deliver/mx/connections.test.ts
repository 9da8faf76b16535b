import { describe, expect, it } from 'vitest';
import { createTurns } from '../../../../packages/core/src/deliver/mx/turns.ts';
import { fakeDns, type Zone } from '../../../support/dns.ts';
import { politely, rawServer } from '../../../support/smtp.ts';
import { direct, mailHost, mailTo } from './support.ts';

const LOCAL = ['127.0.1.1', '127.0.1.2', '127.0.1.3'];

describe('the source address', () => {
  it('greylisting: every retry of a delivery comes from the same address', async () => {
    const seen = new Set<string>();
    const { port, taken, clients } = await mailHost('127.0.0.2', 0, {
      onRcptTo({ address }, session, done) {
        const triplet = `${session.remoteAddress} ${address}`;
        const known = seen.has(triplet);
        seen.add(triplet);
        done(known ? null : Object.assign(new Error('4.7.1 Greylisted, come back later'), { responseCode: 451 }));
      },
    });
    const transport = direct(await fakeDns({ 'a.test': { A: ['127.0.0.2'] } }), port, { localAddresses: LOCAL });
    const mails = Array.from({ length: 24 }, (_, at) => mailTo(`r${at}@a.test`));
    const first = await Promise.all(mails.map((mail) => transport.send(mail)));
    expect(new Set(first.map(({ outcome }) => outcome.type))).toEqual(new Set(['deferred']));
    expect(first[0]?.outcome).toMatchObject({ reason: 'greylisted' });
    const second = await Promise.all(mails.map((mail) => transport.send(mail)));
    expect(new Set(second.map(({ outcome }) => outcome.type))).toEqual(new Set(['sent']));
    expect(second.map(({ transcript }) => transcript.localAddress)).toEqual(
      first.map(({ transcript }) => transcript.localAddress),
    );
    expect(new Set(clients)).toEqual(new Set(LOCAL));
    expect(taken).toHaveLength(24);
  });

  it('is one of the pool of the stream, and stays when others leave the pool', async () => {
    const { port, taken } = await mailHost('127.0.0.2');
    const dns = await fakeDns({ 'a.test': { A: ['127.0.0.2'] } });
    const pools = { transactional: ['127.0.1.1'], broadcast: ['127.0.1.2', '127.0.1.3'] };
    const transport = direct(dns, port, { localAddresses: pools });
    const sources = new Map<string, string | undefined>();
    for (let at = 0; at < 12; at++) {
      const { transcript } = await transport.send(mailTo(`b${at}@a.test`, { stream: 'broadcast' }));
      sources.set(`b${at}@a.test`, transcript.localAddress);
      await transport.send(mailTo(`t${at}@a.test`));
    }
    expect(new Set(taken.filter(({ to }) => to.startsWith('t')).map(({ from }) => from))).toEqual(
      new Set(['127.0.1.1']),
    );
    expect(new Set(sources.values())).toEqual(new Set(['127.0.1.2', '127.0.1.3']));
    const fewer = direct(dns, port, { localAddresses: ['127.0.1.2'] });
    for (const [to, before] of sources) {
      if (before !== '127.0.1.2') continue;
      expect((await fewer.send(mailTo(to))).transcript.localAddress).toBe(before);
    }
  });

  it('that this machine does not have is its own fault, and no mark on the host', async () => {
    const { port } = await mailHost('127.0.0.2');
    const dns = await fakeDns({ 'a.test': { A: ['127.0.0.2'] } });
    const transport = direct(dns, port, { localAddresses: ['192.0.2.77'] });
    for (let at = 0; at < 2; at++) {
      const { outcome } = await transport.send(mailTo('x@a.test'));
      expect(outcome).toMatchObject({
        type: 'deferred',
        reason: 'system',
        reply: expect.stringContaining('EADDRNOTAVAIL'),
      });
    }
  });

  it('of IPv4 alone reaches no host that has IPv6 alone', async () => {
    const dns = await fakeDns({ 'six.test': { AAAA: ['::1'] } });
    const { outcome } = await direct(dns, 25, { localAddresses: LOCAL }).send(mailTo('x@six.test'));
    expect(outcome).toMatchObject({
      type: 'deferred',
      reason: 'network',
      reply: expect.stringContaining('local address'),
    });
  });
});

describe('connections', () => {
  it('are shared by all domains of one site, and bounded', async () => {
    const { port, taken, clients } = await mailHost('127.0.0.2');
    const zone: Zone = { 'mx.site.test': { A: ['127.0.0.2'] } };
    for (let at = 0; at < 30; at++) zone[`d${at}.test`] = { MX: [[10, 'mx.site.test']] };
    const transport = direct(await fakeDns(zone), port, { connectionsPerSite: 3, maxMessagesPerConnection: 1000 });
    const attempts = await Promise.all(
      Array.from({ length: 120 }, (_, at) => transport.send(mailTo(`x${at}@d${at % 30}.test`))),
    );
    expect(new Set(attempts.map(({ outcome }) => outcome.type))).toEqual(new Set(['sent']));
    expect(taken).toHaveLength(120);
    expect(clients.length).toBeLessThanOrEqual(3);
  });

  it('of many sites stay few when they are no longer used', async () => {
    let gone = 0;
    const { port, clients } = await mailHost('127.0.0.2', 0, {
      onClose() {
        gone += 1;
      },
    });
    const zone: Zone = {};
    for (let at = 0; at < 40; at++) zone[`d${at}.test`] = { A: ['127.0.0.2'] };
    const transport = direct(await fakeDns(zone), port, { connections: 4, idleMs: 60_000 });
    for (let at = 0; at < 40; at++) await transport.send(mailTo(`x@d${at}.test`));
    expect(clients).toHaveLength(40);
    await expect.poll(() => gone).toBe(36);
  });

  it('that the server closed while nobody used them are replaced within the attempt', async () => {
    const server = await rawServer(
      politely((line, socket) => {
        if (line === '.') setTimeout(() => socket.end('421 4.4.2 idle\r\n'), 20);
        return undefined;
      }),
      '127.0.0.2',
    );
    const transport = direct(await fakeDns({ 'a.test': { A: ['127.0.0.2'] } }), server.port);
    for (let at = 0; at < 3; at++) {
      expect((await transport.send(mailTo(`x${at}@a.test`))).outcome.type).toBe('sent');
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  });
});

describe('a host that does not answer', () => {
  it('never holds up the mail for others', async () => {
    const silent = await rawServer(() => {}, '127.0.0.9');
    const { taken } = await mailHost('127.0.0.2', silent.port);
    const dns = await fakeDns({ 'dead.test': { A: ['127.0.0.9'] }, 'good.test': { A: ['127.0.0.2'] } });
    const greetingTimeoutMs = 6000;
    const transport = direct(dns, silent.port, { connections: 2, greetingTimeoutMs });
    const began = performance.now();
    const dead = Array.from({ length: 50 }, (_, at) => transport.send(mailTo(`x${at}@dead.test`)));
    let left = dead.length;
    for (const one of dead) void one.then(() => (left -= 1));
    const good = await Promise.all(Array.from({ length: 20 }, (_, at) => transport.send(mailTo(`x${at}@good.test`))));
    expect(new Set(good.map(({ outcome }) => outcome.type))).toEqual(new Set(['sent']));
    expect(taken).toHaveLength(20);
    // The one that tries still waits for its greeting. Most of the others do not even wait until it gives up, and none waits
    // for more than that.
    expect(left).toBeGreaterThan(0);
    await expect.poll(() => left, { timeout: 4500 }).toBeLessThanOrEqual(5);
    const outcomes = (await Promise.all(dead)).map(({ outcome }) => outcome);
    expect(new Set(outcomes.map(({ type }) => type))).toEqual(new Set(['deferred']));
    expect(performance.now() - began).toBeLessThan(2 * greetingTimeoutMs);
  });

  it('gets one mail at a time as long as it never answered', async () => {
    const sockets = new Set<unknown>();
    const silent = await rawServer((socket) => void sockets.add(socket), '127.0.0.9');
    const transport = direct(await fakeDns({ 'dead.test': { A: ['127.0.0.9'] } }), silent.port, {
      greetingTimeoutMs: 500,
    });
    await Promise.all(Array.from({ length: 5 }, (_, at) => transport.send(mailTo(`x${at}@dead.test`))));
    expect(sockets.size).toBe(1);
  });
});

describe('turns', () => {
  it('go to transactional mail first, and broadcast mail leaves places for it', async () => {
    const turns = createTurns(10);
    for (let at = 0; at < 9; at++) await turns.take('broadcast');
    const order: string[] = [];
    const waits = (stream: 'transactional' | 'broadcast', name: string): Promise<void> =>
      turns.take(stream).then(() => void order.push(name));
    void waits('broadcast', 'b1');
    void waits('transactional', 't1');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['t1']);
    void waits('transactional', 't2');
    turns.give('broadcast');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['t1', 't2']);
    turns.give('transactional');
    turns.give('transactional');
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['t1', 't2', 'b1']);
  });
});
