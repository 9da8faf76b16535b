/** What findings about MX, MTA-STS, the return path and PTR ask to publish. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directMx } from '../../../packages/core/src/index.ts';
import { asked, publishAll } from './publish.ts';
import { found, GOOD, POLICY, type Setting } from './setting.ts';

const topicOf = (code: string) =>
  /^(mx|mta-sts|return-path|ptr)/.exec(code)?.[1] as 'mx' | 'mta-sts' | 'return-path' | 'ptr';

const HOST = 'out.acme.example';
const routes = [directMx({ hostname: HOST })];
const noMx = { 'MX acme.example': [] };
const nullMx = { 'MX acme.example': ['0 .'] };
const ADDRESS = { 'A acme.example': ['192.0.2.8'] };
/** With bounces that go to a server of ours. */
const BOUNCES = {
  'TXT bounces.acme.example': ['v=spf1 ip4:192.0.2.1 include:_spf.provider.example -all'],
  'MX bounces.acme.example': ['5 mx.acme.example'],
};
const bouncing = (records: Setting['records'], options: object = {}): Setting => ({
  records: { ...BOUNCES, ...records },
  relay: { bounceDomain: 'bounces.acme.example', ...options },
});
const URL = 'https://mta-sts.acme.example/.well-known/mta-sts.txt';
const testing = (...hosts: string[]) => [
  URL,
  'version: STSv1',
  'mode: testing',
  ...hosts.map((host) => `mx: ${host}`),
  'max_age: 604800',
];
const sts = (...records: string[]): Setting => ({ records: { 'TXT _mta-sts.acme.example': records } });
const STS = 'TXT _mta-sts.acme.example v=STSv1; id';
const TWO_HOSTS = {
  'MX acme.example': ['10 mx.acme.example', '20 a.b.backup.example'],
  'A a.b.backup.example': ['192.0.2.3'],
};
const enforced = (...hosts: string[]) => [
  URL,
  'version: STSv1',
  'mode: enforce',
  'mx: mx.acme.example',
  'mx: *.backup.example',
  'max_age: 604800',
  ...hosts.map((host) => `mx: ${host}`),
];

type Row = readonly [code: string, what: string, setting: Setting, publish: readonly string[]];

