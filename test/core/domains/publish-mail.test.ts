/** What findings about SPF, DKIM and DMARC ask to publish. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ses } from '../../../packages/core/src/index.ts';
import { ED25519, OTHER_RSA, RSA, recordOf } from '../../support/dkim.ts';
import { asked, publishAll } from './publish.ts';
import { found, type Setting } from './setting.ts';

type Row = readonly [code: string, what: string, setting: Setting, publish: string];

const spf = (...records: string[]): Setting => ({ records: { 'TXT acme.example': records } });
const also = (setting: Setting, records: Setting['records']): Setting => ({
  ...setting,
  records: { ...setting.records, ...records },
});
const dmarc = (...records: string[]): Setting => ({ records: { 'TXT _dmarc.acme.example': records } });
const dkim = (...records: string[]): Setting => ({ records: { 'TXT r1._domainkey.acme.example': records } });
const below = (record: string): Setting => ({ ...dmarc(record), domain: 'news.acme.example', fetch: noPolicy });
const noPolicy = () => Promise.reject(new Error('no'));
const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
const ALLOWED = 'ip4:192.0.2.1 include:_spf.provider.example';
const chain = Object.fromEntries(
  Array.from({ length: 12 }, (_, at) => [
    `TXT s${at}.example`,
    [`v=spf1 ${at === 11 ? '' : `include:s${at + 1}.example `}~all`],
  ]),
);
const manyHosts = {
  'MX many.example': Array.from({ length: 11 }, (_, at) => `${at} h${at}.example`),
  ...Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`A h${at}.example`, [`192.0.2.${at}`]])),
};
const OWN = 'TXT acme.example v=spf1';
const KEY = `TXT r1._domainkey.acme.example ${recordOf(RSA)}`;
const POLICY = 'TXT _dmarc.acme.example v=DMARC1;';

const NAMED: readonly Row[] = [
  ['spf-missing', '', spf(), `${OWN} include:_spf.provider.example ip4:192.0.2.1 ~all`],
  ['spf-several', '', spf('v=spf1 ip4:192.0.2.1 -all', `v=spf1 ${ALLOWED} a -all`), `${OWN} ${ALLOWED} a -all`],
  [
    'spf-several',
    'that end differently, one elsewhere',
    spf('v=spf1 ip4:192.0.2.1 exp=x.example -all', 'v=spf1 redirect=_spf.provider.example', 'v=spf1 ?all'),
    `${OWN} ${ALLOWED} ~all`,
  ],
  ['spf-broken', 'an include', spf(`v=spf1 include:nothing.example ${ALLOWED} -all`), `${OWN} ${ALLOWED} -all`],
  [
    'spf-broken',
    'nothing but an include',
    spf('v=spf1 include:nothing.example -all'),
    `${OWN} include:_spf.provider.example ip4:192.0.2.1 -all`,
  ],
  ['spf-loop', '', spf(`v=spf1 ${ALLOWED} include:acme.example -all`), `${OWN} ${ALLOWED} -all`],
  ['spf-syntax', '', spf(`v=spf1 ipv4:192.0.2.7 ${ALLOWED} -all`), `${OWN} ${ALLOWED} -all`],
  [
    'spf-syntax',
    'in what is included',
    also(spf(`v=spf1 include:odd.example ${ALLOWED} -all`), { 'TXT odd.example': ['v=spf1 ipv4:192.0.2.7 -all'] }),
    `${OWN} ${ALLOWED} -all`,
  ],
  [
    'spf-void',
    '',
    spf(`v=spf1 a:g1.example ~mx:g2.example exists:g3.example ${ALLOWED} a:g1.example/24 -all`),
    `${OWN} ${ALLOWED} -all`,
  ],
  [
    'spf-void',
    'beside an mx that still finds a host',
    also(spf(`v=spf1 mx a:g1.example a:g2.example ${ALLOWED} -all`), {
      'MX acme.example': ['10 mx.acme.example', '20 gone.acme.example'],
    }),
    `${OWN} mx ${ALLOWED} -all`,
  ],
  ['spf-open', '', spf(`v=spf1 ${ALLOWED} +all`), `${OWN} ${ALLOWED} ~all`],
  [
    'spf-open',
    'where a redirect leads',
    also(spf('v=spf1 redirect=_spf.acme.example'), { 'TXT _spf.acme.example': [`v=spf1 ${ALLOWED} all`] }),
    `TXT _spf.acme.example v=spf1 ${ALLOWED} ~all`,
  ],
  ['spf-sender', '', spf('v=spf1 a -all'), `${OWN} include:_spf.provider.example ip4:192.0.2.1 a -all`],
  [
    'spf-provider',
    '',
    also(
      {
        ...spf(`v=spf1 ${ALLOWED} -all`),
        relay: { routes: [ses({ region: 'eu-west-3', user: 'u', pass: 'p' })] },
      },
      { 'TXT amazonses.com': ['v=spf1 ip4:198.51.100.0/24 -all'] },
    ),
    `${OWN} include:amazonses.com ${ALLOWED} -all`,
  ],
  ['spf-all', '', spf(`v=spf1 ${ALLOWED} ?all`), `${OWN} ${ALLOWED} ~all`],
  [
    'spf-all',
    'where a redirect leads',
    also(spf('v=spf1 redirect=_spf.acme.example'), { 'TXT _spf.acme.example': [`v=spf1 ${ALLOWED}`] }),
    `TXT _spf.acme.example v=spf1 ${ALLOWED} ~all`,
  ],
  ['dkim-missing', '', dkim(), KEY],
  ['dkim-several', '', dkim(recordOf(RSA), recordOf(OTHER_RSA)), KEY],
  ['dkim-invalid', '', dkim('v=DKIM1; k=rsa'), KEY],
  ['dkim-revoked', '', dkim('v=DKIM1; p='), KEY],
  ['dkim-limited', '', dkim(`${recordOf(RSA)}; s=tls`), KEY],
  ['dkim-mismatch', '', dkim(recordOf(ED25519)), KEY],
  ['dkim-testing', '', dkim(`${recordOf(RSA)}; t=y`), KEY],
  ['dmarc-missing', '', dmarc(), `${POLICY} p=none`],
  [
    'dmarc-several',
    '',
    dmarc('v=DMARC1; p=reject', 'v=DMARC1; p=none; rua=mailto:a@acme.example'),
    `${POLICY} p=none; rua=mailto:a@acme.example`,
  ],
  ['dmarc-several', 'of which none is a policy', dmarc('v=DMARC1', 'v=DMARC1; p=x'), `${POLICY} p=none`],
  [
    'dmarc-several',
    'below a domain with one',
    {
      ...also(below('v=DMARC1; p=reject'), {
        'TXT _dmarc.news.acme.example': ['v=DMARC1; p=none', 'v=DMARC1; p=reject'],
      }),
    },
    'TXT _dmarc.news.acme.example v=DMARC1; p=none',
  ],
  [
    'dmarc-invalid',
    '',
    dmarc('v=DMARC1; adkim=s; p=refuse; rua=mailto:a@acme.example'),
    `${POLICY} p=none; adkim=s; rua=mailto:a@acme.example`,
  ],
  [
    'dmarc-none',
    '',
    dmarc('v=DMARC1;p=none;sp=reject;rua=mailto:a@acme.example,mailto:b@acme.example;fo=1'),
    `${POLICY} p=quarantine; sp=reject; rua=mailto:a@acme.example,mailto:b@acme.example; fo=1`,
  ],
  [
    'dmarc-none',
    'that only asks for reports',
    dmarc('v=DMARC1; rua=mailto:a@acme.example'),
    `${POLICY} p=quarantine; rua=mailto:a@acme.example`,
  ],
  [
    'dmarc-none',
    'of the domain above',
    below('v=DMARC1; p=reject; sp=none; np=reject; psd=n; rua=mailto:a@acme.example'),
    'TXT _dmarc.news.acme.example v=DMARC1; p=quarantine; rua=mailto:a@acme.example',
  ],
  ['dmarc-pct', '', dmarc('v=DMARC1; p=reject; pct=50; adkim=s'), `${POLICY} p=reject; adkim=s; t=y`],
  ['dmarc-pct', 'of no policy', dmarc('v=DMARC1; p=none; pct=0'), `${POLICY} p=none`],
  ['dmarc-testing', '', dmarc('v=DMARC1; p=reject; t=y; adkim=s'), `${POLICY} p=reject; adkim=s`],
  [
    'dmarc-testing',
    'of the domain above',
    below('v=DMARC1; p=reject; sp=quarantine; t=y'),
    'TXT _dmarc.news.acme.example v=DMARC1; p=quarantine',
  ],
];

const topicOf = (code: string) => (code.startsWith('mta') ? 'mta-sts' : code.split('-')[0]) as 'spf' | 'dkim' | 'dmarc';

describe('findings about SPF, DKIM and DMARC name the record to publish', () => {
  it.each(NAMED)('%s %s', async (code, _, setting, publish) => {
    const finding = await found(topicOf(code), setting);
    expect([finding.code, ...asked(finding)]).toEqual([code, publish]);
  });

  it.each(NAMED)('%s %s is mended by what is published', async (code, _, setting) => {
    const rounds = await publishAll(setting);
    const topic = topicOf(code);
    expect(rounds[0]?.map((one) => one.code)).toContain(code);
    const left = rounds.at(-1)?.filter((one) => one.topic === topic);
    expect(left?.map((one) => one.code)).toEqual([]);
  });

  it('long ones in the strings that DNS has room for', async () => {
    const reports = Array.from({ length: 12 }, (_, at) => `mailto:reports${at}@reports.acme.example`).join(',');
    const { publish } = await found('dmarc', dmarc(`v=DMARC1; p=none; rua=${reports}`));
    expect(publish).toMatchObject({ value: `v=DMARC1; p=quarantine; rua=${reports}` });
    const { strings } = publish as { strings?: readonly string[] };
    expect(strings?.map(({ length }) => length)).toEqual([255, expect.any(Number)]);
    expect(strings?.join('')).toBe(publish?.value);
  });
});

describe('findings about SPF, DKIM and DMARC without a record say why', () => {
  it.each<readonly [code: string, what: string, setting: Setting, says: RegExp]>([
    ['spf-missing', '', { ...spf(), addresses: [], includes: [] }, /give `addresses` or `includes`/],
    [
      'spf-several',
      'of a provider',
      also(spf(`v=spf1 ${ALLOWED} -all`), { 'TXT _spf.provider.example': ['v=spf1 -all', 'v=spf1 ~all'] }),
      /Whoever runs _spf\.provider\.example has to mend that/,
    ],
    [
      'spf-broken',
      'of a provider',
      also(spf(`v=spf1 ${ALLOWED} -all`), { 'TXT _spf.provider.example': [] }),
      /Whoever runs _spf\.provider\.example has to mend that/,
    ],
    ['spf-broken', 'a redirect', spf('v=spf1 redirect=nothing.example'), /Whoever runs nothing\.example has to mend/],
    [
      'spf-broken',
      'all that there is',
      { ...spf('v=spf1 include:nothing.example -all'), addresses: [], includes: [] },
      /nobody else is known who sends: give `addresses` or `includes`/,
    ],
    [
      'spf-hosts',
      '',
      also(spf(`v=spf1 ${ALLOWED} mx:many.example -all`), manyHosts),
      /In place of mx:many\.example name the addresses that send, which only you know/,
    ],
    [
      'spf-hosts',
      'of a provider',
      also(spf(`v=spf1 ${ALLOWED} -all`), {
        'TXT _spf.provider.example': ['v=spf1 mx:many.example -all'],
        ...manyHosts,
      }),
      /Whoever runs _spf\.provider\.example has to mend that/,
    ],
    [
      'spf-lookups',
      '',
      also(spf(`v=spf1 ${ALLOWED} include:s0.example -all`), chain),
      /Leave out .* no longer sends.*which only you know/,
    ],
    [
      'spf-void',
      'of a provider',
      also(spf(`v=spf1 ${ALLOWED} -all`), {
        'TXT _spf.provider.example': ['v=spf1 a:g1.example a:g2.example a:g3.example -all'],
      }),
      /Whoever runs _spf\.provider\.example has to mend that/,
    ],
    [
      'spf-all',
      'where the redirect depends on the mail',
      { ...spf('v=spf1 redirect=%{l}._spf.acme.example'), addresses: [], includes: [] },
      /in each record that its redirect can lead to/,
    ],
    [
      'dkim-missing',
      'of a provider',
      { keys: [], selectors: ['p'] },
      /the provider that signs with the key names the record/,
    ],
    [
      'dkim-short',
      'of a provider',
      {
        keys: [],
        selectors: ['p'],
        records: { 'TXT p._domainkey.acme.example': [recordOf(rsa1024)] },
      },
      /the provider that signs with the key names the record/,
    ],
    [
      'dkim-testing',
      'of a provider',
      { keys: [], selectors: ['p'], records: { 'TXT p._domainkey.acme.example': [`${recordOf(RSA)}; t=y`] } },
      /the provider that signs with the key names the record/,
    ],
    [
      'dkim-short',
      '',
      { keys: [{ domain: 'acme.example', selector: 'r1', privateKey: rsa1024 }], ...dkim(recordOf(rsa1024)) },
      /make one of 2048 with createKey\(\), which names its record/,
    ],
    ['dkim-unsigned', '', { keys: [] }, /createKey\(\), which names its record/],
    [
      'dmarc-unaligned',
      '',
      { keys: [], returnPath: 'bounces.provider.example' },
      /The record can stay: sign with a key of acme\.example, or/,
    ],
    ['dmarc-spf-alone', '', { keys: [] }, /The record can stay: sign with a key of acme\.example/],
  ])('%s %s', async (code, _, setting, says) => {
    const finding = await found(topicOf(code), setting);
    expect([finding.code, ...asked(finding)]).toEqual([code]);
    expect(finding.says).toMatch(says);
  });
});
