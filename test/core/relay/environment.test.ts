import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createMailRelay, type MailRelay, type MailRelayOptions } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';
import { folderWith } from '../compose/support.ts';

afterEach(() => vi.unstubAllEnvs());

/** A relay that has everything else from the environment. */
function relayFrom(env: Readonly<Record<string, string>>, options: MailRelayOptions = {}): MailRelay {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const relay = createMailRelay({ thread: false, ...options });
  onTestFinished(() => relay.stop({ timeoutMs: 1000 }));
  return relay;
}

const mail = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' } as const;

describe('the environment', () => {
  it('says where the store is', async () => {
    const file = join(scratchFolder(), 'deep', 'relay.db');
    await relayFrom({ MAIL_RELAY_STORE: file }).start();
    expect(existsSync(file)).toBe(true);
  });

  it('says where the templates are', async () => {
    const folder = folderWith({ 'hello.html': 'Hello {{name}}' });
    const relay = relayFrom({ MAIL_RELAY_STORE: ':memory:', MAIL_RELAY_TEMPLATES: folder });
    expect((await relay.templates.render('hello', { name: 'Ada' })).html).toBe('Hello Ada');
  });

  it('says over which server mail goes, from whom, and how fast', async () => {
    const inbox = await smtpServer();
    const relay = relayFrom({
      MAIL_RELAY_STORE: ':memory:',
      MAIL_RELAY_FROM: 'Acme <hello@acme.example>',
      MAIL_RELAY_SMTP_URL: `smtp://127.0.0.1:${inbox.port}`,
      MAIL_RELAY_RATE: '2/h',
    });
    for (const name of ['a', 'b', 'c']) await relay.send({ ...mail, to: `${name}@example.com` });
    await vi.waitFor(
      async () => expect((await relay.messages.list({ state: 'sent' })).items.length).toBeGreaterThanOrEqual(2),
      { timeout: 10_000 },
    );
    expect((await relay.messages.list({ state: 'queued' })).items).toHaveLength(1);
    expect(inbox.mails[0]?.source).toContain('From: Acme <hello@acme.example>');
    expect(inbox.mails).toHaveLength(2);
  });

  it('has several secrets: the first signs, all verify', async () => {
    const [older, newer] = ['an older secret of enough length', 'a newer secret of enough length'];
    const store = join(scratchFolder(), 'relay.db');
    const unsubscribeUrl = async (relay: MailRelay): Promise<string> => {
      const { deliveries } = await relay.send({ ...mail, stream: 'broadcast' });
      const source = await vi.waitFor(async () => {
        const path = `http://localhost:3000/mail/inbox/${deliveries[0]?.id}/source`;
        const response = await relay.handle(new Request(path));
        if (response?.status !== 200) throw new Error('not yet');
        return response.text();
      });
      return /List-Unsubscribe: <([^>]+)>/.exec(source)?.[1] ?? '';
    };
    const before = relayFrom({ MAIL_RELAY_STORE: store, MAIL_RELAY_SECRET: older });
    const old = await unsubscribeUrl(before);
    await before.stop();
    const rotated = relayFrom({ MAIL_RELAY_SECRET: ` ${newer} , ${older}` });
    const fresh = await unsubscribeUrl(rotated);
    await rotated.stop();
    const after = relayFrom({ MAIL_RELAY_SECRET: newer });
    const status = async (relay: MailRelay, url: string) => (await relay.handle(new Request(url)))?.status;
    expect([await status(rotated, old), await status(rotated, fresh)]).toEqual([200, 200]);
    expect([await status(after, old), await status(after, fresh)]).toEqual([404, 200]);
  });

  it('names what is wrong with it, and never shows it', () => {
    expect(() => relayFrom({ MAIL_RELAY_SECRET: 'hunter2' })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.not.stringContaining('hunter2') }),
    );
    vi.unstubAllEnvs();
    expect(() => relayFrom({ MAIL_RELAY_SMTP_URL: 'smtp://u:hunter2@h:x' })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.not.stringContaining('hunter2') }),
    );
  });

  const NAMES = ['SECRET', 'PUBLIC_URL', 'FROM', 'STORE', 'TEMPLATES', 'SMTP_URL', 'RATE'];
  const DKIM = ['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_KEY'];
  const blank = (value: string): Record<string, string> =>
    Object.fromEntries([...NAMES, ...DKIM].map((name) => [`MAIL_RELAY_${name}`, value]));

  it.each(['', ' ', '\n'])('counts as absent where it is empty: %j', async (value) => {
    vi.spyOn(process, 'cwd').mockReturnValue(scratchFolder());
    onTestFinished(() => void vi.restoreAllMocks());
    const relay = relayFrom({ ...blank(value), PORT: value, NODE_ENV: value });
    expect(relay.publicUrl).toBe('http://localhost:3000');
    await expect(relay.send(mail)).resolves.toMatchObject({ repeated: false });
    expect(() => relayFrom({ ...blank(value), NODE_ENV: 'production' })).toThrow(
      expect.objectContaining({
        code: 'SECRET_MISSING',
        details: expect.objectContaining({ missing: ['secret', 'publicUrl', 'routes'] }),
      }),
    );
  });

  it.each([
    ['8080', 'http://localhost:8080'],
    ['\\\\.\\pipe\\abc', 'http://localhost:3000'],
    ['http', 'http://localhost:3000'],
    ['99999', 'http://localhost:3000'],
    ['0', 'http://localhost:3000'],
  ])('names the port in development, where PORT is one: %s', (port, url) => {
    expect(relayFrom({ PORT: port, MAIL_RELAY_STORE: ':memory:' }).publicUrl).toBe(url);
  });

  it('may have blanks around its values, as files of variables leave them', () => {
    const env = { MAIL_RELAY_PUBLIC_URL: ' https://env.example\n', MAIL_RELAY_SMTP_URL: ' smtp://mx.example\r' };
    const relay = relayFrom({ ...env, MAIL_RELAY_RATE: '14/s, 50000/day ', MAIL_RELAY_STORE: ':memory: ' });
    expect(relay.publicUrl).toBe('https://env.example');
  });

  it('goes behind what is given in code', () => {
    const relay = relayFrom({ MAIL_RELAY_PUBLIC_URL: 'https://env.example' }, { publicUrl: 'https://code.example' });
    expect(relay.publicUrl).toBe('https://code.example');
  });
});

it('pino is a logger', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const relay = relayWith({ thread: false, logger });
  relay.on('accepted', () => {
    throw new Error('a listener of the host');
  });
  await relay.send(mail);
  const failure = { level: 50, event: 'accepted', msg: 'a listener failed' };
  await vi.waitFor(() =>
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining(failure)),
  );
});

it('a message has as many recipients as `limits.maxRecipients` says, in To, Cc and Bcc together', async () => {
  const relay = relayWith({ thread: false, limits: { maxRecipients: 3 }, queue: { deliver: false } });
  const message = { ...mail, to: ['a@example.com', 'b@example.com'], cc: 'c@example.com' };
  expect((await relay.send({ ...message, bcc: 'A@example.com' })).deliveries).toHaveLength(3);
  await expect(relay.send({ ...message, bcc: 'd@example.com' })).rejects.toMatchObject({
    code: 'MESSAGE_INVALID',
    message: expect.stringMatching(/4 recipients.*3.*limits\.maxRecipients/),
  });
});
