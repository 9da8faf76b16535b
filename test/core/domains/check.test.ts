import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type DomainTopic, directMx } from '../../../packages/core/src/index.ts';
import { ED25519, OTHER_RSA, RSA, recordOf } from '../../support/dkim.ts';
import { fakeResolver } from '../../support/published.ts';
import { relayWith } from '../../support/relay.ts';
import { findingsOf, found, KEYS, POLICY, type Setting } from './setting.ts';

describe('relay.domains.check()', () => {
  it('finds nothing wrong where nothing is', async () => {
    const { ok, findings } = await findingsOf();
    expect(findings.map(({ code }) => code)).toEqual([
      'spf-ok',
      'dkim-ok',
      'dkim-ok',
      'dmarc-ok',
      'mx-ok',
      'mta-sts-ok',
      'return-path-ok',
      'ptr-ok',
    ]);
    expect(ok).toBe(true);
  });

  it('says of an empty zone what to publish, record by record', async () => {
    const routes = [directMx({ hostname: 'out.acme.example' })];
    const relay = relayWith({ thread: false, dkim: { keys: KEYS }, routes });
    const report = await relay.domains.check('acme.example', {
      resolver: fakeResolver({ records: {} }),
      addresses: ['192.0.2.1'],
    });
    expect(report.ok).toBe(false);
    expect(report.findings.map(({ code, publish }) => [code, publish?.name, publish?.value])).toEqual([
      ['spf-missing', 'acme.example', 'v=spf1 ip4:192.0.2.1 ~all'],
      ['dkim-missing', 'r1._domainkey.acme.example', recordOf(RSA)],
      ['dkim-missing', 'e1._domainkey.acme.example', recordOf(ED25519)],
      ['dmarc-missing', '_dmarc.acme.example', 'v=DMARC1; p=none'],
      ['mx-missing', 'acme.example', '10 out.acme.example'],
      ['mta-sts-missing', '_mta-sts.acme.example', 'v=STSv1; id=1'],
      ['return-path-missing', 'acme.example', '10 out.acme.example'],
      ['ptr-missing', '1.2.0.192.in-addr.arpa', 'out.acme.example'],
    ]);
    expect(report.findings.flatMap(({ policy }) => policy ?? [])).toEqual([
      {
        url: 'https://mta-sts.acme.example/.well-known/mta-sts.txt',
        text: 'version: STSv1\nmode: testing\nmx: out.acme.example\nmax_age: 604800\n',
      },
    ]);
  });

  it('proposes no SPF record where no sender is known: that would tell receivers to doubt all mail', async () => {
    const relay = relayWith({ thread: false });
    const { findings } = await relay.domains.check('acme.example', { resolver: fakeResolver({ records: {} }) });
    const spf = findings.find(({ topic }) => topic === 'spf');
    expect(spf).toMatchObject({ code: 'spf-missing', status: 'problem', says: expect.stringMatching(/`addresses`/) });
    expect(spf).not.toHaveProperty('publish');
  });

  it('takes no answer for no statement', async () => {
    const { ok, findings } = await findingsOf({ fail: ['TXT r1._domainkey.acme.example', 'TXT _dmarc.acme.example'] });
    expect(ok).toBe(false);
    const unknown = findings.filter(({ status }) => status === 'unknown');
    expect(unknown.map(({ code }) => code)).toEqual(['dkim-unknown', 'dmarc-unknown']);
    expect(unknown[0]?.says).toContain('ESERVFAIL');
  });

  it('refuses what is no domain and options that it does not know', async () => {
    const { domains } = relayWith({ thread: false });
    await expect(domains.check('not a domain')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    await expect(domains.check('a.example', { addresses: ['x'] })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    await expect(domains.check('a.example', { ip: 1 } as object)).rejects.toMatchObject({ code: 'OPTION_UNSUPPORTED' });
  });
});

describe('DKIM', () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey;
  const pkcs1 = `v=DKIM1; p=${generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64')}`;
  const good = recordOf(RSA);
  it.each<[string, readonly string[], string]>([
    ['another key', [recordOf(OTHER_RSA)], 'dkim-mismatch'],
    ['another bare key', [pkcs1], 'dkim-mismatch'],
    ['another kind', [recordOf(ED25519)], 'dkim-mismatch'],
    ['revoked', ['v=DKIM1; p='], 'dkim-revoked'],
    ['testing', [`${good}; t=y:s`], 'dkim-testing'],
    ['several', [good, good], 'dkim-several'],
    ['no tags', ['hello'], 'dkim-invalid'],
    ['no key', ['v=DKIM1; k=rsa'], 'dkim-invalid'],
    ['torn', [good.slice(0, 200)], 'dkim-invalid'],
    ['for sha1 alone', [`${good}; h=sha1`], 'dkim-limited'],
    ['not for mail', [`${good}; s=tls`], 'dkim-limited'],
    ['fine with all tags', [`${good}; h=sha1 : sha256; s=*; n=note`], 'dkim-ok'],
    ['fine without version and kind', [good.replace('v=DKIM1; k=rsa; ', '')], 'dkim-ok'],
  ])('%s', async (_, records, code) => {
    expect(await found('dkim', { records: { 'TXT r1._domainkey.acme.example': records } })).toMatchObject({ code });
  });

  it('looks at the selectors of a provider, and at how long its keys are', async () => {
    const records = {
      'TXT p._domainkey.acme.example': [
        `v=DKIM1; p=${short.export({ type: 'spki', format: 'der' }).toString('base64')}`,
      ],
    };
    expect(await found('dkim', { keys: [], selectors: ['p'], records })).toMatchObject({
      code: 'dkim-short',
      status: 'problem',
    });
    expect(await found('dkim', { keys: [] })).toMatchObject({ code: 'dkim-unsigned', status: 'problem' });
  });
});

describe('DMARC', () => {
  const at = (record: string, name = '_dmarc.acme.example') => ({ records: { [`TXT ${name}`]: [record] } });
  it.each<[string, Setting, string]>([
    [
      'several records',
      { records: { 'TXT _dmarc.acme.example': ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] } },
      'dmarc-several',
    ],
    ['no policy', at('v=DMARC1'), 'dmarc-invalid'],
    ['a policy that is none of the three', at('v=DMARC1; p=refuse'), 'dmarc-invalid'],
    ['reports alone', at('v=DMARC1; rua=mailto:a@acme.example'), 'dmarc-none'],
    ['watching', at('v=DMARC1; p=none'), 'dmarc-none'],
    ['a share, as in RFC 7489', at('v=DMARC1; p=reject; pct=50'), 'dmarc-pct'],
    ['a test, as in RFC 9989', at('v=DMARC1; p=reject; t=y'), 'dmarc-testing'],
    ['only the return path aligned', { keys: [] }, 'dmarc-spf-alone'],
    ['nothing aligned', { keys: [], returnPath: 'bounces.provider.example' }, 'dmarc-unaligned'],
    [
      'the policy of the domain above, relaxed',
      { ...at('v=DMARC1; p=reject'), domain: 'news.acme.example' },
      'dmarc-ok',
    ],
    [
      'the domain above, strict',
      { ...at('v=DMARC1; p=reject; adkim=s'), domain: 'news.acme.example' },
      'dmarc-spf-alone',
    ],
    [
      'its policy for domains below',
      { ...at('v=DMARC1; p=reject; sp=none'), domain: 'news.acme.example' },
      'dmarc-none',
    ],
    ['a return path below, relaxed', { keys: [], returnPath: 'bounce.acme.example' }, 'dmarc-spf-alone'],
    [
      'a return path below, strict',
      { ...at('v=DMARC1; p=reject; aspf=s'), keys: [], returnPath: 'bounce.acme.example' },
      'dmarc-unaligned',
    ],
    [
      'a public suffix above, which is nobody',
      {
        records: { 'TXT _dmarc.acme.example': [], 'TXT _dmarc.example': ['v=DMARC1; p=reject; psd=y'] },
        keys: [],
        returnPath: 'other.example',
      },
      'dmarc-unaligned',
    ],
    [
      'an organisation that says that it is one, below others with records (psd=n)',
      {
        records: {
          'TXT _dmarc.acme.example': ['v=DMARC1; p=reject; psd=n'],
          'TXT _dmarc.example': ['v=DMARC1; p=reject'],
        },
        keys: [],
        returnPath: 'other.example',
      },
      'dmarc-unaligned',
    ],
  ])('%s', async (_, setting, code) => {
    expect(await found('dmarc', setting)).toMatchObject({ code });
  });

  it('walks up eight steps at most, from long names to seven labels at once (RFC 9989 section 4.10)', async () => {
    const domain = 'a.b.c.d.e.f.g.h.i.j.acme.example';
    const resolver = fakeResolver({ records: {} });
    await relayWith({ thread: false }).domains.check(domain, { resolver });
    const asked = resolver.asked.filter((question) => question.startsWith('TXT _dmarc.'));
    expect(asked.map((question) => question.slice('TXT _dmarc.'.length))).toEqual([
      domain,
      'f.g.h.i.j.acme.example',
      'g.h.i.j.acme.example',
      'h.i.j.acme.example',
      'i.j.acme.example',
      'j.acme.example',
      'acme.example',
      'example',
    ]);
  });
});

