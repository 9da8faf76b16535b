import { afterEach, describe, expect, it, vi } from 'vitest';
import { capture, createMailRelay, type MailRelayOptions, smtp, sqlite } from '../../../packages/core/src/index.ts';
import { capturedMails, relayWith } from '../../support/relay.ts';

const PRODUCTION: MailRelayOptions = {
  environment: 'production',
  secret: 'a secret of enough length',
  publicUrl: 'https://app.example.com',
  routes: [smtp('smtp://127.0.0.1:2525')],
  store: sqlite(':memory:'),
};

afterEach(() => vi.unstubAllEnvs());

describe('production', () => {
  it.each([
    ['secret', 'SECRET_MISSING', 'MAIL_RELAY_SECRET'],
    ['publicUrl', 'PUBLIC_URL_MISSING', 'MAIL_RELAY_PUBLIC_URL'],
    ['routes', 'ROUTE_MISSING', 'MAIL_RELAY_SMTP_URL'],
  ] as const)(
    'does not start without `%s`, and says which option and variable are missing',
    (option, code, variable) => {
      const { [option]: _, ...rest } = PRODUCTION;
      expect(() => createMailRelay(rest)).toThrow(expect.objectContaining({ code }));
      expect(() => createMailRelay(rest)).toThrow(new RegExp(`${option}.*${variable}`));
    },
  );

  it('names all that is missing at once, with the code of the first', () => {
    expect(() => createMailRelay({ environment: 'production', store: ':memory:' })).toThrow(
      expect.objectContaining({
        code: 'SECRET_MISSING',
        message: expect.stringMatching(/MAIL_RELAY_SECRET.*MAIL_RELAY_PUBLIC_URL.*MAIL_RELAY_SMTP_URL/),
        details: expect.objectContaining({ missing: ['secret', 'publicUrl', 'routes'] }),
      }),
    );
    const { publicUrl: _, ...rest } = PRODUCTION;
    expect(() => createMailRelay({ ...rest, routes: [] })).toThrow(
      expect.objectContaining({ code: 'PUBLIC_URL_MISSING', message: expect.stringContaining('MAIL_RELAY_SMTP_URL') }),
    );
  });

  it('names the name that two routes have, as two servers of one host do', () => {
    const routes = [smtp('smtp://localhost:2501'), smtp('smtp://localhost:2502')];
    expect(() => createMailRelay({ routes, store: ':memory:' })).toThrow(/two routes named localhost: give .* `name`/);
  });

  it('warns of a public URL that is not https, except on this machine', () => {
    const warned = (publicUrl: string): number => {
      const warn = vi.fn();
      createMailRelay({ ...PRODUCTION, publicUrl, logger: { debug() {}, info() {}, warn, error() {} } });
      return warn.mock.calls.length;
    };
    expect(
      ['http://app.example.com', 'https://app.example.com', 'http://localhost:3000', 'http://127.0.0.1'].map(warned),
    ).toEqual([1, 0, 0, 0]);
  });

  it('takes all of them from the environment', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => createMailRelay({ store: ':memory:' })).toThrow(expect.objectContaining({ code: 'SECRET_MISSING' }));
    vi.stubEnv('MAIL_RELAY_SECRET', 'a secret of enough length');
    vi.stubEnv('MAIL_RELAY_PUBLIC_URL', 'https://app.example.com');
    vi.stubEnv('MAIL_RELAY_SMTP_URL', 'smtp://127.0.0.1:2525');
    expect(createMailRelay({ store: ':memory:' }).publicUrl).toBe('https://app.example.com');
  });

  it('does not capture by default, has no inbox, and no sender of its own', async () => {
    const relay = createMailRelay(PRODUCTION);
    expect(relay.matches('/mail/')).toBe(false);
    await expect(relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' })).rejects.toMatchObject({
      code: 'ADDRESS_INVALID',
      message: expect.stringContaining('MAIL_RELAY_FROM'),
    });
    await relay.stop();
  });

  it('refuses a secret that is short', () => {
    expect(() => createMailRelay({ ...PRODUCTION, secret: 'short' })).toThrow(/secret/);
  });
});