const NAMED: readonly Row[] = [
  ['mx-missing', 'with a machine that sends', { records: noMx, relay: { routes } }, [`MX acme.example 10 ${HOST}`]],
  ['mx-missing', 'with a bounce domain', bouncing(noMx), ['MX acme.example 10 mx.acme.example']],
  ['mx-null', 'with a machine that sends', { records: nullMx, relay: { routes } }, [`MX acme.example 10 ${HOST}`]],
  ['mx-implicit', '', { records: { ...noMx, ...ADDRESS } }, ['MX acme.example 10 acme.example']],
  [
    'mx-dead',
    'with another machine that sends',
    { records: { 'A mx.acme.example': [] }, relay: { routes } },
    [`MX acme.example 10 ${HOST}`],
  ],
  [
    'mx-dead',
    'the machine that sends',
    { records: { 'MX acme.example': [`10 ${HOST}`], [`A ${HOST}`]: [] }, relay: { routes } },
    [`A ${HOST} 192.0.2.1`],
  ],
  ['return-path-missing', 'the domain itself', { records: noMx, relay: { routes } }, [`MX acme.example 10 ${HOST}`]],
  [
    'return-path-missing',
    '',
    bouncing({ 'MX bounces.acme.example': [] }),
    ['MX bounces.acme.example 10 mx.acme.example'],
  ],
  [
    'return-path-null',
    'with a machine that sends',
    bouncing({ 'MX bounces.acme.example': ['0 .'] }, { routes }),
    [`MX bounces.acme.example 10 ${HOST}`],
  ],
  [
    'return-path-implicit',
    'whose address may be a web server',
    bouncing({ 'MX bounces.acme.example': [], 'A bounces.acme.example': ['192.0.2.8'] }),
    ['MX bounces.acme.example 10 mx.acme.example'],
  ],
  [
    'return-path-implicit',
    'of the domain itself',
    { records: { ...noMx, ...ADDRESS } },
    ['MX acme.example 10 acme.example'],
  ],
  [
    'return-path-dead',
    '',
    bouncing({ 'MX bounces.acme.example': ['5 gone.acme.example'] }),
    ['MX bounces.acme.example 10 mx.acme.example'],
  ],
  [
    'return-path-spf',
    '',
    bouncing({ 'TXT bounces.acme.example': [] }),
    ['TXT bounces.acme.example v=spf1 include:_spf.provider.example ip4:192.0.2.1 ~all'],
  ],
  ['mta-sts-missing', '', sts(), [...testing('mx.acme.example'), `${STS}=1`]],
  [
    'mta-sts-missing',
    'of several hosts',
    { records: { ...sts().records, ...TWO_HOSTS } },
    [...testing('mx.acme.example', 'a.b.backup.example'), `${STS}=1`],
  ],
  [
    'mta-sts-missing',
    'of a domain whose MX is yet to come',
    { records: { ...sts().records, ...noMx }, relay: { routes } },
    [...testing(HOST), `${STS}=1`],
  ],
  [
    'mta-sts-missing',
    'of an address alone',
    { records: { ...sts().records, ...noMx, ...ADDRESS } },
    [...testing('acme.example'), `${STS}=1`],
  ],
  ['mta-sts-several', '', sts('v=STSv1; id=2026', 'v=STSv1; id=2025'), [`${STS}=2026`]],
  ['mta-sts-several', 'of which none is one', sts('v=STSv1;', 'v=STSv1; id=?'), [`${STS}=1`]],
  ['mta-sts-invalid', '', sts('v=STSv1; id=20-26'), [`${STS}=1`]],
  ['mta-sts-policy', 'none', { policy: 'hello' }, [...testing('mx.acme.example'), `${STS}=2027;`]],
  [
    'mta-sts-policy',
    'no answer',
    { ...sts('v=STSv1; id=20260101T09; other=1'), fetch: () => Promise.reject(new Error('no')) },
    [...testing('mx.acme.example'), `${STS}=20260101T10; other=1`],
  ],
  ['mta-sts-mx', '', { records: TWO_HOSTS }, [...enforced('a.b.backup.example'), `${STS}=2027;`]],
  [
    'mta-sts-mode',
    'testing',
    { policy: POLICY.replace('enforce', 'testing'), ...sts('v=STSv1; id=a') },
    [...enforced(), `${STS}=a1`],
  ],
  [
    'mta-sts-mode',
    'none',
    { policy: 'version: STSv1\nmode: none\nmax_age: 86400\n', ...sts(`v=STSv1; id=${'z'.repeat(32)}`) },
    [...testing('mx.acme.example'), `${STS}=1`],
  ],
  ['ptr-missing', '', { records: { 'PTR 192.0.2.1': [] }, relay: { routes } }, [`PTR 1.2.0.192.in-addr.arpa ${HOST}`]],
  ['ptr-unconfirmed', '', { records: { [`A ${HOST}`]: ['192.0.2.2'] } }, [`A ${HOST} 192.0.2.1`]],
  [
    'ptr-unconfirmed',
    'another name than that in EHLO',
    { records: { 'PTR 192.0.2.1': ['vm7.hoster.example'], [`A ${HOST}`]: [] }, relay: { routes } },
    [`PTR 1.2.0.192.in-addr.arpa ${HOST}`],
  ],
  [
    'ptr-other',
    '',
    {
      records: { 'PTR 192.0.2.1': ['vm7.hoster.example'], 'A vm7.hoster.example': ['192.0.2.1'] },
      relay: { routes },
    },
    [`PTR 1.2.0.192.in-addr.arpa ${HOST}`],
  ],
];

describe('findings about MX, MTA-STS, the return path and PTR name what to publish', () => {
  it.each(NAMED)('%s %s', async (code, _, setting, publish) => {
    const finding = await found(topicOf(code), setting);
    expect([finding.code, ...asked(finding)]).toEqual([code, ...publish]);
  });

  it.each(NAMED)('%s %s is mended by what is published', async (code, _, setting) => {
    const rounds = await publishAll(setting);
    expect(rounds[0]?.map((one) => one.code)).toContain(code);
    expect(rounds.at(-1)?.map((one) => one.code)).toEqual([]);
  });
});

it('a domain that publishes nothing comes to everything, step by step', async () => {
  const relay = {
    bounceDomain: 'bounces.acme.example',
    routes: [directMx({ hostname: HOST, localAddresses: ['192.0.2.1', '2001:db8::1'] })],
  };
  const nothing = Object.fromEntries(Object.keys(GOOD).map((key) => [key, []]));
  const rounds = await publishAll({ records: nothing, relay, addresses: undefined, includes: [], policy: '' });
  expect(rounds.map((round) => round.map(({ code }) => code))).toMatchInlineSnapshot(`
    [
      [
        "spf-missing",
        "dkim-missing",
        "dkim-missing",
        "dmarc-missing",
        "mx-missing",
        "mta-sts-missing",
        "return-path-missing",
        "ptr-missing",
        "ptr-missing",
      ],
      [
        "dmarc-none",
        "mx-dead",
        "mta-sts-mode",
        "return-path-dead",
        "ptr-unconfirmed",
        "ptr-unconfirmed",
      ],
      [],
    ]
  `);
});

