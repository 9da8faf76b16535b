import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Logger, MailRelayOptions } from '../../../packages/core/src/index.ts';
import { createTestRelay } from '../../../packages/core/src/testing/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { endpoint, type Received, status } from './support.ts';

const hello = (to: string) => ({ to, subject: 'Hello', text: 'Hello' });
const local = { types: ['accepted'], allowHttp: true, allowPrivateAddresses: true } as const;
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 15_000, interval: 20 });
const fileOf = (): string => join(scratchFolder(), 'relay.db');

/** A relay whose log is kept. */
function logged(options: MailRelayOptions = {}) {
  const lines: object[] = [];
  const note = (fields: object, message: string): void => void lines.push({ ...fields, message });
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  return { relay: relayWith({ logger, ...options }), lines };
}

async function kit() {
  const made = await createTestRelay({ logger: { debug() {}, info() {}, warn() {}, error() {} } });
  onTestFinished(made.stop);
  return made;
}

/** How many secrets have signed, and whether one of them has. */
function signatures({ headers, body }: Received, secret: string): { readonly count: number; readonly signed: boolean } {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const all = String(headers['webhook-signature']).split(' ');
  return { count: all.length, signed: all.includes(`v1,${createHmac('sha256', key).update(text).digest('base64')}`) };
}

