import { describe, expect, it } from 'vitest';
import {
  capture,
  type DirectMxOptions,
  directMx,
  type RouteCheck,
  type RouteSpec,
  type Transport,
} from '../../../../packages/core/src/index.ts';
import { localhostCertificate } from '../../../support/certificate.ts';
import { fakeDns, patienceWith, type Zone } from '../../../support/dns.ts';
import { relayWith } from '../../../support/relay.ts';
import { politely, rawServer } from '../../../support/smtp.ts';
import { mailHost } from './support.ts';

const HOSTNAME = 'out.sender.test';

async function route(zone: Zone, port: number, more: Partial<DirectMxOptions> = {}): Promise<RouteSpec> {
  const { server } = await fakeDns({ [HOSTNAME]: { A: ['192.0.2.1'] }, ...zone });
  return directMx({
    hostname: HOSTNAME,
    dns: { servers: [server], timeoutMs: patienceWith(zone), tries: 1 },
    ports: { smtp: port },
    allowPrivateAddresses: true,
    connectionTimeoutMs: 1000,
    greetingTimeoutMs: 1000,
    ...more,
  });
}

async function tried(given: RouteSpec, domain = 'a.test'): Promise<RouteCheck> {
  const [check] = await relayWith({ thread: false, routes: [given] }).routes.verify('mx', { domain });
  return check as RouteCheck;
}

const steps = ({ steps }: RouteCheck): string[] => steps.map(({ step }) => step);

