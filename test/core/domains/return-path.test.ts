/** The domain of the relay's own envelope senders, where the option `bounceDomain` gives them one. */
import { describe, expect, it } from 'vitest';
import { directMx, type MailRelayOptions, ses } from '../../../packages/core/src/index.ts';
import { findingsOf, found, type Setting } from './setting.ts';

const BOUNCES = {
  'TXT bounces.acme.example': ['v=spf1 ip4:192.0.2.1 include:_spf.provider.example -all'],
  'MX bounces.acme.example': ['10 mx.acme.example'],
};
const verp = (bounceDomain: MailRelayOptions['bounceDomain']): Pick<Setting, 'relay'> => ({ relay: { bounceDomain } });

describe('relay.domains.check() with a bounce domain', () => {
  it('looks there for SPF, for the MX of bounces and for alignment, and at the domain itself for all else', async () => {
    const { ok, findings } = await findingsOf({ ...verp('bounces.acme.example'), records: BOUNCES });
    expect(findings.map(({ code, name }) => [code, name])).toEqual([
      ['spf-ok', 'bounces.acme.example'],
      ['dkim-ok', 'r1._domainkey.acme.example'],
      ['dkim-ok', 'e1._domainkey.acme.example'],
      ['dmarc-ok', '_dmarc.acme.example'],
      ['mx-ok', 'acme.example'],
      ['mta-sts-ok', '_mta-sts.acme.example'],
      ['return-path-ok', 'bounces.acme.example'],
      ['ptr-ok', '192.0.2.1'],
    ]);
    expect(ok).toBe(true);
  });

  it('says what to publish there, record by record: SPF, and an MX to the machine that sends', async () => {
    const routes = [directMx({ hostname: 'out.acme.example', localAddresses: ['192.0.2.1'] })];
    const { findings } = await findingsOf({ relay: { bounceDomain: 'Bounces.Acme.Example', routes } });
    const about = findings.filter(({ name }) => name === 'bounces.acme.example');
    expect(about.map(({ code, status, publish }) => ({ code, status, publish }))).toMatchObject([
      {
        code: 'spf-missing',
        status: 'problem',
        publish: {
          type: 'TXT',
          name: 'bounces.acme.example',
          value: 'v=spf1 include:_spf.provider.example ip4:192.0.2.1 ~all',
        },
      },
      {
        code: 'return-path-missing',
        status: 'problem',
        publish: { type: 'MX', name: 'bounces.acme.example', value: '10 out.acme.example' },
      },
    ]);
  });

  it.each<[string, Record<string, readonly string[]>, object]>([
    ['no host', {}, { code: 'return-path-missing', publish: { value: '10 mx.acme.example' } }],
    [
      'a null MX',
      { 'MX bounces.acme.example': ['0 .'] },
      { code: 'return-path-null', publish: { value: '10 mx.acme.example' } },
    ],
    [
      'a host without an address',
      { 'MX bounces.acme.example': ['10 gone.acme.example'] },
      { code: 'return-path-dead', status: 'problem', publish: { value: '10 mx.acme.example' } },
    ],
    [
      'an address alone',
      { 'MX bounces.acme.example': [], 'A bounces.acme.example': ['192.0.2.1'] },
      { code: 'return-path-implicit', status: 'advice', publish: { value: '10 mx.acme.example' } },
    ],
    ['no SPF', { 'TXT bounces.acme.example': [] }, { code: 'return-path-spf', status: 'problem' }],
  ])('names where answers to the sender go where it knows no better: %s', async (what, records, finding) => {
    const others = what === 'no host' ? {} : BOUNCES;
    const setting = { ...verp('bounces.acme.example'), records: { ...others, ...records } };
    expect(await found('return-path', setting)).toMatchObject(finding);
  });

  it('has no record to name where nothing leads to the sender either', async () => {
    const { publish, says } = await found('return-path', {
      ...verp('bounces.acme.example'),
      records: { 'MX acme.example': [] },
    });
    expect(publish).toBeUndefined();
    expect(says).toContain('an MX record nor an address: bounces cannot arrive. Lead bounces to');
  });

  it('looks at the domain of an address that gets tokens', async () => {
    const { findings } = await findingsOf(verp('returns@acme.example'));
    expect(findings.map(({ code, name }) => [code, name])).toContainEqual(['return-path-ok', 'acme.example']);
  });

  it('looks where it is told to where the call names a return path', async () => {
    const setting = { ...verp('bounces.acme.example'), returnPath: 'acme.example' };
    expect(await found('return-path', setting)).toMatchObject({ code: 'return-path-ok', name: 'acme.example' });
  });

  it('keeps to the domain itself where providers alone send, which write envelope senders of their own', async () => {
    const login = { region: 'eu-west-3', user: 'u', pass: 'p' };
    const over = { bounceDomain: 'bounces.acme.example' };
    const byProvider = await found('return-path', { relay: { ...over, routes: [ses(login)] } });
    expect(byProvider).toMatchObject({ name: 'acme.example', code: 'return-path-ok' });
    const mx = directMx({ hostname: 'out.acme.example' });
    for (const routes of [
      [ses(login), mx],
      [ses({ ...login, takes: { senderDomain: 'other.example' } }), mx],
    ])
      expect(await found('return-path', { relay: { ...over, routes } })).toMatchObject({
        name: 'bounces.acme.example',
      });
    const others = [ses(login), directMx({ hostname: 'out.acme.example', takes: { senderDomain: 'other.example' } })];
    expect(await found('return-path', { relay: { ...over, routes: others } })).toMatchObject({ name: 'acme.example' });
  });

  it.each<[string, Setting, string, string]>([
    ['one of another organisation', {}, 'return-path-unaligned', 'dmarc-ok'],
    ['one of another organisation, unsigned', { keys: [] }, 'return-path-unaligned', 'dmarc-unaligned'],
    [
      'one of another organisation, without DMARC',
      { records: { 'TXT _dmarc.acme.example': [] } },
      'return-path-unaligned',
      'dmarc-missing',
    ],
    [
      'one below, strict',
      {
        ...verp('bounces.acme.example'),
        records: { ...BOUNCES, 'TXT _dmarc.acme.example': ['v=DMARC1; p=reject; aspf=s'] },
      },
      'return-path-unaligned',
      'dmarc-ok',
    ],
    [
      'one below, without DMARC',
      { ...verp('bounces.acme.example'), records: { ...BOUNCES, 'TXT _dmarc.acme.example': [] } },
      'return-path-ok',
      'dmarc-missing',
    ],
  ])('says whether it is aligned: %s', async (_, { records, ...setting }, path, dmarc) => {
    const other = {
      'TXT bounces.other.example': ['v=spf1 ip4:192.0.2.1 -all'],
      'MX bounces.other.example': ['10 mx.acme.example'],
    };
    const { findings } = await findingsOf({
      ...verp('bounces.other.example'),
      records: { ...other, ...records },
      ...setting,
    });
    const codes = findings.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining([path, dmarc]));
    const { status, says } = findings.find(({ topic }) => topic === 'return-path') ?? {};
    expect(status).toBe(path === 'return-path-ok' ? 'ok' : 'advice');
    const strict = records?.['TXT _dmarc.acme.example']?.[0]?.includes('aspf=s') ?? false;
    if (status === 'advice')
      expect(says).toContain(strict ? 'an address of acme.example' : 'a bounce domain below acme.example');
  });
});
