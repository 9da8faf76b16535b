import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMailRelay, type DkimOptions, type MailRelayOptions } from '../../../packages/core/src/index.ts';
import { ED25519, pemOf, RSA, recordOf, verdicts } from '../../support/dkim.ts';
import { capturedMails, relayWith, scratchFolder } from '../../support/relay.ts';

const NAMED = { domain: 'example.com', selector: 's1' };
const ZONE = { 's1._domainkey.example.com': recordOf(RSA), 's2._domainkey.example.com': recordOf(ED25519) };
const SHORT = generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey;
const WEAK = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;

function make(dkim: unknown, options: MailRelayOptions = {}): unknown {
  return createMailRelay({ store: ':memory:', dkim: dkim as DkimOptions, ...options });
}

function withKey(privateKey: unknown): object {
  return { keys: [{ ...NAMED, privateKey }] };
}

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

afterEach(() => vi.unstubAllEnvs());

describe('a key that cannot sign is an error when the relay is made', () => {
  const encrypted = RSA.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' });
  const torn = pemOf(RSA).replace(/\n.*\n/, '\n');
  it.each<[string, unknown, RegExp]>([
    ['text that is neither PEM nor a path', 'hunter2 hunter2', /neither PEM text nor a file/],
    ['text with a NUL', 'hunter2\0', /neither PEM text nor a file/],
    ['the base64 of a key alone', pemOf(RSA).split('\n')[1], /neither PEM text nor a file/],
    ['a folder', '/', /neither PEM text nor a file/],
    ['nothing', '', /must be PEM text/],
    ['a number', 5, /must be PEM text/],
    ['a torn key', torn, /not a private key/],
    ['an encrypted key', encrypted, /is encrypted/],
    ['a public key', generateKeyPairSync('ed25519').publicKey, /is a public key/],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----', /not a private key/],
    ['an elliptic curve that DKIM does not know', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, /ec/],
    ['Ed448', generateKeyPairSync('ed448').privateKey, /ed448/],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, /rsa-pss/],
    ['RSA of 512 bits', SHORT, /512 bits/],
  ])('%s', (_, privateKey, says) => {
    const error = errorOf(() => make(withKey(privateKey)));
    expect(error).toMatchObject({ code: 'DKIM_KEY_INVALID', details: { option: 'dkim.keys[0].privateKey' } });
    expect(error.message).toMatch(says);
    const shown = `${error.message}${error.stack}${JSON.stringify(error)}`;
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain(pemOf(RSA).split('\n')[1]);
  });

  it('RSA of more bits than receivers read', () => {
    // Nobody has to wait until such a key is made: its length shows before it could sign.
    const part = Buffer.alloc(513, 0xff).toString('base64url');
    const parts = { n: part, d: part, p: part, q: part, dp: part, dq: part, qi: part };
    const long = createPrivateKey({ format: 'jwk', key: { kty: 'RSA', e: 'AQAB', ...parts } });
    expect(() => make(withKey(long))).toThrow(/4104 bits/);
  });
});

