import { describe, expect, it } from 'vitest';
import { fakeDns, type Zone } from '../../../support/dns.ts';
import { politely, rawServer } from '../../../support/smtp.ts';
import { direct, mailHost, mailTo } from './support.ts';

describe('the DNS', () => {
  it.each(['SERVFAIL', 'silence'] as const)('a DNS failure never becomes a permanent bounce (%s)', async (how) => {
    const { port } = await mailHost('127.0.0.2');
    const zone: Zone = { 'a.test': how, 'b.test': { MX: [[10, 'mx.b.test']] }, 'mx.b.test': how };
    const transport = direct(await fakeDns(zone), port);
    for (const to of ['x@a.test', 'x@b.test']) {
      const { outcome } = await transport.send(mailTo(to));
      expect(outcome).toMatchObject({ type: 'deferred', reason: 'dns' });
    }
  });

  it('that cannot be asked at all never bounces mail either', async () => {
    const dns = await fakeDns({});
    const transport = direct({ ...dns, server: '127.0.0.1:9' }, 25);
    expect((await transport.send(mailTo('x@a.test'))).outcome).toMatchObject({ type: 'deferred', reason: 'dns' });
  });

  it('a null MX is its own permanent failure, and no empty host', async () => {
    const { port, clients } = await mailHost('127.0.0.2');
    const dns = await fakeDns({ 'null.test': { MX: [[0, '.']], A: ['127.0.0.2'] } });
    const { outcome } = await direct(dns, port).send(mailTo('x@null.test'));
    expect(outcome).toMatchObject({
      type: 'bounced',
      kind: 'hard',
      reason: 'null-mx',
      status: '5.1.10',
      suppress: false,
    });
    expect(clients).toEqual([]);
    expect(dns.questions).toEqual(['MX null.test']);
  });

  it('a domain that does not exist is a permanent failure', async () => {
    const { outcome } = await direct(await fakeDns({}), 25).send(mailTo('x@nowhere.test'));
    expect(outcome).toMatchObject({ type: 'bounced', reason: 'no-such-domain', status: '5.1.2' });
  });

  it('a domain without MX is its own mail server, or has none', async () => {
    const { port, taken } = await mailHost('127.0.0.2');
    const transport = direct(await fakeDns({ 'plain.test': { A: ['127.0.0.2'] }, 'web.test': { TXT: ['hi'] } }), port);
    expect((await transport.send(mailTo('x@plain.test'))).outcome.type).toBe('sent');
    expect(taken).toMatchObject([{ to: 'x@plain.test', ehlo: 'out.sender.test' }]);
    expect((await transport.send(mailTo('x@web.test'))).outcome).toMatchObject({
      type: 'bounced',
      reason: 'no-such-domain',
    });
  });

  it('MX hosts without an address may get one: the mail waits', async () => {
    const dns = await fakeDns({ 'a.test': { MX: [[10, 'gone.test']] } });
    expect((await direct(dns, 25).send(mailTo('x@a.test'))).outcome).toMatchObject({ type: 'deferred', reason: 'dns' });
  });

  it('CNAMEs are followed, of the domain and of its host', async () => {
    const { port, taken } = await mailHost('127.0.0.2');
    const dns = await fakeDns({
      'alias.test': { CNAME: 'real.test' },
      'real.test': { MX: [[10, 'mx.real.test']] },
      'mx.real.test': { CNAME: 'host.test' },
      'host.test': { A: ['127.0.0.2'] },
    });
    expect((await direct(dns, port).send(mailTo('x@alias.test'))).outcome.type).toBe('sent');
    expect(taken).toHaveLength(1);
  });

  it('answers that are too long for UDP come over TCP', async () => {
    const { port } = await mailHost('127.0.0.2');
    const many = Array.from({ length: 30 }, (_, at) => [20, `a-host-with-a-long-name-${at}.big.test`] as const);
    const dns = await fakeDns({
      'big.test': { MX: [...many, [10, 'mx.big.test']] },
      'mx.big.test': { A: ['127.0.0.2'] },
    });
    expect((await direct(dns, port).send(mailTo('x@big.test'))).outcome.type).toBe('sent');
    expect(dns.questions).toContain('TCP MX big.test');
  });

  it('is asked once for many mails, and again when an answer is old', async () => {
    const { port } = await mailHost('127.0.0.2');
    const dns = await fakeDns({ 'a.test': { A: ['127.0.0.2'] } });
    let now = 1_000_000;
    const transport = direct(dns, port, { mtaSts: false }, { clock: { now: () => now } });
    await Promise.all(Array.from({ length: 20 }, () => transport.send(mailTo('x@a.test'))));
    expect([...dns.questions].sort()).toEqual(['A a.test', 'AAAA a.test', 'MX a.test']);
    now += 3_600_001;
    await transport.send(mailTo('x@a.test'));
    expect(dns.questions.filter((question) => question === 'MX a.test')).toHaveLength(2);
  });
});

