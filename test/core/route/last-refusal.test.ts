import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../packages/core/src/deliver/port.ts';
import { directMx, type MailRelay } from '../../../packages/core/src/index.ts';
import { fakeDns } from '../../support/dns.ts';
import { relayWith } from '../../support/relay.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';
import { mailHost } from '../deliver/mx/support.ts';

const MINUTE = 60_000;
const mail = { to: 'ada@example.org', subject: 'Hi', text: 'Hello' } as const;

async function deliveryOf(relay: MailRelay, id: string) {
  const record = await relay.messages.get(id);
  return record?.deliveries[0];
}

/** Two routes that say what the test sets. */
function twoRoutes(first: Outcome, backup: Outcome) {
  const say = { first, backup };
  const routes = [scripted('first', () => say.first), scripted('backup', () => say.backup)];
  return { say, ...clockedRelay({ routes }) };
}

describe('a mail whose last route refuses us for good', () => {
  it('waits for a route that takes it, and is down', async () => {
    const { say, relay, clock, waiting } = twoRoutes(SAID.blocked, SAID.down);
    for (let n = 0; n < 3; n++) await relay.send({ ...mail, route: 'backup' });
    await waiting.settled();
    expect((await relay.health()).breakers.backup?.state).toBe('open');
    const { id } = await relay.send(mail);
    await waiting.settled();
    expect(await deliveryOf(relay, id)).toMatchObject({
      state: 'deferred',
      reason: SAID.blocked.reply,
      route: 'first',
    });
    say.backup = SAID.sent;
    await clock.advance(30 * MINUTE);
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'sent', route: 'backup' });
  });

  it.each([
    ['could not be reached', SAID.down],
    ['is at its quota', SAID.quota],
  ])('goes back to a route before that %s', async (_, said) => {
    const { say, relay, clock, waiting } = twoRoutes(said, SAID.blocked);
    const { id } = await relay.send(mail);
    await waiting.settled();
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'deferred', attempts: 2, route: 'first' });
    say.first = SAID.sent;
    await clock.advance(30 * MINUTE);
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'sent', route: 'first' });
  });

  it('bounces where every route that takes it refuses us, or the recipient is not there', async () => {
    const blocked = twoRoutes(SAID.blocked, SAID.blocked);
    const { id } = await blocked.relay.send(mail);
    await blocked.waiting.settled();
    expect(await deliveryOf(blocked.relay, id)).toMatchObject({ state: 'bounced', attempts: 2, route: 'backup' });
    const missing = twoRoutes(SAID.down, SAID.noSuchUser);
    const other = await missing.relay.send(mail);
    await missing.waiting.settled();
    expect(await deliveryOf(missing.relay, other.id)).toMatchObject({ state: 'bounced', attempts: 2 });
  });

  it('bounces, with what was said, once it is too old to wait', async () => {
    const routes = [scripted('first', () => SAID.down), scripted('backup', () => SAID.blocked)];
    const { relay, clock, waiting } = clockedRelay({ routes, queue: { maxAgeMs: 60 * MINUTE } });
    const { id } = await relay.send(mail);
    await waiting.settled();
    await clock.advance(2 * 60 * MINUTE);
    expect(await deliveryOf(relay, id)).toMatchObject({ state: 'bounced', reason: SAID.blocked.reply });
  });

  it('goes out from another local address where a rule of shaping says so', async () => {
    const refused: string[] = [];
    const host = await mailHost('127.0.0.2', 0, {
      onRcptTo(_, session, done) {
        if (session.remoteAddress === '127.0.1.2') return done();
        refused.push(session.remoteAddress);
        return done(Object.assign(new Error('5.7.1 Client host blocked using a list'), { responseCode: 554 }));
      },
    });
    const dns = await fakeDns({ 'one.test': { MX: [[10, 'mx.one.test']] }, 'mx.one.test': { A: ['127.0.0.2'] } });
    const mx = directMx({
      hostname: 'out.sender.test',
      localAddresses: ['127.0.1.1', '127.0.1.2'],
      ports: { smtp: host.port },
      dns: { servers: [dns.server], timeoutMs: 2000, tries: 1 },
      allowPrivateAddresses: true,
      mtaSts: false,
    });
    const rule = { name: 'blocked', reason: 'blocked-ip', action: 'move', forMs: 3_600_000 } as const;
    const relay = relayWith({ routes: [mx], shaping: { rules: [rule] }, queue: { retryFirstMs: 1, retryMaxMs: 1 } });
    await relay.start();
    const to = Array.from({ length: 20 }, (_, n) => `n${n}@one.test`);
    const { id } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
    await expect.poll(async () => (await relay.messages.get(id))?.counts, { timeout: 10_000 }).toEqual({ sent: 20 });
    expect(new Set(host.taken.map(({ from }) => from))).toEqual(new Set(['127.0.1.2']));
    expect(refused.length).toBeGreaterThan(0);
  }, 20_000);
});