describe('keys are taken', () => {
  it.each<[string, () => unknown]>([
    ['as PEM text', () => pemOf(RSA)],
    ['as PEM text of PKCS #1', () => RSA.export({ type: 'pkcs1', format: 'pem' })],
    ['as PEM text with its line ends written out', () => pemOf(RSA).replaceAll('\n', '\\n')],
    ['as a KeyObject', () => RSA],
    [
      'from a file',
      () => {
        const path = join(scratchFolder(), 'dkim.pem');
        writeFileSync(path, pemOf(RSA));
        return path;
      },
    ],
  ])('%s, and sign in the thread of the engine', async (_, key) => {
    const relay = relayWith({ dkim: withKey(key()) as DkimOptions });
    await relay.send({ to: 'ada@example.net', subject: 'Hello', text: 'Hello' });
    const [mail = ''] = await capturedMails(relay, 1);
    expect(await verdicts(mail, ZONE)).toEqual(['pass rsa-sha256 s1.example.com']);
  });

  it('from the environment', async () => {
    vi.stubEnv('MAIL_RELAY_DKIM_DOMAIN', 'Example.com');
    vi.stubEnv('MAIL_RELAY_DKIM_SELECTOR', 's2');
    vi.stubEnv('MAIL_RELAY_DKIM_KEY', pemOf(ED25519).replaceAll('\n', '\\n'));
    const relay = relayWith({ thread: false });
    await relay.send({ to: 'ada@example.net', subject: 'Hello', text: 'Hello' });
    const [mail = ''] = await capturedMails(relay, 1);
    expect(await verdicts(mail, ZONE)).toEqual(['pass ed25519-sha256 s2.example.com']);
  });

  it('from the environment with all of its parts only', () => {
    vi.stubEnv('MAIL_RELAY_DKIM_DOMAIN', 'example.com');
    expect(() => make(undefined)).toThrow(/MAIL_RELAY_DKIM_SELECTOR/);
    vi.stubEnv('MAIL_RELAY_DKIM_SELECTOR', 's1');
    expect(() => make(undefined)).toThrow(/MAIL_RELAY_DKIM_KEY/);
    vi.stubEnv('MAIL_RELAY_DKIM_KEY', '/nowhere/dkim.pem');
    expect(() => make(undefined)).toThrow(expect.objectContaining({ code: 'DKIM_KEY_INVALID' }));
  });

  it('with a warning where they are short', () => {
    const warn = vi.fn();
    const logger = { debug() {}, info() {}, warn, error() {} };
    make({ keys: [{ ...NAMED, privateKey: WEAK }] }, { logger });
    expect(warn).toHaveBeenCalledExactlyOnceWith({ ...NAMED, bits: 1024 }, expect.stringContaining('2048'));
    make(withKey(RSA), { logger });
    expect(warn).toHaveBeenCalledOnce();
  });
});

describe('options out of range are refused, and named', () => {
  const key = { ...NAMED, privateKey: RSA };
  it.each<[unknown, string]>([
    [[], 'dkim'],
    [{}, 'dkim.keys'],
    [{ keys: [{ domain: 'example.com', selector: 's1' }] }, 'dkim.keys[0].privateKey'],
    [{ keys: [{ ...key, domain: 'no domain' }] }, 'dkim.keys[0].domain'],
    [{ keys: [{ ...key, domain: '[127.0.0.1]' }] }, 'dkim.keys[0].domain'],
    [{ keys: [{ ...key, selector: 's1; p=' }] }, 'dkim.keys[0].selector'],
    [{ keys: [{ ...key, selector: 's1.' }] }, 'dkim.keys[0].selector'],
    [{ keys: [key, { ...key, selector: 'S1' }] }, 'dkim.keys[1].selector'],
    [{ keys: [{ ...key, domain: `${Array(4).fill('a'.repeat(60)).join('.')}.co` }] }, 'dkim.keys[0].selector'],
    [{ keys: [key], alignment: 'loose' }, 'dkim.alignment'],
    [{ keys: [key], required: 'yes' }, 'dkim.required'],
    [{ keys: [key], expireAfterMs: 10 }, 'dkim.expireAfterMs'],
    [{ keys: [key], unsignedHeaders: ['FROM'] }, 'dkim.unsignedHeaders'],
  ])('%#', (dkim, option) => {
    expect(errorOf(() => make(dkim))).toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
  });

  it('also where nobody reads them', () => {
    expect(errorOf(() => make({ keys: [], domainName: 'x' }))).toMatchObject({ code: 'OPTION_UNSUPPORTED' });
  });
});

describe('where a signature is required', () => {
  it('refuses mail from a domain without a key before anything is stored', async () => {
    const relay = relayWith({ thread: false, dkim: { keys: [{ ...NAMED, privateKey: RSA }], required: true } });
    const mail = { to: 'ada@example.net', subject: 'Hello', text: 'Hello' };
    await expect(relay.send({ ...mail, from: 'a@example.org' })).rejects.toMatchObject({
      code: 'DKIM_KEY_MISSING',
      status: 400,
    });
    await relay.send({ ...mail, from: 'a@shop.example.com' });
    expect((await relay.messages.list()).items).toHaveLength(1);
  });
});
