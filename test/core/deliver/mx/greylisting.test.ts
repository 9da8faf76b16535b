import { expect, it } from 'vitest';
import { directMx } from '../../../../packages/core/src/index.ts';
import { fakeDns } from '../../../support/dns.ts';
import { clockedRelay } from '../../../support/scripted.ts';
import { mailHost } from './support.ts';

const MINUTE = 60_000;

it('greylisting lets mail of direct MX through: each try comes from the same address, and not too early', async () => {
  const tries = new Map<string, { readonly from: string; readonly at: number }[]>();
  const host = await mailHost('127.0.0.2', 0, {
    onRcptTo({ address }, { remoteAddress: from }, done) {
      const before = tries.get(address) ?? [];
      const at = clock.now();
      tries.set(address, [...before, { from, at }]);
      // As RFC 6647 section 2.3: by the client's address and the recipient, and for some minutes.
      if (before.some((one) => one.from === from && at - one.at >= 4 * MINUTE)) return done();
      return done(Object.assign(new Error('4.7.1 Greylisted, please try again'), { responseCode: 451 }));
    },
  });
  const dns = await fakeDns({ 'one.test': { MX: [[10, 'mx.one.test']] }, 'mx.one.test': { A: ['127.0.0.2'] } });
  const localAddresses = ['127.0.1.1', '127.0.1.2', '127.0.1.3'];
  const mx = directMx({
    hostname: 'out.sender.test',
    localAddresses,
    ports: { smtp: host.port },
    dns: { servers: [dns.server], timeoutMs: 2000, tries: 1 },
    allowPrivateAddresses: true,
    mtaSts: false,
  });
  const { relay, clock, waiting } = clockedRelay({ routes: [mx], queue: { retryFirstMs: MINUTE } });
  const to = Array.from({ length: 40 }, (_, n) => `r${n}@one.test`);
  const { id } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
  await waiting.settled();
  expect((await relay.messages.get(id))?.counts).toEqual({ deferred: 40 });
  await clock.advance(30 * MINUTE);
  const record = await relay.messages.get(id);
  expect(record?.counts).toEqual({ sent: 40 });
  expect(record?.deliveries.map(({ attempts }) => attempts)).toEqual(Array(40).fill(2));
  for (const own of tries.values()) expect(new Set(own.map(({ from }) => from)).size).toBe(1);
  expect(new Set([...tries.values()].map(([first]) => first?.from))).toEqual(new Set(localAddresses));
});