describe('development', () => {
  it('works without any option, and captures', async () => {
    const relay = relayWith();
    const bare = createMailRelay({ store: ':memory:' });
    await bare.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hello Ada' });
    await vi.waitFor(async () => expect((await bare.messages.list()).items).toMatchObject([{ state: 'sent' }]));
    await bare.stop();
    await relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hello Ada' });
    expect(await capturedMails(relay, 1)).toEqual([expect.stringContaining('Hello Ada')]);
  });

  it('has no sender of its own for mail that leaves', async () => {
    const relay = relayWith({ from: undefined as never, routes: [capture(), smtp('smtp://127.0.0.1:2525')] });
    await expect(relay.send({ to: 'ada@example.com', subject: 'Hi', text: 'Hi' })).rejects.toMatchObject({
      code: 'ADDRESS_INVALID',
    });
  });
});

describe('a start in development', () => {
  it('says once where captured mail is shown', async () => {
    const info = vi.fn();
    const logger = { debug() {}, info, warn() {}, error() {} };
    const relay = relayWith({ logger, publicUrl: 'http://localhost:3000' });
    await Promise.all([relay.start(), relay.start()]);
    expect(info.mock.calls).toEqual([[{}, 'mail is captured and shown at http://localhost:3000/mail/']]);
    await relayWith({ logger, routes: [smtp('smtp://127.0.0.1:2525')] }).start();
    expect(info).toHaveBeenCalledTimes(1);
  });
});

describe('options', () => {
  it.each([
    [{ form: 'typo' }, 'OPTION_UNSUPPORTED', 'form'],
    [{ queue: { retries: 3 } }, 'OPTION_UNSUPPORTED', 'queue.retries'],
    [{ tracking: { open: true } }, 'OPTION_UNSUPPORTED', 'tracking.open'],
    [{ tracking: { streams: { broadcast: { click: true } } } }, 'OPTION_UNSUPPORTED', 'click'],
    [{ templates: { dir: 'emails' } }, 'OPTION_UNSUPPORTED', 'templates.dir'],
    [{ publicUrl: 'ftp://example.com' }, 'OPTIONS_INVALID', 'publicUrl'],
    [{ store: 'file:relay.db' }, 'OPTIONS_INVALID', 'store'],
    [{ store: 'postgres://user:password@db.example/mail' }, 'OPTIONS_INVALID', 'store'],
    [{ publicUrl: 'https://example.com/?' }, 'OPTIONS_INVALID', 'publicUrl'],
    [{ publicUrl: 'https://example.com/#' }, 'OPTIONS_INVALID', 'publicUrl'],
    [{ publicUrl: 'https://:pass@example.com/' }, 'OPTIONS_INVALID', 'publicUrl'],
    [{ environment: 'staging' }, 'OPTIONS_INVALID', 'environment'],
    [{ limits: { maxMessageBytes: -1 } }, 'OPTIONS_INVALID', 'maxMessageBytes'],
    [{ queue: { leaseMs: Number.NaN } }, 'OPTIONS_INVALID', 'leaseMs'],
    [{ routes: [capture(), capture()] }, 'OPTIONS_INVALID', 'routes'],
    [{ from: 'nobody' }, 'ADDRESS_INVALID', 'from'],
    [{ logger: { info() {} } }, 'OPTIONS_INVALID', 'logger'],
  ])('are refused where they cannot be right: %j', (bad, code, name) => {
    const make = (): unknown => createMailRelay({ store: ':memory:', ...bad } as unknown as MailRelayOptions);
    expect(make).toThrow(expect.objectContaining({ code }));
    expect(make).toThrow(name);
  });

  it.each([
    { host: 'mx.example.com', pool: true },
    { host: 'mx.example.com', dkim: {} },
  ])('of a route are not ignored: %j', (bad) => {
    expect(() => smtp(bad)).toThrow(expect.objectContaining({ code: 'OPTION_UNSUPPORTED' }));
    expect(() => capture({ kep: 3 } as never)).toThrow(/kep/);
  });

  it('never show a secret in an error', () => {
    const bad = { ...PRODUCTION, secret: ['a secret of enough length', 'xyzzy'], routes: [smtp('smtp://u:hunter2@h')] };
    try {
      createMailRelay({ ...bad, publicUrl: 'nonsense' });
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toMatch(/xyzzy|hunter2|of enough length/);
    }
  });
});