describe('findings about MX, MTA-STS, the return path and PTR without a record say why', () => {
  it.each<readonly [code: string, what: string, setting: Setting, says: RegExp]>([
    ['mx-missing', '', { records: noMx }, /Publish an MX record that names the server with its mailboxes/],
    ['mx-null', '', { records: nullMx }, /Publish an MX record that names the server with its mailboxes/],
    ['mx-dead', '', { records: { 'A mx.acme.example': [] } }, /Publish an A or AAAA record of mx\.acme\.example/],
    [
      'mx-dead',
      'one of two',
      { records: { 'MX acme.example': ['10 mx.acme.example', '20 gone.acme.example'] } },
      /Publish an A or AAAA record of gone\.acme\.example, or take its MX record out/,
    ],
    [
      'mx-dead',
      'the machine that sends, from nobody knows where',
      { records: { 'MX acme.example': [`10 ${HOST}`], [`A ${HOST}`]: [] }, relay: { routes }, addresses: undefined },
      /Publish an A or AAAA record of out\.acme\.example/,
    ],
    ['return-path-missing', '', bouncing({ 'MX bounces.acme.example': [], ...noMx }), /Lead bounces to a server/],
    [
      'return-path-missing',
      'of somebody else',
      { returnPath: 'bounces.provider.example' },
      /Whoever takes bounces there, such as a provider, names the MX record/,
    ],
    [
      'return-path-spf',
      '',
      { ...bouncing({ 'TXT bounces.acme.example': [] }), addresses: [], includes: [] },
      /give `addresses` or `includes`/,
    ],
    [
      'return-path-unaligned',
      '',
      {
        relay: { bounceDomain: 'bounces.other.example' },
        records: { 'TXT bounces.other.example': ['v=spf1 -all'], 'MX bounces.other.example': ['5 mx.acme.example'] },
      },
      /no record, but `bounceDomain`/,
    ],
    [
      'mta-sts-missing',
      '',
      { records: { ...sts().records, ...noMx } },
      /names the MX hosts: publish an MX record first/,
    ],
    ['ptr-missing', '', { records: { 'PTR 192.0.2.1': [] } }, /PTR record of 1\.2\.0\.192\.in-addr\.arpa/],
    [
      'ptr-hostname',
      '',
      { records: { [`A ${HOST}`]: [] }, relay: { routes }, addresses: undefined },
      /publish an A or AAAA record with the address that mail leaves from/,
    ],
  ])('%s %s', async (code, _, setting, says) => {
    const finding = await found(topicOf(code), setting);
    expect([finding.code, ...asked(finding)]).toEqual([code]);
    expect(finding.says).toMatch(says);
  });

  it('a policy need not name an MX that is only proposed', async () => {
    expect(await found('mta-sts', { records: noMx, relay: { routes } })).toMatchObject({ code: 'mta-sts-ok' });
  });

  it('mta-sts-missing says what the policy needs beside its text', async () => {
    const { says } = await found('mta-sts', sts());
    expect(says).toMatch(/mta-sts\.acme\.example needs an address record \(A, AAAA or CNAME\).*certificate/);
  });
});

it('each code of a problem or advice has its place in these tables', () => {
  const textOf = (folder: string, name: RegExp): string =>
    readdirSync(folder)
      .filter((file) => name.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
  const source = textOf(join(import.meta.dirname, '../../../packages/core/src/domains'), /\.ts$/);
  const codes = [...source.matchAll(/'((?:spf|dkim|dmarc|mta-sts|return-path|ptr)-[a-z-]+)'/g)].map(([, code]) => code);
  const tables = textOf(import.meta.dirname, /^publish-.*\.test\.ts$/);
  const isAbsent = (code: string | undefined): boolean =>
    !/-(?:ok|unknown)$/.test(code ?? '') && !tables.includes(`'${code}'`);
  expect(codes.length).toBeGreaterThan(30);
  expect([...new Set(codes)].filter(isAbsent)).toEqual([]);
});