describe('an endpoint that is added', () => {
  it.each([true, false])(
    'gets what happens from then on, signed, also after a restart, with thread: %s',
    async (thread) => {
      const { url, received } = await endpoint(status(204));
      const store = fileOf();
      const first = logged({ store, thread });
      await first.relay.send(hello('before@example.com'));
      const { name, secret } = await first.relay.webhooksOut.add({ ...local, name: 'crm', url: `${url}?token=hidden` });
      expect(name).toBe('crm');
      await first.relay.send(hello('a@example.com'));
      await eventually(() => expect(received).toHaveLength(1));
      expect(JSON.parse(received[0]?.body ?? '').data.recipient).toBe('a@example.com');
      expect(received[0]?.url).toBe('/hook?token=hidden');
      expect(signatures(received[0] as Received, secret)).toEqual({ count: 1, signed: true });
      const listed = await first.relay.webhooksOut.list();
      expect(listed).toEqual([
        {
          name: 'crm',
          url,
          types: ['accepted'],
          concurrency: 4,
          timeoutMs: 15_000,
          from: 'store',
          secrets: 1,
          createdAt: expect.any(Date),
        },
      ]);
      expect(await first.relay.subscriptions.list()).toMatchObject([{ name: 'crm', kind: 'webhook', state: 'active' }]);
      await first.relay.stop();
      const next = logged({ store, thread });
      await next.relay.send(hello('b@example.com'));
      await eventually(() => expect(received).toHaveLength(2));
      expect(signatures(received[1] as Received, secret).signed).toBe(true);
      await next.relay.stop();
      const said = JSON.stringify([listed, first.lines, next.lines]);
      // Nor does the database have it, or its URL, which may carry a token.
      const kept = ['', '-wal'].map((end) => readFileSync(store + end, { flag: 'a+' }).toString('latin1')).join();
      for (const hidden of [secret.slice('whsec_'.length), 'token=hidden']) {
        expect(said).not.toContain(hidden);
        expect(kept).not.toContain(hidden);
      }
    },
  );

  it('is seen by other processes, and so is its removal', async () => {
    const { url, received } = await endpoint(status(204));
    const store = fileOf();
    // One accepts, and posts nothing itself.
    const web = logged({ store, queue: { deliver: false } }).relay;
    const worker = logged({ store }).relay;
    await Promise.all([web.start(), worker.start()]);
    await web.webhooksOut.add({ ...local, name: 'crm', url });
    await web.send(hello('a@example.com'));
    await eventually(() => expect(received).toHaveLength(1));
    expect(await worker.webhooksOut.list()).toMatchObject([{ name: 'crm', from: 'store' }]);
    await web.webhooksOut.remove('crm');
    expect(await worker.webhooksOut.list()).toEqual([]);
    expect(await worker.subscriptions.list()).toEqual([]);
    await web.send(hello('b@example.com'));
    // The same name is another endpoint, with events of its own.
    await web.webhooksOut.add({ ...local, name: 'crm', url });
    await web.send(hello('c@example.com'));
    await eventually(() => expect(received).toHaveLength(2));
    expect(JSON.parse(received[1]?.body ?? '').data.recipient).toBe('c@example.com');
  });

  it('signs with both secrets while one takes the place of another', async () => {
    const { url, received } = await endpoint(status(204));
    const { relay, clock } = await kit();
    const { secret: old } = await relay.webhooksOut.add({ ...local, name: 'crm', url });
    const { secret: fresh } = await relay.webhooksOut.rotate('crm', { keepMs: 3_600_000 });
    const sent = async (): Promise<Received> => {
      await relay.send(hello('a@example.com'));
      await relay.settled();
      return received.at(-1) as Received;
    };
    const both = await sent();
    expect([signatures(both, old), signatures(both, fresh)]).toEqual(Array(2).fill({ count: 2, signed: true }));
    expect(await relay.webhooksOut.list()).toMatchObject([{ secrets: 2 }]);
    await clock.advance(3_600_001);
    const one = await sent();
    expect(signatures(one, fresh)).toEqual({ count: 1, signed: true });
    // What leaked is ended at once.
    const { secret: last } = await relay.webhooksOut.rotate('crm', { keepMs: 0 });
    expect(signatures(await sent(), last)).toEqual({ count: 1, signed: true });
    expect(received).toHaveLength(3);
  });

  it('is asked at public addresses only, as those of the options are', async () => {
    const { url, received } = await endpoint(status(204));
    const { relay } = await kit();
    await relay.webhooksOut.add({ ...local, name: 'inside', url, allowPrivateAddresses: false });
    await relay.send(hello('a@example.com'));
    await relay.settled();
    const { items } = await relay.subscriptions.attempts('inside');
    expect(items).toMatchObject([{ status: undefined, error: expect.stringContaining('not public') }]);
    expect(received).toEqual([]);
  });

  it('is refused where the options would refuse it, without its secret', async () => {
    const { relay } = logged({
      webhooksOut: [
        { name: 'fixed', url: 'https://a.example/', secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` },
      ],
    });
    relay.subscribe('audit', () => {});
    await relay.start();
    const { webhooksOut } = relay;
    const refused = async (call: Promise<unknown>, code: string, option?: string) => {
      const error = await call.then(
        () => undefined,
        (one: unknown) => one,
      );
      expect(error).toMatchObject({ code, ...(option === undefined ? {} : { details: { option } }) });
      expect(JSON.stringify([String(error), error])).not.toContain('hushhush');
    };
    const good = { ...local, name: 'crm', url: 'https://crm.example/hook' };
    await refused(
      webhooksOut.add({ ...good, url: 'http://crm.example/hushhush', allowHttp: false }),
      'OPTIONS_INVALID',
      'add().url',
    );
    await refused(
      webhooksOut.add({ ...good, url: 'https://me:hushhush@crm.example/' }),
      'OPTIONS_INVALID',
      'add().url',
    );
    await refused(webhooksOut.add({ ...good, secret: 'hushhush' }), 'OPTIONS_INVALID', 'add().secret');
    await refused(webhooksOut.add({ ...good, types: [] }), 'OPTIONS_INVALID', 'add().types');
    await refused(webhooksOut.add({ ...good, retries: 3 } as never), 'OPTION_UNSUPPORTED', 'add().retries');
    await refused(webhooksOut.add(undefined as never), 'OPTIONS_INVALID', 'add()');
    for (const name of ['fixed', 'audit']) await refused(webhooksOut.add({ ...good, name }), 'OPTIONS_INVALID', 'name');
    await webhooksOut.add(good);
    await refused(webhooksOut.add(good), 'OPTIONS_INVALID', 'name');
    await refused(webhooksOut.rotate('crm', { secret: 'hushhush' }), 'OPTIONS_INVALID', 'rotate().secret');
    await refused(webhooksOut.rotate('crm', { keepMs: -1 }), 'OPTIONS_INVALID', 'rotate().keepMs');
    for (const call of [webhooksOut.remove, webhooksOut.rotate] as const) {
      await refused(call('unknown'), 'SUBSCRIPTION_NOT_FOUND');
      await refused(call('fixed'), 'OPTIONS_INVALID', 'name');
      await refused(call('audit'), 'SUBSCRIPTION_NOT_FOUND');
    }
    expect((await webhooksOut.list()).map(({ name, from }) => `${name} ${from}`)).toEqual([
      'crm store',
      'fixed options',
    ]);
  });

  it('goes over to a new secret of the relay, and says so where it could not', async () => {
    const store = fileOf();
    const { url, received } = await endpoint(status(204));
    const [old, fresh] = ['an old secret of enough length', 'a new secret of enough length'] as const;
    const before = logged({ store, secret: old }).relay;
    await before.webhooksOut.add({ ...local, name: 'crm', url });
    await before.stop();
    const between = logged({ store, secret: [fresh, old] }).relay;
    await between.start();
    await between.stop();
    const after = logged({ store, secret: fresh }).relay;
    await after.send(hello('a@example.com'));
    await eventually(() => expect(received).toHaveLength(1));
    await after.stop();
    const lost = logged({ store, secret: old });
    await lost.relay.start();
    expect(await lost.relay.webhooksOut.list()).toMatchObject([{ name: 'crm', url: undefined, secrets: 0 }]);
    expect(lost.lines.filter((line) => JSON.stringify(line).includes('under a secret that is gone'))).toHaveLength(1);
    await expect(lost.relay.webhooksOut.rotate('crm')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    await lost.relay.webhooksOut.remove('crm');
    expect(await lost.relay.webhooksOut.list()).toEqual([]);
  });
});
