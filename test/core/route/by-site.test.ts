import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../packages/core/src/clock.ts';
import {
  type DirectMxOptions,
  directMx,
  type MailRelay,
  type MailRelayOptions,
  type MessageEvent,
  type RouteRules,
  smtp,
} from '../../../packages/core/src/index.ts';
import { type FakeDns, fakeDns, type Zone } from '../../support/dns.ts';
import { relayWith } from '../../support/relay.ts';
import { type Inbox, smtpServer } from '../../support/smtp.ts';
import { mailHost } from '../deliver/mx/support.ts';

const ZONE: Zone = {
  'firm.test': { MX: [[1, 'aspmx.l.google.com']] },
  'shop.test': { MX: [[10, 'mx.hosting.test']] },
  'none.test': { MX: [[0, '']] },
  'broken.test': 'SERVFAIL',
  'silent.test': 'silence',
};
const message = { subject: 'Hi', text: 'Hello' } as const;
const MINUTE = 60_000;

interface Started {
  readonly relay: MailRelay;
  readonly dns: FakeDns;
  /** Takes the mail of the route that has the rules, and that of the one behind it. */
  readonly ruled: Inbox;
  readonly rest: Inbox;
  readonly events: MessageEvent[];
}

const direct = (dns: FakeDns, more: Partial<DirectMxOptions> = {}) =>
  directMx({
    name: 'direct',
    hostname: 'out.sender.test',
    dns: { servers: [dns.server], timeoutMs: 2000, tries: 1 },
    takes: { recipientDomain: 'by-mx.test' },
    allowPrivateAddresses: true,
    mtaSts: false,
    ...more,
  });

async function start(takes: RouteRules, options: MailRelayOptions = {}, rate?: string): Promise<Started> {
  const [dns, ruled, rest] = await Promise.all([fakeDns({ ...ZONE }), smtpServer(), smtpServer()]);
  const at = ({ port }: Inbox) => ({ host: '127.0.0.1', port, ignoreTls: true });
  const routes = [
    smtp(at(ruled), { name: 'ruled', takes, ...(rate === undefined ? {} : { rate }) }),
    smtp(at(rest), { name: 'rest' }),
    direct(dns),
  ];
  const relay = relayWith({ routes, ...options });
  const events: MessageEvent[] = [];
  relay.on('event', (event) => void events.push(event));
  await relay.start();
  return { relay, dns, ruled, rest, events };
}

const tookFrom = ({ mails }: Inbox): string[] => mails.map(({ to }) => to).sort();
const poll = <T>(what: () => T) => expect.poll(what, { timeout: 15_000 });