describe('the hosts of a domain', () => {
  it('are tried by preference within one attempt, and those of equal preference take turns', async () => {
    const first = await mailHost('127.0.0.2');
    const second = await mailHost('127.0.0.3', first.port);
    const last = await mailHost('127.0.0.4', first.port);
    const zone: Zone = {
      'mx1.test': { A: ['127.0.0.2'] },
      'mx2.test': { A: ['127.0.0.3'] },
      'mx3.test': { A: ['127.0.0.4'] },
      'dead.test': { A: ['127.0.0.5'] },
    };
    const MX = [
      [20, 'mx3.test'],
      [10, 'mx2.test'],
      [10, 'mx1.test'],
      [5, 'dead.test'],
    ] as const;
    for (let at = 0; at < 20; at++) zone[`d${at}.test`] = { MX };
    const dns = await fakeDns(zone);
    for (let at = 0; at < 20; at++) {
      // A transport of its own each time, or all would go over the connection that the first one opened.
      const { outcome, transcript } = await direct(dns, first.port).send(mailTo(`x@d${at}.test`));
      expect(outcome.type).toBe('sent');
      expect(transcript.considered?.[0]).toBe('5 dead.test');
      expect(transcript.considered?.[3]).toBe('20 mx3.test');
      expect(transcript.steps[0]?.reply).toContain('dead.test [127.0.0.5]: connect ECONNREFUSED');
    }
    expect(first.taken.length).toBeGreaterThan(0);
    expect(second.taken.length).toBeGreaterThan(0);
    expect(last.taken).toEqual([]);
  });

  it('that turn us away, or go away, leave the mail to the next one', async () => {
    const angry = await rawServer((socket) => void socket.end('554 5.7.1 you are on our block list\r\n'), '127.0.0.2');
    const { taken } = await mailHost('127.0.0.3', angry.port);
    const zone: Zone = {
      'a.test': {
        MX: [
          [10, 'mx1.test'],
          [20, 'mx2.test'],
        ],
      },
      'only.test': { MX: [[10, 'mx1.test']] },
      'mx1.test': { A: ['127.0.0.2'] },
      'mx2.test': { A: ['127.0.0.3'] },
    };
    const transport = direct(await fakeDns(zone), angry.port);
    const { outcome, transcript } = await transport.send(mailTo('x@a.test'));
    expect([outcome.type, transcript.host, transcript.address]).toEqual(['sent', 'mx2.test', '127.0.0.3']);
    expect(taken).toHaveLength(1);
    // The recipient can do nothing for it: no bounce, no suppression.
    expect((await transport.send(mailTo('x@only.test'))).outcome).toMatchObject({
      type: 'deferred',
      reason: 'blocked-ip',
    });
  });

  it('with our own name cut the list, so that mail never comes back to us', async () => {
    const better = await mailHost('127.0.0.2');
    const zone: Zone = {
      'backup.test': {
        MX: [
          [20, 'OUT.sender.test'],
          [10, 'mx1.test'],
          [20, 'mx2.test'],
        ],
      },
      'ours.test': {
        MX: [
          [10, 'out.sender.test'],
          [20, 'mx1.test'],
        ],
      },
      'mx1.test': { A: ['127.0.0.2'] },
    };
    const transport = direct(await fakeDns(zone), better.port);
    const { transcript } = await transport.send(mailTo('x@backup.test'));
    expect(transcript.considered).toEqual(['10 mx1.test']);
    expect((await transport.send(mailTo('x@ours.test'))).outcome).toMatchObject({
      type: 'bounced',
      status: '5.4.6',
      reason: 'system',
      suppress: false,
    });
  });

  it('with private addresses, and address literals, are refused unless allowed', async () => {
    const { port, taken } = await mailHost('127.0.0.2');
    const dns = await fakeDns({ 'a.test': { A: ['127.0.0.2', '10.0.0.1'], AAAA: ['::1', 'fe80::1'] } });
    const strict = direct(dns, port, { allowPrivateAddresses: false });
    expect((await strict.send(mailTo('x@a.test'))).outcome).toMatchObject({ type: 'bounced', reason: 'policy' });
    expect((await strict.send(mailTo('x@[127.0.0.2]'))).outcome).toMatchObject({ type: 'bounced', reason: 'policy' });
    expect(taken).toEqual([]);
    const open = direct(dns, port, { allowAddressLiterals: true });
    expect((await open.send(mailTo('x@[127.0.0.2]'))).outcome.type).toBe('sent');
    const half = direct(dns, port, { allowAddressLiterals: true, allowPrivateAddresses: false });
    expect((await half.send(mailTo('x@[127.0.0.2]'))).outcome).toMatchObject({ type: 'bounced', reason: 'policy' });
  });

  it.each(['127.1', '2130706433', '127.0.1'])(
    'that only the system reads as an address (%s) are names',
    async (host) => {
      const { port, clients } = await mailHost('127.0.0.1');
      const dns = await fakeDns({ 'a.test': { MX: [[10, host]] } });
      const strict = direct(dns, port, { allowPrivateAddresses: false });
      expect((await strict.send(mailTo('x@a.test'))).outcome).toMatchObject({ type: 'deferred', reason: 'dns' });
      expect(clients).toEqual([]);
      expect(dns.questions).toContain(`A ${host}`);
    },
  );

  it('are reached over IPv6 as well', async () => {
    const { port, taken } = await mailHost('::1');
    const dns = await fakeDns({ 'six.test': { MX: [[10, 'mx.six.test']] }, 'mx.six.test': { AAAA: ['::1'] } });
    const { outcome, transcript } = await direct(dns, port).send(mailTo('x@six.test'));
    expect([outcome.type, transcript.address]).toEqual(['sent', '::1']);
    expect(taken).toHaveLength(1);
  });

  it('that do not answer are left alone for a while', async () => {
    const { port } = await mailHost('127.0.0.2');
    const dns = await fakeDns({ 'dead.test': { A: ['127.0.0.9'] } });
    let now = 1_000_000;
    const transport = direct(dns, port, {}, { clock: { now: () => now } });
    const first = await transport.send(mailTo('x@dead.test'));
    expect(first.outcome).toMatchObject({ type: 'deferred', reason: 'network' });
    const second = await transport.send(mailTo('y@dead.test'));
    expect(second.outcome).toMatchObject({ type: 'deferred', reason: 'network', retryAfterMs: 300_000 });
    expect(second.transcript.steps).toEqual([]);
    now += 300_001;
    const late = await mailHost('127.0.0.9', port);
    expect((await transport.send(mailTo('z@dead.test'))).outcome.type).toBe('sent');
    expect(late.taken).toHaveLength(1);
  });
});

