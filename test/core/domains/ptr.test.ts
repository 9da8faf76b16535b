import { describe, expect, it } from 'vitest';
import { type DomainFinding, type DomainReport, directMx, type RouteSpec } from '../../../packages/core/src/index.ts';
import { fakeResolver } from '../../support/published.ts';
import { relayWith } from '../../support/relay.ts';

const HOST = 'out.acme.example';
const SPF = { 'TXT acme.example': ['v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all'] };

interface Setting {
  readonly records?: Readonly<Record<string, readonly string[]>>;
  readonly fail?: readonly string[];
  readonly routes?: readonly RouteSpec[];
  readonly addresses?: readonly string[];
}

async function report({ records = {}, fail = [], routes, addresses }: Setting): Promise<DomainReport> {
  const relay = relayWith({ thread: false, routes: routes ?? [directMx({ hostname: HOST })] });
  const resolver = fakeResolver({ records: { ...SPF, ...records }, fail });
  return relay.domains.check('acme.example', { resolver, ...(addresses === undefined ? {} : { addresses }) });
}

const findings = async (topic: DomainFinding['topic'], setting: Setting): Promise<DomainFinding[]> =>
  (await report(setting)).findings.filter((one) => one.topic === topic);

const line = ({ code, name, publish }: DomainFinding): string =>
  [code, name, ...(publish === undefined ? [] : [publish.type, publish.name, publish.value])].join(' ');

describe('PTR of a machine that sends straight to MX', () => {
  it('is looked at for the addresses of its hostname, where no local addresses are given', async () => {
    const records = {
      [`A ${HOST}`]: ['192.0.2.1'],
      [`AAAA ${HOST}`]: ['2001:db8::1'],
      'PTR 192.0.2.1': ['OUT.acme.example.'],
      'PTR 2001:db8::1': [HOST],
    };
    expect((await findings('ptr', { records })).map(line)).toEqual(['ptr-ok 192.0.2.1', 'ptr-ok 2001:db8::1']);
    const spf = { 'TXT acme.example': ['v=spf1 ip4:198.51.100.1 -all'] };
    expect(await findings('spf', { records: { ...records, ...spf } })).toMatchObject([
      {
        code: 'spf-sender',
        publish: { value: 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ip4:198.51.100.1 -all' },
      },
    ]);
  });

  it('is to be published where it is missing, for IPv4 and IPv6', async () => {
    const records = { [`A ${HOST}`]: ['192.0.2.1'], [`AAAA ${HOST}`]: ['2001:db8::1'] };
    const found = await findings('ptr', { records });
    expect(found.map(line)).toEqual([
      `ptr-missing 192.0.2.1 PTR 1.2.0.192.in-addr.arpa ${HOST}`,
      `ptr-missing 2001:db8::1 PTR ${'1.0.0.0.'.padEnd(48, '0.')}8.b.d.0.1.0.0.2.ip6.arpa ${HOST}`,
    ]);
    expect(found.map(({ status }) => status)).toEqual(['problem', 'problem']);
  });

  it.each<[string, Setting['records'], string, string]>([
    [
      'another name, which leads back',
      { 'PTR 192.0.2.1': ['vm7.hoster.example'], 'A vm7.hoster.example': ['192.0.2.1'] },
      'advice',
      `ptr-other 192.0.2.1 PTR 1.2.0.192.in-addr.arpa ${HOST}`,
    ],
    [
      'another name, which leads elsewhere',
      { 'PTR 192.0.2.1': ['vm7.hoster.example'], 'A vm7.hoster.example': ['192.0.2.7'] },
      'problem',
      `ptr-unconfirmed 192.0.2.1 PTR 1.2.0.192.in-addr.arpa ${HOST}`,
    ],
    [
      'the hostname beside another name',
      { 'PTR 192.0.2.1': ['vm7.hoster.example', HOST], 'A vm7.hoster.example': ['192.0.2.1'] },
      'ok',
      'ptr-ok 192.0.2.1',
    ],
  ])('%s', async (_, more, status, expected) => {
    const [found] = await findings('ptr', { records: { [`A ${HOST}`]: ['192.0.2.1'], ...more } });
    expect(line(found as DomainFinding)).toBe(expected);
    expect(found).toMatchObject({ status, found: more?.['PTR 192.0.2.1'] });
  });

  it('of a local address whose name does not lead back asks for the address of the name', async () => {
    const routes = [directMx({ hostname: HOST, localAddresses: ['192.0.2.1', '2001:DB8:0:0::1'] })];
    const records = { 'PTR 192.0.2.1': [HOST], 'PTR 2001:DB8:0:0::1': [HOST], [`AAAA ${HOST}`]: ['2001:db8::1'] };
    expect((await findings('ptr', { routes, records })).map(line)).toEqual([
      `ptr-unconfirmed 192.0.2.1 A ${HOST} 192.0.2.1`,
      'ptr-ok 2001:DB8:0:0::1',
    ]);
  });

  it('has the name of its own route', async () => {
    const routes = [
      directMx({ name: 'one', hostname: 'one.acme.example', localAddresses: { broadcast: ['192.0.2.1'] } }),
      directMx({ name: 'two', hostname: 'two.acme.example' }),
    ];
    const records = {
      'PTR 192.0.2.1': ['two.acme.example'],
      'A two.acme.example': ['192.0.2.1', '192.0.2.2'],
      'PTR 192.0.2.2': ['two.acme.example'],
    };
    // Mail leaves from the first with both names, and one of them fits.
    expect((await findings('ptr', { routes, records })).map(line)).toEqual(['ptr-ok 192.0.2.1', 'ptr-ok 192.0.2.2']);
    expect((await findings('ptr', { routes: routes.slice(0, 1), records })).map(line)).toEqual([
      'ptr-other 192.0.2.1 PTR 1.2.0.192.in-addr.arpa one.acme.example',
    ]);
  });

  it('of addresses that the call names is compared with the hostname as well', async () => {
    const records = { 'PTR 192.0.2.1': ['vm7.hoster.example'], 'A vm7.hoster.example': ['192.0.2.1'] };
    const addresses = ['192.0.2.1'];
    expect((await findings('ptr', { records, addresses })).map(({ code }) => code)).toEqual(['ptr-other']);
    expect((await findings('ptr', { records, addresses: [] })).map(line)).toEqual([]);
    // Without direct MX no name is asked for.
    const found = await findings('ptr', { records: {}, addresses, routes: [] });
    expect(found.map(line)).toEqual(['ptr-missing 192.0.2.1']);
  });

  it('says that the hostname has no address, and that DNS did not tell', async () => {
    const { ok, findings: all } = await report({});
    expect(ok).toBe(false);
    expect(all.filter(({ topic }) => topic === 'ptr')).toMatchObject([
      { code: 'ptr-hostname', name: HOST, status: 'problem', found: [] },
    ]);
    const unknown = await findings('ptr', { fail: [`A ${HOST}`] });
    expect(unknown).toMatchObject([{ code: 'ptr-unknown', name: HOST, status: 'unknown' }]);
    expect((await findings('spf', { fail: [`A ${HOST}`] })).map(({ code }) => code)).toEqual(['spf-ok']);
  });
});
