import { describe, expect, it } from 'vitest';
import { type MailRelay, smtp } from '../../../../packages/core/src/index.ts';
import { createTestClock, type TestClock } from '../../../../packages/core/src/testing/clock.ts';
import { createWaiting, type Waiting } from '../../../../packages/core/src/testing/waiting.ts';
import { fakeDns } from '../../../support/dns.ts';
import { relayWith } from '../../../support/relay.ts';
import { smtpServer } from '../../../support/smtp.ts';
import { countingHost, relayTo } from './support.ts';

const FOR_MS = 600_000;
const STEP_MS = 60_000;
const rule = {
  name: 'busy',
  reply: /slow down/i,
  action: 'slow',
  factor: 0.25,
  forMs: FOR_MS,
  recoverStepMs: STEP_MS,
} as const;
const SLOW_DOWN = Object.assign(new Error('4.3.0 Slow down'), { responseCode: 451 });

/** A relay on a clock that the test moves. */
function onTestClock(start: (clock: TestClock) => MailRelay) {
  const clock: TestClock = createTestClock(Date.now(), () => waiting);
  const relay = start(clock);
  const waiting: Waiting = createWaiting(relay, async () => {}, clock.now);
  let sent = 0;
  return {
    relay,
    clock,
    async send(domain: string, n: number): Promise<void> {
      sent += 1;
      const to = Array.from({ length: n }, (_, index) => `n${sent}.${index}@${domain}`);
      await relay.send({ to, subject: 'Hello', text: 'Hello' });
      await waiting.settled();
    },
  };
}

describe('a rule that slows a site down', () => {
  it('leaves its share of the connections, those that are kept open included, and gives them back in steps', async () => {
    let busy = false;
    const host = await countingHost('127.0.0.2', 0, {
      onMailFrom: (_, __, done) => void setTimeout(() => done(busy ? SLOW_DOWN : null), 20),
    });
    const dns = await fakeDns({ 'one.test': { MX: [[10, 'mx.one.test']] }, 'mx.one.test': { A: ['127.0.0.2'] } });
    const shaping = { sites: { 'one.test': { connections: 8 } }, rules: [rule] };
    const { relay, clock, send } = onTestClock((clock) =>
      relayTo(dns, host.port, { idleMs: 60_000 }, { shaping, thread: false, clock }),
    );
    const mostOf = async (mails: number): Promise<number> => {
      // What was kept open beyond what the site takes is closed as it gets mail.
      await send('one.test', 1);
      await expect.poll(async () => host.open() <= (await connections())).toBe(true);
      host.recount();
      await send('one.test', mails);
      return host.most();
    };
    const connections = async () =>
      (await relay.lanes.list({ site: 'one.test' }))[0]?.limits.find(({ kind }) => kind === 'connections')?.most ?? 8;

    await relay.start();
    expect(await mostOf(60)).toBe(8);
    busy = true;
    await send('one.test', 1);
    busy = false;
    expect(await connections()).toBe(2);
    expect((await relay.lanes.list({ site: 'one.test' }))[0]?.limits[0]).toMatchObject({
      text: '2 of 8 connections',
      by: 'rule',
      most: 2,
    });
    expect(await mostOf(40)).toBe(2);
    await clock.advance(FOR_MS);
    expect(await connections()).toBe(4);
    expect(await mostOf(40)).toBe(4);
    await clock.advance(STEP_MS);
    expect(await mostOf(60)).toBe(8);
  }, 30_000);

  it('counts connections to all sets of hosts of a receiver', async () => {
    let busy = false;
    const host = await countingHost('127.0.0.2', 0, {
      onMailFrom: (_, __, done) => void setTimeout(() => done(busy ? SLOW_DOWN : null), 20),
    });
    const domains = Array.from({ length: 4 }, (_, index) => `d${index}.test`);
    const names = domains.map((domain) => [domain, { MX: [[10, `${domain}.mx.test`] as [number, string]] }] as const);
    const hosts = domains.map((domain) => [`${domain}.mx.test`, { A: ['127.0.0.2'] }] as const);
    const dns = await fakeDns(Object.fromEntries([...names, ...hosts]));
    const shaping = { sites: { host: { mx: ['mx.test'], connections: 4 } }, rules: [rule] };
    const { relay, send } = onTestClock((clock) =>
      relayTo(dns, host.port, { idleMs: 60_000 }, { shaping, thread: false, clock }),
    );
    await relay.start();
    for (const domain of domains) {
      await send(domain, 20);
      await expect.poll(host.open).toBe(4);
    }
    // Those that say goodbye while the next connect.
    expect(host.most()).toBeLessThanOrEqual(8);
    busy = true;
    await send('d0.test', 1);
    busy = false;
    await send('d1.test', 1);
    await expect.poll(host.open).toBe(1);
    host.recount();
    for (const domain of domains) await send(domain, 10);
    // One that says goodbye while the next connects.
    expect(host.most()).toBeLessThanOrEqual(2);
    await expect.poll(host.open).toBe(1);
  }, 30_000);

  it('leaves its share of what a route through another server has on its way to a site', async () => {
    let [busy, at, most] = [false, 0, 0];
    const server = await smtpServer({
      onRcptTo(_address, _session, done) {
        at += 1;
        most = Math.max(most, at);
        setTimeout(() => {
          at -= 1;
          done(busy ? SLOW_DOWN : null);
        }, 20);
      },
    });
    const { relay, send } = onTestClock((clock) =>
      relayWith({
        routes: [smtp({ host: '127.0.0.1', port: server.port, connections: 8 }, { name: 'out', shaping: true })],
        shaping: { sites: { yahoo: { connections: 4, rate: '100000/s' } }, rules: [rule] },
        thread: false,
        clock,
      }),
    );
    await relay.start();
    await send('yahoo.com', 40);
    expect(most).toBe(4);
    busy = true;
    await send('yahoo.com', 1);
    [busy, most] = [false, 0];
    await send('yahoo.com', 20);
    expect(most).toBe(1);
  }, 30_000);
});