describe('MX, return path, MTA-STS and PTR', () => {
  it.each<[DomainTopic, string, Setting, string]>([
    ['mx', 'a null MX', { records: { 'MX acme.example': ['0 .'] } }, 'mx-null'],
    ['mx', 'an address alone', { records: { 'MX acme.example': [], 'A acme.example': ['192.0.2.1'] } }, 'mx-implicit'],
    ['mx', 'a host without an address', { records: { 'A mx.acme.example': [] } }, 'mx-dead'],
    ['return-path', 'no host', { returnPath: 'bounce.acme.example' }, 'return-path-missing'],
    [
      'return-path',
      'no SPF',
      { returnPath: 'bounce.acme.example', records: { 'MX bounce.acme.example': ['1 mx.acme.example'] } },
      'return-path-spf',
    ],
    [
      'mta-sts',
      'a record without an id',
      { records: { 'TXT _mta-sts.acme.example': ['v=STSv1;'] } },
      'mta-sts-invalid',
    ],
    [
      'mta-sts',
      'a host that the policy does not name',
      {
        records: {
          'MX acme.example': ['1 mx.acme.example', '2 a.b.backup.example'],
          'A a.b.backup.example': ['192.0.2.3'],
        },
      },
      'mta-sts-mx',
    ],
    [
      'mta-sts',
      'a star for one label',
      { records: { 'MX acme.example': ['1 a.backup.example'], 'A a.backup.example': ['192.0.2.3'] } },
      'mta-sts-ok',
    ],
    ['mta-sts', 'no policy', { policy: 'hello' }, 'mta-sts-policy'],
    ['mta-sts', 'a policy that only tests', { policy: POLICY.replace('enforce', 'testing') }, 'mta-sts-mode'],
    ['mta-sts', 'a server that does not answer', { fetch: () => Promise.reject(new Error('no')) }, 'mta-sts-policy'],
    ['ptr', 'a name that leads elsewhere', { records: { 'A out.acme.example': ['192.0.2.2'] } }, 'ptr-unconfirmed'],
  ])('%s: %s', async (topic, _, setting, code) => {
    expect(await found(topic, setting)).toMatchObject({ code });
  });
});
