import { spf } from 'mailauth/lib/spf/index.js';
import { describe, expect, it } from 'vitest';
import { expand, macroProblem } from '../../../packages/core/src/domains/spf-macros.ts';
import { directMx, type MailRelayOptions, mailgun, sarbacane, ses } from '../../../packages/core/src/index.ts';
import { fakeResolver } from '../../support/published.ts';
import { relayWith } from '../../support/relay.ts';
import { found } from './setting.ts';

describe('macros, as the examples of RFC 7208 section 7.4 have them', () => {
  const context = { domain: 'email.example.com', sender: 'email.example.com', address: '192.0.2.3' };
  it.each([
    ['%{o}', 'email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%%%_%-', '% %20'],
  ])('%s is %s', (text, expanded) => {
    expect(expand(text, context)).toBe(expanded);
  });

  it('of an IPv6 address are its digits', () => {
    const name = expand('%{ir}.%{v}._spf.%{d2}', { ...context, address: '2001:db8::cb01' });
    expect(name).toBe('1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com');
  });

  it('that need what nobody knows beforehand are not guessed, and what is none is said', () => {
    for (const text of ['%{l}._spf.example.com', '%{s}.x', '%{h}.x', '%{p}.x'])
      expect(expand(text, context)).toBeUndefined();
    expect(expand('%{i}.x', { ...context, address: undefined })).toBeUndefined();
    for (const text of ['%', '%x', '%{z}', '100%']) expect(macroProblem(text)).toBeDefined();
    expect(macroProblem('%{ir}.%{d2r-}.%%')).toBeUndefined();
  });
});

const MACROS: Readonly<Record<string, readonly string[]>> = {
  'TXT acme.example': [
    'v=spf1 exists:%{ir}.%{v}._allow.%{d} include:_%{o2r}.lists.example redirect=%{d1}.rest.example',
  ],
  'A 1.2.0.192.in-addr._allow.acme.example': ['127.0.0.2'],
  'TXT _example.acme.lists.example': ['v=spf1 a:out-%{v}.lists.example -all'],
  'A out-in-addr.lists.example': ['192.0.2.77'],
  'TXT example.rest.example': ['v=spf1 ip4:198.51.100.0/24 -all'],
};

describe('SPF with macros', () => {
  it.each(['192.0.2.1', '192.0.2.2', '192.0.2.77', '198.51.100.9', '203.0.113.1'])(
    'judges %s as mailauth does',
    async (ip) => {
      const resolver = fakeResolver({ records: MACROS });
      const { status } = (await spf({
        ip,
        sender: 'a@acme.example',
        helo: 'x.example',
        resolver: async (name: string, type: string) => {
          if (type === 'TXT') return resolver.resolveTxt(name);
          return type === 'A' ? resolver.resolve4(name) : resolver.resolve6(name);
        },
      })) as { status: { result: string } };
      const { code } = await found('spf', { records: MACROS, addresses: [ip], includes: [] });
      expect(code).toBe(status.result === 'pass' ? 'spf-ok' : 'spf-sender');
    },
  );

  it('of the sender make no finding about addresses', async () => {
    const records = { 'TXT acme.example': ['v=spf1 exists:%{l}.users.acme.example -all'] };
    expect(await found('spf', { records, addresses: ['192.0.2.1'], includes: [] })).toMatchObject({ code: 'spf-ok' });
    const redirect = { 'TXT acme.example': ['v=spf1 redirect=%{l}.users.acme.example'] };
    expect((await found('spf', { records: redirect, addresses: ['192.0.2.1'], includes: [] })).status).not.toBe(
      'problem',
    );
  });

  it('finds macros that are none', async () => {
    const records = { 'TXT acme.example': ['v=spf1 exists:%{z}.acme.example -all'] };
    expect(await found('spf', { records, includes: [] })).toMatchObject({ code: 'spf-syntax', status: 'problem' });
  });
});

describe('limits of SPF (RFC 7208 section 4.6.4)', () => {
  const spfOf = (record: string, more: Record<string, readonly string[]> = {}) =>
    found('spf', { records: { 'TXT acme.example': [record], ...more }, addresses: [], includes: [] });

  it('two look-ups may find nothing, and a third is an error', async () => {
    expect(await spfOf('v=spf1 a:gone1.example mx:gone2.example -all')).toMatchObject({ code: 'spf-ok' });
    expect(await spfOf('v=spf1 a:gone1.example mx:gone2.example exists:gone3.example -all')).toMatchObject({
      code: 'spf-void',
      status: 'problem',
      says: expect.stringContaining('gone1.example, gone2.example, gone3.example'),
    });
  });

  it('mx asks for ten hosts at most', async () => {
    const hosts = Array.from({ length: 11 }, (_, index) => `m${index}.acme.example`);
    const more = {
      'MX acme.example': hosts.map((host) => `10 ${host}`),
      ...Object.fromEntries(hosts.map((host) => [`A ${host}`, ['192.0.2.9']])),
    };
    expect(await spfOf('v=spf1 mx -all', more)).toMatchObject({ code: 'spf-hosts', status: 'problem' });
  });
});

describe('check() knows the routes of the relay', () => {
  const login = { user: 'u@mg.example', pass: 'p' };
  const check = async (routes: MailRelayOptions['routes'], record?: string) => {
    const relay = relayWith({ thread: false, routes });
    const records = record === undefined ? {} : { 'TXT acme.example': [record] };
    return (await relay.domains.check('acme.example', { resolver: fakeResolver({ records }) })).findings;
  };

  it('addresses of direct MX have to be in SPF, and have a PTR', async () => {
    const route = directMx({
      hostname: 'out.acme.example',
      localAddresses: { transactional: ['192.0.2.1'], broadcast: ['2001:db8::1'] },
    });
    const findings = await check([route], 'v=spf1 -all');
    expect(findings.find(({ topic }) => topic === 'spf')).toMatchObject({
      code: 'spf-sender',
      publish: { value: 'v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all' },
    });
    expect(findings.filter(({ topic }) => topic === 'ptr').map(({ name }) => name)).toEqual([
      '192.0.2.1',
      '2001:db8::1',
    ]);
  });

  it('providers are advice: most have an envelope sender of their own', async () => {
    const routes = [ses({ ...login, region: 'eu-west-3' }), mailgun(login), sarbacane({ user: 'u', apiKey: 'k' })];
    const [finding] = await check(routes, 'v=spf1 include:mailgun.org -all');
    // mailgun.org has no record here.
    expect(finding).toMatchObject({ code: 'spf-broken' });
    const [advice] = await check(routes, 'v=spf1 ip4:192.0.2.1 -all');
    expect(advice).toMatchObject({
      code: 'spf-provider',
      status: 'advice',
      publish: { value: 'v=spf1 include:amazonses.com include:mailgun.org ip4:192.0.2.1 -all' },
    });
    expect((await check(routes))[0]).toMatchObject({
      code: 'spf-missing',
      publish: { value: 'v=spf1 include:amazonses.com include:mailgun.org ~all' },
    });
  });

  it('routes that take no mail of the domain are left out', async () => {
    const routes = [
      mailgun({ ...login, takes: { senderDomain: '*.other.example' } }),
      ses({ ...login, region: 'eu-west-3', takes: { senderDomain: 'acme.example', stream: 'broadcast' } }),
    ];
    const [advice] = await check(routes, 'v=spf1 -all');
    expect(advice?.publish?.value).toBe('v=spf1 include:amazonses.com -all');
  });
});
