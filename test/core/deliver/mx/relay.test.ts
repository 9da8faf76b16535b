import { expect, it } from 'vitest';
import { directMx, type MessageEvent } from '../../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../../support/certificate.ts';
import { fakeDns } from '../../../support/dns.ts';
import { relayWith } from '../../../support/relay.ts';
import { mailHost } from './support.ts';

it('a relay sends straight to the mail servers of each domain, and keeps what was said', async () => {
  const first = await mailHost('127.0.0.2', 0, { disabledCommands: [], ...localhostCertificate(['elsewhere.test']) });
  const second = await mailHost('127.0.0.3', first.port);
  const dns = await fakeDns({
    'one.test': {
      MX: [
        [10, 'dead.one.test'],
        [20, 'mx.one.test'],
      ],
    },
    'dead.one.test': { A: ['127.0.0.8'] },
    'mx.one.test': { A: ['127.0.0.2'] },
    'two.test': { A: ['127.0.0.3'] },
    'null.test': { MX: [[0, '.']] },
    'broken.test': 'SERVFAIL',
  });
  const relay = relayWith({
    routes: [
      directMx({
        hostname: 'out.sender.test',
        localAddresses: { transactional: ['127.0.1.1'], broadcast: ['127.0.1.2'] },
        ports: { smtp: first.port },
        dns: { servers: [dns.server], timeoutMs: 2000, tries: 1 },
        allowPrivateAddresses: true,
      }),
    ],
  });
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  await relay.start();
  const to = ['a@one.test', 'b@two.test', 'c@null.test', 'd@broken.test', 'e@nowhere.test'];
  const { id } = await relay.send({ to, subject: 'Hello', text: 'Hello' });
  await relay.sendMany(['n@two.test'], { campaign: 'spring', subject: 'Spring', text: 'Spring' });
  await expect.poll(() => events.filter(({ type }) => type !== 'accepted').length).toBe(6);
  const states = (await relay.messages.get(id))?.deliveries.map(({ recipient, state }) => `${recipient} ${state}`);
  expect(states?.sort()).toEqual([
    'a@one.test sent',
    'b@two.test sent',
    'c@null.test bounced',
    'd@broken.test deferred',
    'e@nowhere.test bounced',
  ]);
  const reasons = events.flatMap((event) => ('status' in event ? [`${event.recipient} ${event.reason}`] : []));
  expect(reasons.sort()).toEqual(['c@null.test null-mx', 'd@broken.test dns', 'e@nowhere.test no-such-domain']);
  expect(events.find(({ recipient, type }) => recipient === 'a@one.test' && type === 'sent')).toMatchObject({
    transcript: {
      route: 'mx',
      host: 'mx.one.test',
      address: '127.0.0.2',
      localAddress: '127.0.1.1',
      tls: true,
      tlsVersion: 'TLSv1.3',
      considered: ['10 dead.one.test', '20 mx.one.test'],
    },
  });
  expect(second.taken.map(({ to, from }) => `${to} ${from}`).sort()).toEqual([
    'b@two.test 127.0.1.1',
    'n@two.test 127.0.1.2',
  ]);
  // A domain that does not work is no fault of the route, and nobody is suppressed for what the DNS said.
  expect((await relay.health()).failing).toEqual([]);
  expect((await relay.suppressions.list()).items).toEqual([]);
});
