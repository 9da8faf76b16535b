import type {
  CheckDomainOptions,
  DomainFinding,
  DomainReport,
  DomainTopic,
  MailRelayOptions,
} from '../../../packages/core/src/index.ts';
import { ED25519, RSA, recordOf } from '../../support/dkim.ts';
import { fakeResolver } from '../../support/published.ts';
import { relayWith } from '../../support/relay.ts';

/** Records of a domain with which nothing is wrong. */
export const GOOD: Record<string, readonly string[]> = {
  'TXT acme.example': ['v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/32 include:_spf.provider.example -all', 'other=1'],
  'TXT _spf.provider.example': ['v=spf1 a:out.provider.example ?all'],
  'A out.provider.example': ['198.51.100.7'],
  'TXT r1._domainkey.acme.example': [recordOf(RSA)],
  'TXT e1._domainkey.acme.example': [recordOf(ED25519)],
  'TXT _dmarc.acme.example': ['v=DMARC1; p=reject; adkim=s'],
  'MX acme.example': ['10 mx.acme.example'],
  'A mx.acme.example': ['192.0.2.9'],
  'TXT _mta-sts.acme.example': ['v=STSv1; id=2026;'],
  'PTR 192.0.2.1': ['out.acme.example'],
  'A out.acme.example': ['192.0.2.1'],
};
export const POLICY =
  'version: STSv1\r\nmode: enforce\r\nmx: mx.acme.example\r\nmx: *.backup.example\r\nmax_age: 604800\r\n';
export const KEYS = [
  { domain: 'acme.example', selector: 'r1', privateKey: RSA },
  { domain: 'acme.example', selector: 'e1', privateKey: ED25519 },
];

/** What differs from the good domain. */
export interface Setting extends CheckDomainOptions {
  readonly records?: Readonly<Record<string, readonly string[]>>;
  readonly fail?: readonly string[];
  readonly keys?: typeof KEYS;
  readonly domain?: string;
  readonly policy?: string;
  /** Further options of the relay. */
  readonly relay?: MailRelayOptions;
}

/** What is found at the domain. */
export async function findingsOf({
  records,
  fail = [],
  keys = KEYS,
  domain = 'acme.example',
  policy = POLICY,
  relay: options = {},
  ...rest
}: Setting = {}): Promise<DomainReport> {
  const relay = relayWith({ thread: false, dkim: { keys }, ...options });
  return relay.domains.check(domain, {
    resolver: fakeResolver({ records: { ...GOOD, ...records }, fail }),
    fetch: async (url) =>
      new Response(policy, { status: url === 'https://mta-sts.acme.example/.well-known/mta-sts.txt' ? 200 : 404 }),
    addresses: ['192.0.2.1'],
    includes: ['_spf.provider.example'],
    ...rest,
  });
}

/** The first finding of a topic. */
export async function found(topic: DomainTopic, setting: Setting = {}): Promise<DomainFinding> {
  const { findings } = await findingsOf(setting);
  return findings.find((one) => one.topic === topic) as DomainFinding;
}
