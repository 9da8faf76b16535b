import { Resolver } from 'node:dns/promises';
import { expect, it } from 'vitest';
import { RSA, recordOf } from '../../support/dkim.ts';
import { type DnsAnswers, dnsServer, mx, txt } from '../../support/dns-server.ts';
import { relayWith } from '../../support/relay.ts';

const KEY = { domain: 'acme.example', selector: 'r1', privateKey: RSA };

async function checkOver(answers: DnsAnswers) {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([await dnsServer(answers)]);
  const relay = relayWith({ thread: false, dkim: { keys: [KEY] } });
  const { ok, findings } = await relay.domains.check('acme.example', { resolver, addresses: ['192.0.2.1'] });
  return { ok, codes: findings.map(({ code }) => code) };
}

it('reads a real DNS server: keys in several strings, and names that are not there', async () => {
  const record = recordOf(RSA);
  const { ok, codes } = await checkOver({
    'TXT acme.example': [txt('v=spf1 ip4:192.0.2.1', ' -all'), txt('other')],
    'TXT r1._domainkey.acme.example': [txt(record.slice(0, 255), record.slice(255))],
    'TXT _dmarc.acme.example': [txt('v=DMARC1; p=reject')],
    'MX acme.example': [mx(10, 'mx.acme.example')],
    'A mx.acme.example': [Buffer.from([192, 0, 2, 1])],
    'PTR 1.2.0.192.in-addr.arpa': [mx(0, 'mx.acme.example').subarray(2)],
  });
  expect(codes).toEqual(['spf-ok', 'dkim-ok', 'dmarc-ok', 'mx-ok', 'mta-sts-missing', 'return-path-ok', 'ptr-ok']);
  expect(ok).toBe(true);
});

it('tells a null MX and a name without records from a server that fails', async () => {
  const { ok, codes } = await checkOver({
    'MX acme.example': [mx(0, '.')],
    'TXT r1._domainkey.acme.example': 'SERVFAIL',
    'TXT _dmarc.acme.example': 'SERVFAIL',
  });
  expect(codes).toEqual([
    'spf-missing',
    'dkim-unknown',
    'dmarc-unknown',
    'mx-null',
    'mta-sts-missing',
    'return-path-null',
    'ptr-missing',
  ]);
  expect(ok).toBe(false);
});
