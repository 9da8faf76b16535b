import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { allowsHost, parsePolicy, policyId } from '../../../../packages/core/src/deliver/mx/sts/policy.ts';
import { localhostCertificate } from '../../../support/certificate.ts';
import { fakeDns, type Zone } from '../../../support/dns.ts';
import { politely, rawServer } from '../../../support/smtp.ts';
import { direct, type Host, mailHost, mailTo, policyServer } from './support.ts';

const trusted = localhostCertificate(['mx.shared.test', 'mta-sts.strict.test', 'mta-sts.testing.test']);
const stranger = localhostCertificate(['elsewhere.test']);
const starttls = { disabledCommands: [] };

const policy = (mode: string, mx = 'mx.shared.test', maxAge = 604_800): string =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${maxAge}\r\n`;

/** Domains on one MX host, one of them with a policy. */
function zoneOf(): Zone {
  const MX = [[10, 'mx.shared.test']] as const;
  return {
    'strict.test': { MX },
    'easy.test': { MX },
    'testing.test': { MX },
    'mx.shared.test': { A: ['127.0.0.2'] },
    '_mta-sts.strict.test': { TXT: ['v=STSv1; id=1;'] },
    'mta-sts.strict.test': { A: ['127.0.0.2'] },
    '_mta-sts.testing.test': { TXT: ['v=STSv1; id=1;'] },
    'mta-sts.testing.test': { A: ['127.0.0.2'] },
  };
}

describe('opportunistic TLS', () => {
  it('a bad certificate does not block opportunistic TLS', async () => {
    const { port, taken } = await mailHost('127.0.0.2', 0, { ...starttls, ...stranger });
    const { outcome, transcript } = await direct(await fakeDns(zoneOf()), port).send(mailTo('x@easy.test'));
    expect(outcome.type).toBe('sent');
    expect(taken).toMatchObject([{ secure: true }]);
    expect(transcript).toMatchObject({ tls: true, tlsVersion: 'TLSv1.3', host: 'mx.shared.test' });
  });

  it('that breaks is done without, in the same attempt, and remembered', async () => {
    const hung = new WeakSet<Socket>();
    const server = await rawServer((socket, line) => {
      if (hung.has(socket)) return void socket.destroy();
      if (line?.startsWith('EHLO')) return void socket.write('250-here\r\n250 STARTTLS\r\n');
      if (line === 'STARTTLS') {
        hung.add(socket);
        return void socket.write('220 go ahead\r\n');
      }
      talk(socket, line);
    }, '127.0.0.2');
    const transport = direct(await fakeDns(zoneOf()), server.port, { maxMessagesPerConnection: 1 });
    const first = await transport.send(mailTo('x@easy.test'));
    expect(first.outcome.type).toBe('sent');
    expect(first.transcript.tls).toBe(false);
    expect(first.transcript.steps.map(({ step }) => step)).toContain('STARTTLS');
    const second = await transport.send(mailTo('y@easy.test'));
    expect(second.outcome.type).toBe('sent');
    expect(second.transcript.steps.map(({ step }) => step)).not.toContain('STARTTLS');
    expect(server.lines.filter((line) => line === 'STARTTLS')).toHaveLength(1);
  });

  it('that the server takes back is done without', async () => {
    const server = await rawServer(
      politely((line) => {
        if (line.startsWith('EHLO')) return '250-here\r\n250 STARTTLS';
        return line === 'STARTTLS' ? '454 4.7.0 TLS not available' : undefined;
      }),
      '127.0.0.2',
    );
    const { outcome } = await direct(await fakeDns(zoneOf()), server.port).send(mailTo('x@easy.test'));
    expect(outcome.type).toBe('sent');
  });
});

const talk = politely(() => undefined);

describe('MTA-STS', () => {
  async function setUp(options: object, policies: Record<string, string>, zone = zoneOf()) {
    const host: Host = await mailHost('127.0.0.2', 0, options);
    const policyHost = await policyServer('127.0.0.2', trusted, policies);
    let now = 1_000_000;
    const dns = await fakeDns(zone);
    const transport = direct(
      dns,
      host.port,
      { ports: { smtp: host.port, https: policyHost.port }, ca: trusted.cert },
      { clock: { now: () => now } },
    );
    const pass = (ms: number): void => {
      now += ms;
    };
    return { host, policyHost, transport, dns, pass };
  }

  it('MTA-STS of one domain does not block another on the same MX', async () => {
    const { transport, host } = await setUp({ ...starttls, ...stranger }, { 'strict.test': policy('enforce') });
    // The connection that is open already was made without a look at the certificate.
    expect((await transport.send(mailTo('x@easy.test'))).outcome.type).toBe('sent');
    const strict = await transport.send(mailTo('x@strict.test'));
    expect(strict.outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect((await transport.send(mailTo('y@easy.test'))).outcome.type).toBe('sent');
    expect(host.taken.map(({ to }) => to)).toEqual(['x@easy.test', 'y@easy.test']);
  });

  it('sends over TLS with a certificate that is trusted, and never over a connection that was opened without', async () => {
    const { transport, host } = await setUp({ ...starttls, ...trusted }, { 'strict.test': policy('enforce') });
    await transport.send(mailTo('x@easy.test'));
    const { outcome, transcript } = await transport.send(mailTo('x@strict.test'));
    expect([outcome.type, transcript.tls]).toEqual(['sent', true]);
    expect(host.clients).toHaveLength(2);
    await transport.send(mailTo('y@strict.test'));
    expect(host.clients).toHaveLength(2);
  });

  it('sends nothing where TLS is not offered', async () => {
    const { transport, host } = await setUp({}, { 'strict.test': policy('enforce') });
    expect((await transport.send(mailTo('x@strict.test'))).outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect(host.taken).toEqual([]);
  });

  it('sends only to hosts that the policy names, and bounces nothing where it names none', async () => {
    const { transport, host } = await setUp(
      { ...starttls, ...trusted },
      { 'strict.test': policy('enforce', '*.other.test') },
    );
    expect((await transport.send(mailTo('x@strict.test'))).outcome).toMatchObject({ type: 'deferred', reason: 'tls' });
    expect(host.clients).toEqual([]);
  });

  it('in testing mode, or switched off, changes nothing', async () => {
    const { transport, host, dns } = await setUp(
      { ...starttls, ...stranger },
      { 'testing.test': policy('testing'), 'strict.test': policy('enforce') },
    );
    expect((await transport.send(mailTo('x@testing.test'))).outcome.type).toBe('sent');
    const off = direct(dns, host.port, { mtaSts: false });
    expect((await off.send(mailTo('x@strict.test'))).outcome.type).toBe('sent');
  });

  it('keeps a policy for its time, fetches it again when its id changes, and keeps it when both vanish', async () => {
    const policies: Record<string, string> = { 'strict.test': policy('none') };
    const { transport, policyHost, dns, pass } = await setUp({ ...starttls, ...stranger }, policies);
    const said = async (): Promise<string> => (await transport.send(mailTo('x@strict.test'))).outcome.type;
    expect([await said(), await said()]).toEqual(['sent', 'sent']);
    expect(policyHost.asked).toEqual(['strict.test/.well-known/mta-sts.txt']);
    policies['strict.test'] = policy('enforce');
    pass(600_000);
    expect(await said()).toBe('sent');
    dns.zone['_mta-sts.strict.test'] = { TXT: ['v=STSv1; id=2;'] };
    pass(600_000);
    expect(await said()).toBe('deferred');
    expect(policyHost.asked).toHaveLength(2);
    // Whoever hides the record and the policy gains nothing until the policy is too old.
    delete policies['strict.test'];
    delete dns.zone['_mta-sts.strict.test'];
    pass(600_000);
    expect(await said()).toBe('deferred');
    dns.zone['_mta-sts.strict.test'] = { TXT: ['v=STSv1; id=3;'] };
    pass(600_000);
    expect(await said()).toBe('deferred');
    pass(604_800_000);
    expect(await said()).toBe('sent');
  });

  it('takes no policy from a server whose certificate nobody vouches for', async () => {
    const host = await mailHost('127.0.0.2', 0, { ...starttls, ...stranger });
    const impostor = await policyServer('127.0.0.2', stranger, { 'strict.test': policy('enforce') });
    const ports = { smtp: host.port, https: impostor.port };
    const transport = direct(await fakeDns(zoneOf()), host.port, { ports, ca: trusted.cert });
    expect((await transport.send(mailTo('x@strict.test'))).outcome.type).toBe('sent');
    expect(impostor.asked).toEqual([]);
  });

  it('is read as RFC 8461 writes it', () => {
    expect(policyId(['v=STSv1; id=20160831085700Z;'])).toBe('20160831085700Z');
    expect(policyId(['v=spf1 -all', 'v=STSv1;id=a1'])).toBe('a1');
    expect(policyId(['v=STSv1; id=1', 'v=STSv1; id=2'])).toBeUndefined();
    expect(policyId(['v=STSv2; id=1'])).toBeUndefined();
    expect(
      parsePolicy('version: STSv1\nmode: enforce\nmx: MX.a.test\nmx: *.b.test\nmax_age: 86400\nfuture: x\n'),
    ).toEqual({
      mode: 'enforce',
      mx: ['mx.a.test', '*.b.test'],
      maxAgeMs: 86_400_000,
    });
    for (const broken of [
      'mode: enforce\nmx: a\nmax_age: 1',
      'version: STSv1\nmode: strict\nmx: a\nmax_age: 1',
      'version: STSv1\nmode: enforce\nmax_age: 1',
      'version: STSv1\nmode: enforce\nmx: a\nmax_age: soon',
      '<html>not found</html>',
    ])
      expect(parsePolicy(broken), broken).toBeUndefined();
    expect(parsePolicy('version: STSv1\nmode: none\nmax_age: 9999999999')?.maxAgeMs).toBe(31_557_600_000);
    const named = { mode: 'enforce', maxAgeMs: 1, mx: ['mx.a.test', '*.b.test'] } as const;
    expect(
      ['mx.a.test', 'x.b.test', 'b.test', 'x.y.b.test', 'x.a.test'].map((host) => allowsHost(named, host)),
    ).toEqual([true, true, false, false, false]);
  });
});
