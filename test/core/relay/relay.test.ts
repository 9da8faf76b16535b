import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  capture,
  createMailRelay,
  type MailRelay,
  type MailRelayOptions,
  sqlite,
} from '../../../packages/core/src/index.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';

const opened: MailRelay[] = [];
const folders: string[] = [];

function relayWith(options: MailRelayOptions = {}): MailRelay {
  const relay = createMailRelay({
    from: 'App <app@example.com>',
    store: sqlite(':memory:'),
    routes: [capture()],
    ...options,
  });
  opened.push(relay);
  return relay;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mail-relay-'));
  folders.push(path);
  return path;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((relay) => relay.stop()));
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

const message = { to: 'ada@example.com', subject: 'Hi', text: 'Hello' };

describe.each([true, false])('a relay with thread: %s', (thread) => {
  it('answers an idempotency key with the first result, also when calls race', async () => {
    const relay = relayWith({ thread });
    const answers = await Promise.all(Array.from({ length: 5 }, () => relay.send({ ...message, idempotencyKey: 'k' })));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
    await expect(relay.send({ ...message, text: 'Other', idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('makes a delivery for each of To, Cc and Bcc, and each address once', async () => {
    const { deliveries } = await relayWith({ thread }).send({
      ...message,
      cc: 'bob@example.com',
      bcc: ['cy@example.com', 'ADA@example.com'],
    });
    expect(deliveries.map(({ recipient }) => recipient)).toEqual([
      'ada@example.com',
      'bob@example.com',
      'cy@example.com',
    ]);
  });

  it('cancels, holds and releases what waits, and sends the rest', async () => {
    const relay = relayWith({ thread });
    const sendAt = new Date(Date.now() + 3_600_000);
    const { id } = await relay.send({ ...message, sendAt });
    expect((await relay.messages.get(id))?.counts).toEqual({ scheduled: 1 });
    expect(await relay.messages.hold(id)).toBe(1);
    expect(await relay.messages.release(id)).toBe(1);
    expect(await relay.messages.cancel(id)).toBe(1);
    await expect(relay.messages.cancel(id)).rejects.toMatchObject({ code: 'MESSAGE_STATE' });
    await expect(relay.messages.cancel('msg_1')).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    expect(await relay.messages.retry(id)).toBe(1);
    await vi.waitFor(async () => expect((await relay.messages.get(id))?.counts).toEqual({ sent: 1 }));
  });

  it('stops mail that waits for an address that is suppressed', async () => {
    const relay = relayWith({ thread });
    await relay.lanes.pause('capture');
    const { id } = await relay.send(message);
    await relay.suppressions.add('Ada@example.com');
    expect((await relay.messages.get(id))?.counts).toEqual({ suppressed: 1 });
    expect((await relay.send(message)).deliveries[0]?.state).toBe('suppressed');
    expect(await relay.suppressions.has('ada@example.com')).toBe(true);
    expect(await relay.suppressions.remove('ada@example.com')).toBe(1);
    expect((await relay.send(message)).deliveries[0]?.state).toBe('queued');
  });
});

describe('bad input', () => {
  it.each([[{ drian: true }], [{ drain: 'no' }], [{ timeoutMs: 'soon' }], [null]])('is stop(%j)', async (options) => {
    await expect(relayWith().stop(options as never)).rejects.toMatchObject({
      code: expect.stringMatching(/^OPTION/),
      message: expect.stringMatching(/stop\(\)|drian|drain|timeoutMs/),
    });
  });

  it('is a listener for an event that does not exist, and one that is no function', () => {
    const relay = relayWith();
    expect(() => relay.on('boucned' as 'bounced', () => {})).toThrow(
      /no event boucned; known are accepted, .*event, error/,
    );
    expect(() => relay.on('bounced', undefined as never)).toThrow(/must be a function/);
  });

  it.each([
    ['ADDRESS_INVALID', { ...message, to: 'ada@example.com\r\nBcc: x@example.com' }],
    ['ADDRESS_INVALID', { ...message, to: `${'a'.repeat(65)}@example.com` }],
    ['RECIPIENT_MISSING', { ...message, to: [] }],
    ['HEADER_INVALID', { ...message, subject: 'Hi\r\nBcc: x@example.com' }],
    ['HEADER_INVALID', { ...message, headers: { 'X-A': 'a\nb' } }],
    ['TEMPLATE_NOT_FOUND', { to: 'ada@example.com', template: 'nothing' }],
    ['MESSAGE_TOO_LARGE', { ...message, text: 'x'.repeat(2000) }],
    ['ATTACHMENT_NOT_ALLOWED', { ...message, attachments: [{ path: '/etc/hostname' }] }],
    ['ATTACHMENT_NOT_ALLOWED', { ...message, attachments: [{ href: 'http://127.0.0.1/' }] }],
    ['OPTION_UNSUPPORTED', { ...message, raw: 'From: a' }],
    ['MESSAGE_INVALID', { to: 'ada@example.com', subject: 'Hi' }],
    ['MESSAGE_INVALID', { ...message, sendAt: -1 }],
    ['MESSAGE_INVALID', { ...message, sendAt: Math.trunc(Date.now() / 1000) }],
    ['MESSAGE_INVALID', { ...message, sendAt: 'soon' }],
  ])('is refused with %s, and nothing is stored', async (code, bad) => {
    const relay = relayWith({ thread: false, limits: { maxMessageBytes: 1500 } });
    await expect(relay.send(bad as typeof message)).rejects.toMatchObject({ name: 'MailRelayError', code });
    expect((await relay.messages.list()).items).toEqual([]);
  });

  it('stops the start where the database cannot be used', async () => {
    const file = join(folder(), 'relay.db');
    writeFileSync(file, 'this is no database, but it is long enough to be taken for one'.repeat(50));
    await expect(relayWith({ store: file }).start()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(relayWith({ store: '/dev/null/relay.db' }).start()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('stops the start where a template is missing or does not compile', async () => {
    const path = folder();
    await expect(relayWith({ templates: join(path, 'none') }).start()).rejects.toMatchObject({
      code: 'TEMPLATE_FOLDER_MISSING',
    });
    writeFileSync(join(path, 'bad.mjml'), '<mjml><mj-body><mj-nothing>x</mj-nothing></mj-body></mjml>');
    await expect(relayWith({ templates: path }).start()).rejects.toMatchObject({
      code: 'TEMPLATE_INVALID',
      message: expect.stringContaining('bad.mjml'),
    });
  });
});

describe('several processes on one file', () => {
  it('deliver each mail once, and take over from one that was killed', async () => {
    const store = join(folder(), 'relay.db');
    const relay = relayWith({ store, queue: { deliver: false } });
    const recipients = Array.from({ length: 600 }, (_, index) => `r${index}@example.com`);
    await relay.sendMany(recipients, { subject: 'Hi', text: 'Hello', campaign: 'two' });
    const worker = fileURLToPath(new URL('../../support/worker.ts', import.meta.url));
    const children = [0, 1].map(() => fork(worker, [store], { execArgv: [...SOURCE_ARGUMENTS], stdio: 'ignore' }));
    try {
      await vi.waitFor(async () => expect((await relay.reports.campaign('two')).sent).toBeGreaterThan(50), {
        timeout: 15_000,
        interval: 20,
      });
      children[0]?.kill('SIGKILL');
      await vi.waitFor(async () => expect((await relay.reports.campaign('two')).pending).toBe(0), {
        timeout: 20_000,
        interval: 50,
      });
      expect((await relay.reports.campaign('two')).sent).toBe(600);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  }, 40_000);
});