describe('verify() of directMx() with a domain to try', () => {
  it('connects to its best mail server, encrypts, says goodbye and sends nothing', async () => {
    const lines: string[] = [];
    const { port } = await mailHost('127.0.0.2', 0, {
      ...localhostCertificate(),
      disabledCommands: [],
      onClose: () => void lines.push('closed'),
      onMailFrom: (_address, _session, done) => {
        lines.push('MAIL');
        done();
      },
    });
    const zone: Zone = {
      'a.test': {
        MX: [
          [10, 'mx.a.test'],
          [20, 'later.a.test'],
        ],
      },
      'mx.a.test': { A: ['127.0.0.2'] },
    };
    const check = await tried(await route(zone, port));
    expect(check).toMatchObject({ ok: true, checked: true, tls: true, failure: undefined });
    expect(steps(check)).toEqual(['DNS', 'MX', 'CONN', 'EHLO', 'STARTTLS', 'EHLO']);
    expect(check.steps[1]?.reply).toBe('10 mx.a.test, 20 later.a.test');
    await expect.poll(() => lines).toEqual(['closed']);
  });

  it('says QUIT', async () => {
    const server = await rawServer(
      politely(() => undefined),
      '127.0.0.2',
    );
    const check = await tried(await route({ 'a.test': { A: ['127.0.0.2'] } }, server.port));
    expect(check).toMatchObject({ ok: true, tls: false });
    await expect.poll(() => server.lines).toEqual([`EHLO ${HOSTNAME}`, 'QUIT']);
  });

  it('finds that the port is closed to the outside, and connects nowhere without a domain', async () => {
    const { port, clients } = await mailHost('127.0.0.2');
    // Nothing listens on this address.
    const blocked = await route({ 'a.test': { A: ['127.0.0.3'] } }, port);
    const check = await tried(blocked);
    expect(check).toMatchObject({
      ok: false,
      failure: { step: 'CONN', reason: 'network', hint: expect.stringMatching(/port 25/) },
    });
    expect(check.failure?.reply).toContain('ECONNREFUSED');
    const open = await route({ 'a.test': { A: ['127.0.0.2'] } }, port);
    const [plain] = await relayWith({ thread: false, routes: [open] }).routes.verify('mx');
    expect(plain).toMatchObject({ ok: true });
    expect(clients).toEqual([]);
  });

  it('tries each local address, and says which one does not get through', async () => {
    const { port, clients } = await mailHost('127.0.0.2', 0, {
      onConnect({ remoteAddress }, done) {
        clients.push(remoteAddress);
        done(remoteAddress === '127.0.1.2' ? new Error('5.7.1 your address is blocked') : null);
      },
    });
    const localAddresses = { transactional: ['127.0.1.1'], broadcast: ['127.0.1.2', '127.0.1.3'] };
    const given = await route({ 'a.test': { A: ['127.0.0.2'] } }, port, { localAddresses });
    const check = await tried(given);
    expect([...clients].sort()).toEqual(['127.0.1.1', '127.0.1.2', '127.0.1.3']);
    expect(check).toMatchObject({ ok: false, failure: { step: 'CONN' } });
    expect(check.failure?.reply).toMatch(/127\.0\.1\.2.*5\.7\.1 your address is blocked/);
  });

  it('takes no memory of it along: what did not answer is asked again, and mail is sent there', async () => {
    const { port, taken } = await mailHost('127.0.0.2');
    const zone: Zone = { 'a.test': { A: ['127.0.0.3'] } };
    const { server, zone: changed } = await fakeDns({ [HOSTNAME]: { A: ['192.0.2.1'] }, ...zone });
    const given = await route({}, port, { dns: { servers: [server], timeoutMs: 2000, tries: 1 } });
    const relay = relayWith({ thread: false, routes: [given] });
    for (let at = 0; at < 2; at++)
      expect((await relay.routes.verify('mx', { domain: 'a.test' }))[0]?.failure?.reply).toContain('ECONNREFUSED');
    Object.assign(changed, { 'b.test': { A: ['127.0.0.2'] } });
    await relay.send({ to: 'ada@b.test', subject: 'Hi', text: 'Hi' });
    await relay.stop({ drain: true });
    expect(taken).toHaveLength(1);
  });

  it.each<[string, Zone, string]>([
    ['a domain that is not there', {}, 'no-such-domain'],
    ['a domain that takes no mail', { 'a.test': { MX: [[0, '']] } }, 'null-mx'],
    ['a DNS that does not answer', { 'a.test': 'silence' }, 'dns'],
  ])('%s', async (_, zone, reason) => {
    expect(await tried(await route(zone, 9))).toMatchObject({
      ok: false,
      failure: { step: 'MX', reason, hint: expect.stringContaining('domain') },
    });
  });

  it('goes to an address literal where the route sends to such', async () => {
    const { port } = await mailHost('127.0.0.2');
    const literal = await route({}, port, { allowAddressLiterals: true });
    expect(await tried(literal, '[127.0.0.2]')).toMatchObject({ ok: true });
    expect(await tried(await route({}, port), '[127.0.0.2]')).toMatchObject({ ok: false, failure: { step: 'MX' } });
  });

  it('is for routes straight to MX: others are tried as ever, and refuse it by name', async () => {
    const given: unknown[] = [];
    const custom = {
      kind: 'custom',
      name: 'own',
      create: (): Transport => ({
        send: () => Promise.reject(new Error('no')),
        close: async () => {},
        async verify(options) {
          given.push(options);
          return { ok: true, steps: [] };
        },
      }),
    } as const;
    const { port, clients } = await mailHost('127.0.0.2');
    const mx = await route({ 'a.test': { A: ['127.0.0.2'] } }, port);
    const relay = relayWith({ thread: false, routes: [mx, capture({ name: 'kept' }), custom] });
    const checks = await relay.routes.verify(undefined, { domain: 'A.test' });
    expect(checks.map(({ route, ok }) => `${route} ${ok}`)).toEqual(['mx true', 'kept true', 'own true']);
    expect([clients.length, given]).toEqual([1, [{ domain: 'a.test' }]]);
    const refused = { code: 'OPTIONS_INVALID', details: { option: 'verify().domain' } };
    await expect(relay.routes.verify('kept', { domain: 'a.test' })).rejects.toMatchObject(refused);
    await expect(relay.routes.verify('mx', { domain: 'not a domain' })).rejects.toMatchObject(refused);
    await expect(relay.routes.verify('mx', { host: 'a.test' } as never)).rejects.toMatchObject({
      code: 'OPTION_UNSUPPORTED',
    });
  });
});