describe('a route by site', () => {
  it('takes the mail of domains that a receiver hosts, as the DNS says; the rest goes on', async () => {
    const { relay, dns, ruled, rest, events } = await start({ site: ['google', 'yahoo'] });
    const to = ['a@firm.test', 'b@gmail.com', 'c@shop.test', 'd@none.test', 'e@Firm.test'];
    await relay.send({ ...message, to });
    await poll(() => ruled.mails.length + rest.mails.length).toBe(5);
    expect(tookFrom(ruled)).toEqual(['a@firm.test', 'b@gmail.com', 'e@firm.test']);
    expect(tookFrom(rest)).toEqual(['c@shop.test', 'd@none.test']);
    await poll(() => events.filter(({ type }) => type === 'sent').length).toBe(5);
    expect(events.some(({ type }) => type === 'deferred')).toBe(false);
    expect(dns.questions.filter((question) => question === 'MX firm.test')).toHaveLength(1);
    expect(dns.questions).not.toContain('MX gmail.com');
  });

  it('is chosen as the mail is accepted, once the site is known', async () => {
    const { relay, rest } = await start({ site: 'hosting.test' });
    await relay.send({ ...message, to: ['a@shop.test', 'b@firm.test'] });
    await poll(() => rest.mails.length).toBe(1);
    await relay.lanes.pause('ruled');
    await relay.lanes.pause('rest');
    const { id } = await relay.send({ ...message, to: ['c@shop.test', 'd@firm.test', 'e@firm.test'] });
    const { deliveries = [] } = (await relay.messages.get(id)) ?? {};
    expect(deliveries.map(({ route }) => route)).toEqual(['ruled', 'rest', 'rest']);
  });

  it('waits while the DNS does not answer, holds up nobody, and goes the right way afterwards', async () => {
    let ahead = 0;
    const clock = { ...systemClock, now: () => Date.now() + ahead };
    const { relay, dns, ruled, rest, events } = await start({ site: 'google' }, { thread: false, clock });
    const to = ['a@broken.test', 'b@broken.test', 'c@shop.test'];
    const { id } = await relay.send({ ...message, to });
    const deferred = () => events.filter(({ type }) => type === 'deferred');
    await poll(() => deferred().length).toBe(2);
    await poll(() => rest.mails.length).toBe(1);
    expect(deferred()[0]).toMatchObject({ reason: 'dns', attempt: 0 });
    expect(deferred().some((event) => 'movedTo' in event && event.movedTo !== undefined)).toBe(false);
    const { reasons } = await relay.messages.explain((await relay.messages.get(id))?.deliveries[0]?.id ?? '');
    expect(reasons).toMatchObject([{ kind: 'retry', text: expect.stringMatching(/dns: .*broken\.test/) }]);
    expect(ruled.mails).toEqual([]);
    dns.zone['broken.test'] = { MX: [[1, 'aspmx.l.google.com']] };
    ahead += 5 * MINUTE;
    await poll(() => ruled.mails.length).toBe(2);
    expect(tookFrom(rest)).toEqual(['c@shop.test']);
  });

  it('keeps its place from no mail while name servers are silent', async () => {
    const { relay, rest } = await start({ site: 'google' });
    const silent = Array.from({ length: 60 }, (_, index) => `s${index}@silent.test`);
    await relay.sendMany([...silent, 'ada@shop.test'], { ...message, campaign: 'c' });
    await poll(() => tookFrom(rest)).toEqual(['ada@shop.test']);
    expect((await relay.messages.list({ recipient: 's0@silent.test' })).items[0]?.route).toBe('ruled');
  });

  it.each<[string, (relay: MailRelay) => Promise<void>, string | undefined]>([
    ['is paused', (relay) => relay.lanes.pause('ruled'), undefined],
    ['has sent what it may', async (relay) => void (await relay.send({ ...message, to: 'x@gmail.com' })), '1/day'],
  ])('does not keep what is not for it while it %s', async (_, prepare, rate) => {
    const { relay, ruled, rest } = await start({ site: 'google' }, {}, rate);
    await prepare(relay);
    if (rate !== undefined) await poll(() => ruled.mails.length).toBe(1);
    const people = Array.from({ length: 50 }, (__, index) => `p${index}@firm.test`);
    await relay.sendMany([...people, 'ada@shop.test', 'bob@shop.test'], { ...message, campaign: 'c' });
    await poll(() => tookFrom(rest)).toEqual(['ada@shop.test', 'bob@shop.test']);
    const { items } = await relay.messages.list({ campaign: 'c', state: 'queued', limit: 100 });
    expect(new Set(items.map(({ route }) => route))).toEqual(new Set(['ruled']));
    expect(items).toHaveLength(50);
  });

  it('moves mail out of the lanes of sites, too', async () => {
    const host = await mailHost('127.0.0.2');
    const [dns, rest] = await Promise.all([
      fakeDns({ ...ZONE, 'shop.test': { MX: [[1, 'mx.hosting.test']] }, 'mx.hosting.test': { A: ['127.0.0.2'] } }),
      smtpServer(),
    ]);
    const takes = { site: 'hosting.test' };
    const routes = [
      direct(dns, { takes, ports: { smtp: host.port } }),
      smtp({ host: '127.0.0.1', port: rest.port, ignoreTls: true }, { name: 'rest' }),
    ];
    const relay = relayWith({ routes });
    await relay.lanes.pause('direct');
    await relay.send({ ...message, to: ['a@shop.test', 'b@firm.test'] });
    await poll(() => tookFrom(rest)).toEqual(['b@firm.test']);
    await relay.lanes.resume('direct');
    await poll(() => host.taken.map(({ to }) => to)).toEqual(['a@shop.test']);
  });

  it('refuses what no route takes, and fails what turns out to be such', async () => {
    const dns = await fakeDns({ ...ZONE });
    const server = await smtpServer();
    const to = { host: '127.0.0.1', port: server.port, ignoreTls: true };
    const relay = relayWith({ routes: [smtp(to, { name: 'only', takes: { site: 'google' } }), direct(dns)] });
    await expect(relay.send({ ...message, to: 'a@yahoo.com' })).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' });
    const { id } = await relay.send({ ...message, to: 'a@shop.test' });
    await poll(async () => (await relay.messages.get(id))?.deliveries[0]).toMatchObject({
      state: 'failed',
      reason: 'no route takes mail to shop.test, of the site hosting.test',
    });
    await expect(relay.send({ ...message, to: 'b@shop.test' })).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' });
  });

  it('leaves mail alone that names its route', async () => {
    const { relay, ruled } = await start({ site: 'google' });
    await relay.send({ ...message, to: 'a@shop.test', route: 'ruled' });
    await poll(() => tookFrom(ruled)).toEqual(['a@shop.test']);
  });

  it.each(['microsoft', 'unresolved', '@example.com', 'Other'])('is refused at start with the site %s', (site) => {
    const routes = [smtp('smtp://127.0.0.1:1', { takes: [{ site: ['google', 'example.org', 'micro*'] }, { site }] })];
    expect(() => relayWith({ routes })).toThrow(
      expect.objectContaining({
        code: 'OPTIONS_INVALID',
        details: expect.objectContaining({ option: 'routes[0].takes.site' }),
      }),
    );
  });

  it('knows the sites of shaping', () => {
    const takes = { site: 'acme' };
    expect(() =>
      relayWith({
        routes: [smtp('smtp://127.0.0.1:1', { takes })],
        shaping: { sites: { acme: { mx: ['acme.test'] } } },
      }),
    ).not.toThrow();
  });
});
