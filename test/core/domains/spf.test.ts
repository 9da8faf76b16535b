import { spf } from 'mailauth/lib/spf/index.js';
import { describe, expect, it } from 'vitest';
import { fakeResolver } from '../../support/published.ts';
import { found, GOOD } from './setting.ts';

describe('SPF', () => {
  const deep = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [
      `TXT s${index}.example`,
      [index === 11 ? 'v=spf1 -all' : `v=spf1 include:s${index + 1}.example ~all`],
    ]),
  );
  it.each<[string, readonly string[], object, string]>([
    ['several records', ['v=spf1 -all', 'v=spf1 ~all'], {}, 'spf-several'],
    [
      'more than ten look-ups',
      ['v=spf1 ip4:192.0.2.1 include:s0.example -all'],
      { records: deep, includes: [] },
      'spf-lookups',
    ],
    ['an include without a record', ['v=spf1 include:nothing.example -all'], {}, 'spf-broken'],
    ['one that includes itself', ['v=spf1 include:acme.example -all'], {}, 'spf-loop'],
    ['a term that is none', ['v=spf1 ipv4:192.0.2.1 -all'], {}, 'spf-syntax'],
    ['a network that is none', ['v=spf1 ip4:192.0.2.1/33 -all'], {}, 'spf-syntax'],
    ['everybody', ['v=spf1 +all'], {}, 'spf-open'],
    ['a sender that is missing', ['v=spf1 include:_spf.provider.example -all'], {}, 'spf-sender'],
    ['an include that is missing', ['v=spf1 ip4:192.0.2.1 -all'], {}, 'spf-sender'],
    ['no end', ['v=spf1 ip4:192.0.2.1 include:_spf.provider.example'], {}, 'spf-all'],
    [
      'a redirect',
      ['v=spf1 redirect=_spf.own.example'],
      {
        records: { 'TXT _spf.own.example': ['v=spf1 mx -all'], 'MX _spf.own.example': ['1 out.acme.example'] },
        includes: [],
      },
      'spf-ok',
    ],
  ])('%s', async (_, records, { records: more, ...rest }: { records?: object }, code) => {
    expect(await found('spf', { records: { 'TXT acme.example': records, ...more }, ...rest })).toMatchObject({ code });
  });

  it('names what to add', async () => {
    const records = { 'TXT acme.example': ['v=spf1 mx -all'] };
    const { publish } = await found('spf', { records, addresses: ['192.0.2.1', '2001:db8::1'] });
    expect(publish?.value).toBe('v=spf1 include:_spf.provider.example ip4:192.0.2.1 ip6:2001:db8::1 mx -all');
  });

  it.each(['192.0.2.1', '192.0.2.15', '192.0.2.16', '198.51.100.7', '2001:db8::5', '2001:db9::5'])(
    'judges %s as mailauth does',
    async (ip) => {
      const resolver = fakeResolver({ records: GOOD });
      const { status } = (await spf({
        ip,
        sender: 'a@acme.example',
        helo: 'x.example',
        resolver: async (name: string, type: string) => {
          if (type === 'TXT') return resolver.resolveTxt(name);
          return type === 'A' ? resolver.resolve4(name) : resolver.resolve6(name);
        },
      })) as { status: { result: string } };
      const { code } = await found('spf', { addresses: [ip] });
      expect(code).toBe(status.result === 'pass' ? 'spf-ok' : 'spf-sender');
    },
  );
});