describe('what a host says', () => {
  it("one recipient's failure does not fail the others", async () => {
    const { port, taken, clients } = await mailHost('127.0.0.2', 0, {
      onRcptTo({ address }, _session, done) {
        done(address.startsWith('no') ? Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 }) : null);
      },
    });
    const transport = direct(await fakeDns({ 'a.test': { A: ['127.0.0.2'] } }), port, { connectionsPerSite: 2 });
    const attempts = await Promise.all(
      ['a', 'no', 'b', 'c', 'no2', 'd'].map((name) => transport.send(mailTo(`${name}@a.test`))),
    );
    expect(attempts.map(({ outcome }) => outcome.type)).toEqual(['sent', 'bounced', 'sent', 'sent', 'bounced', 'sent']);
    expect(attempts[1]?.outcome).toMatchObject({ reason: 'no-such-mailbox', suppress: true });
    expect(taken).toHaveLength(4);
    expect(clients.length).toBeLessThanOrEqual(2);
  });

  it('about its limits is heard before the message: SIZE, and SMTPUTF8 where the address needs it', async () => {
    const { port, taken } = await mailHost('127.0.0.2', 0, { size: 1000, hideSMTPUTF8: true });
    const transport = direct(await fakeDns({ 'a.test': { A: ['127.0.0.2'] } }), port);
    const large = await transport.send(mailTo('x@a.test', { raw: Buffer.alloc(2000, 'x') }));
    expect(large.outcome).toMatchObject({
      type: 'bounced',
      kind: 'soft',
      reason: 'message-too-big',
      status: '5.3.4',
    });
    const envelope = { from: 'app@sender.test', to: 'zoé@a.test', utf8: true, eightBit: true };
    const foreign = await transport.send(mailTo('zoé@a.test', { envelope }));
    expect(foreign.outcome).toMatchObject({ type: 'bounced', status: '5.6.7', suppress: false });
    expect(taken).toEqual([]);
    const utf8 = await mailHost('127.0.0.3', port);
    const other = direct(await fakeDns({ 'a.test': { A: ['127.0.0.3'] } }), port);
    expect((await other.send(mailTo('zoé@a.test', { envelope }))).outcome.type).toBe('sent');
    expect(utf8.taken).toMatchObject([{ to: 'zoé@a.test' }]);
  });

  it('after the message decides alone: a lost answer is unknown, and no other host gets the mail', async () => {
    const server = await rawServer(
      politely((line, socket) => {
        if (line !== '.') return undefined;
        socket.destroy();
        return null;
      }),
      '127.0.0.2',
    );
    const { taken } = await mailHost('127.0.0.3', server.port);
    const zone: Zone = {
      'a.test': {
        MX: [
          [10, 'mx1.test'],
          [20, 'mx2.test'],
        ],
      },
      'mx1.test': { A: ['127.0.0.2'] },
      'mx2.test': { A: ['127.0.0.3'] },
    };
    const { outcome } = await direct(await fakeDns(zone), server.port).send(mailTo('x@a.test'));
    expect(outcome.type).toBe('unknown');
    expect(taken).toEqual([]);
  });
});
