import { describe, expect, it } from 'vitest';
import { verdicts } from '../../support/dkim.ts';
import { fakeResolver } from '../../support/published.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

describe('relay.domains.createKey()', () => {
  it.each(['rsa', 'ed25519'] as const)(
    'makes a key of kind %s and a record with which its mail verifies',
    async (algorithm) => {
      const { privateKey, selector, domain, record } = await relayWith().domains.createKey('Example.com', {
        algorithm,
      });
      expect(record).toMatchObject({ type: 'TXT', name: `${selector}._domainkey.example.com` });
      expect(record.strings.join('')).toBe(record.value);
      for (const one of record.strings) expect(one.length).toBeLessThanOrEqual(255);
      expect(record.strings).toHaveLength(algorithm === 'rsa' ? 2 : 1);
      expect([...record.zone.matchAll(/"([^"]*)"/g)].map(([, text]) => text)).toEqual(record.strings);

      const relay = relayWith({ thread: false, dkim: { keys: [{ domain, selector, privateKey }] } });
      await relay.send({ to: 'ada@example.net', subject: 'Hello', text: 'Hello' });
      const [mail = ''] = await capturedMails(relay, 1);
      expect(await verdicts(mail, { [record.name]: record.value })).toEqual([
        `pass ${algorithm}-sha256 ${record.name.replace('._domainkey', '')}`,
      ]);
    },
  );

  it('names each key anew, and takes a name', async () => {
    const { domains } = relayWith();
    const made = await Promise.all([1, 2].map(() => domains.createKey('example.com', { algorithm: 'ed25519' })));
    expect(made[0]?.selector).toMatch(/^ed25519\d{8}-[0-9a-f]{6}$/);
    expect(made[0]?.selector).not.toBe(made[1]?.selector);
    expect((await domains.createKey('example.com', { selector: 's.1', algorithm: 'ed25519' })).record.name).toBe(
      's.1._domainkey.example.com',
    );
  });

  it('refuses what is no domain, no selector and no kind', async () => {
    const { domains } = relayWith();
    for (const [domain, options] of [
      ['x y', {}],
      ['a.example', { selector: '-' }],
      ['a.example', { algorithm: 'ec' as 'rsa' }],
    ] as const)
      await expect(domains.createKey(domain, options)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });

  it('rotates: the new key signs, and the check still expects the old one', async () => {
    const { domains } = relayWith();
    const [old, fresh] = await Promise.all([domains.createKey('example.com'), domains.createKey('example.com')]);
    const relay = relayWith({
      thread: false,
      dkim: { keys: [fresh, old].map(({ domain, selector, privateKey }) => ({ domain, selector, privateKey })) },
    });
    const records = { [`TXT ${fresh.record.name}`]: [fresh.record.value] };
    const dkim = async (zone: Record<string, string[]>) =>
      (await relay.domains.check('example.com', { resolver: fakeResolver({ records: zone }) })).findings.filter(
        ({ topic }) => topic === 'dkim',
      );
    expect((await dkim(records)).map(({ code }) => code)).toEqual(['dkim-ok', 'dkim-missing']);
    const both = await dkim({ ...records, [`TXT ${old.record.name}`]: [old.record.value] });
    expect(both.map(({ code }) => code)).toEqual(['dkim-ok', 'dkim-ok']);
  });
});
