import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Logger, WebhookOutOptions } from '../../../packages/core/src/index.ts';
import { createTestRelay } from '../../../packages/core/src/testing/relay.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { until } from '../../support/until.ts';
import { endpoint, type Received, status } from './support.ts';

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString('base64')}`;
const hello = (to: string) => ({ to, subject: 'Hello', text: 'Hello' });
const local = { secret: SECRET, allowHttp: true, allowPrivateAddresses: true } as const;
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 15_000, interval: 20 });

async function kitWith(options: WebhookOutOptions) {
  const lines: unknown[] = [];
  const note = (fields: object, message: string) => void lines.push({ ...fields, message });
  const logger: Logger = { debug() {}, info() {}, warn: note, error: note };
  const kit = await createTestRelay({ logger, webhooksOut: [{ name: 'crm', ...options }] });
  onTestFinished(() => kit.stop());
  const attempts = async () => (await kit.relay.subscriptions.attempts('crm')).items.toReversed();
  return { ...kit, lines, attempts };
}

function isSigned({ headers, body }: Received, key = KEY): boolean {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const own = `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
  return String(headers['webhook-signature']).split(' ').includes(own);
}

describe.each([true, false])('an endpoint, with thread: %s', (thread) => {
  it('gets the events of its types over https, signed, and each answer is in the log', async () => {
    const tls = localhostCertificate();
    const { url, received } = await endpoint(status(204), tls);
    const options = {
      url,
      secret: SECRET,
      types: ['accepted'],
      name: 'crm',
      ca: tls.cert,
      allowPrivateAddresses: true,
    } as const;
    const relay = relayWith({
      thread,
      webhooksOut: [options],
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await relay.start();
    const { deliveries } = await relay.send(hello('ada@example.com'));
    await eventually(() => expect(received).toHaveLength(1));
    const [request] = received as [Received];
    expect(request).toMatchObject({ method: 'POST', url: '/hook', headers: { 'content-type': 'application/json' } });
    expect(isSigned(request)).toBe(true);
    const { type, version, timestamp, data } = JSON.parse(request.body);
    expect({ type, version }).toEqual({ type: 'mail.accepted', version: 1 });
    expect(data).toMatchObject({
      deliveryId: deliveries[0]?.id,
      recipient: 'ada@example.com',
      stream: 'transactional',
    });
    expect(request.headers['webhook-id']).toBe(data.id);
    expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(60_000);
    const { items } = await eventually(async () => {
      const page = await relay.subscriptions.attempts('crm');
      expect(page.items).toHaveLength(1);
      return page;
    });
    expect(items[0]).toMatchObject({ eventId: data.id, type: 'accepted', attempt: 1, status: 204, error: undefined });
    const listed = JSON.stringify([await relay.subscriptions.list(), items]);
    expect(listed).toContain('"kind":"webhook"');
    expect(listed).not.toContain(KEY.toString('base64'));
  });
});

describe('an answer', () => {
  it('that is not 2xx is tried again under the same id with the same body, later and later', async () => {
    const { url, received } = await endpoint((response, count) => status(count < 3 ? 500 : 200)(response));
    const { relay, clock, attempts } = await kitWith({ ...local, url, types: ['accepted'] });
    await relay.send(hello('a@example.com'));
    await until(clock, 60_000, () => expect(received).toHaveLength(3));
    const [first, second, third] = received as [Received, Received, Received];
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(second.body).toBe(first.body);
    expect(third.body).toBe(first.body);
    expect(received.every((one) => isSigned(one))).toBe(true);
    const times = received.map(({ headers }) => Number(headers['webhook-timestamp']));
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(5);
    expect((times[2] as number) - (times[1] as number)).toBeGreaterThanOrEqual(300);
    await eventually(async () =>
      expect((await attempts()).map(({ attempt, status, error }) => [attempt, status, error])).toEqual([
        [1, 500, 'HTTP 500'],
        [2, 500, 'HTTP 500'],
        [3, 200, undefined],
      ]),
    );
  });

  it('that names a wait is waited for', async () => {
    const { url, received } = await endpoint((response, count) =>
      count === 1 ? status(429, { 'retry-after': '7200' })(response) : status(200)(response),
    );
    const { relay, clock } = await kitWith({ ...local, url, types: ['accepted'] });
    await relay.send(hello('a@example.com'));
    await until(clock, 600_000, () => expect(received).toHaveLength(2));
    const [first, second] = received.map(({ headers }) => Number(headers['webhook-timestamp'])) as [number, number];
    expect(second - first).toBeGreaterThanOrEqual(7200);
  });

  it('410 pauses the endpoint with an error, and what waits is posted after a resume', async () => {
    let gone = true;
    const { url, received } = await endpoint((response) => status(gone ? 410 : 200)(response));
    const { relay, lines } = await kitWith({ ...local, url, types: ['accepted'] });
    await relay.send(hello('a@example.com'));
    await eventually(async () =>
      expect(await relay.subscriptions.list()).toMatchObject([
        { state: 'paused', reason: expect.stringContaining('410') },
      ]),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ subscription: 'crm', message: expect.stringContaining('was paused') }),
    );
    await relay.send(hello('b@example.com'));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(received).toHaveLength(1);
    gone = false;
    await relay.subscriptions.resume('crm');
    await eventually(() => expect(received.at(-1)?.body).toContain('b@example.com'));
  });

  it('that leads elsewhere is not followed', async () => {
    const other = await endpoint(status(200));
    const { url } = await endpoint(status(307, { location: other.url }));
    const { relay, attempts } = await kitWith({ ...local, url, types: ['accepted'] });
    await relay.send(hello('a@example.com'));
    await eventually(async () => expect(await attempts()).toMatchObject([{ status: 307, error: 'HTTP 307' }]));
    expect(other.received).toEqual([]);
  });

  it('that does not come in time is a failure', async () => {
    const { url } = await endpoint(() => {});
    const { relay, attempts } = await kitWith({ ...local, url, types: ['accepted'], timeoutMs: 150 });
    await relay.send(hello('a@example.com'));
    await eventually(async () =>
      expect(await attempts()).toMatchObject([{ status: undefined, error: 'no answer within 150 ms' }]),
    );
  });

  it('whose body drips on does not hold up the next event', async () => {
    const { url, received } = await endpoint((response) => {
      response.writeHead(200).write('x');
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const { relay, attempts } = await kitWith({
      ...local,
      url,
      types: ['accepted'],
      timeoutMs: 20_000,
      concurrency: 1,
    });
    for (const to of ['a@example.com', 'b@example.com', 'c@example.com']) await relay.send(hello(to));
    await eventually(() => expect(received).toHaveLength(3));
    await eventually(async () =>
      expect((await attempts())?.map(({ status: answered }) => answered)).toEqual([200, 200, 200]),
    );
  });

  it('with an endless body takes no memory, and counts by its status', async () => {
    let closed = false;
    const { url } = await endpoint((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
      response.on('close', () => {
        closed = true;
        clearInterval(timer);
      });
    });
    const { relay, attempts } = await kitWith({ ...local, url, types: ['accepted'] });
    await relay.send(hello('a@example.com'));
    await eventually(async () => expect(await attempts()).toMatchObject([{ status: 200 }]));
    await eventually(() => expect(closed).toBe(true));
  });
});

it('an endpoint that takes nothing for five days is paused with an error', async () => {
  const { url } = await endpoint(status(500));
  const { relay, clock, lines } = await kitWith({ ...local, url, types: ['accepted'] });
  await relay.send(hello('a@example.com'));
  await eventually(async () => expect(await relay.subscriptions.list()).toMatchObject([{ retrying: 1 }]));
  await clock.advance(5.1 * 86_400_000);
  await relay.send(hello('b@example.com'));
  await until(clock, 60_000, async () => expect(await relay.subscriptions.list()).toMatchObject([{ state: 'paused' }]));
  expect(lines).toContainEqual(
    expect.objectContaining({ reason: expect.stringContaining('nothing went well since'), subscription: 'crm' }),
  );
});

it('a process that does not send posts nothing, and leaves the events to the one that does', async () => {
  const { url, received } = await endpoint(status(200));
  const webhooksOut = [{ ...local, url, name: 'crm', types: ['accepted'] as const }];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const store = join(scratchFolder(), 'relay.db');
  const web = relayWith({ store, webhooksOut, logger, queue: { deliver: false } });
  await web.send(hello('a@example.com'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(received).toEqual([]);
  await web.stop();
  const worker = relayWith({ store, webhooksOut, logger });
  await worker.start();
  await eventually(() =>
    expect(received.map(({ body }) => JSON.parse(body).data.recipient)).toEqual(['a@example.com']),
  );
});

it('an event is posted once more under its id, after a replay', async () => {
  const { url, received } = await endpoint(status(200));
  const { relay } = await kitWith({ ...local, url, types: ['accepted'] });
  await relay.send(hello('a@example.com'));
  await eventually(() => expect(received).toHaveLength(1));
  await eventually(async () => expect(await relay.subscriptions.list()).toMatchObject([{ waiting: 0 }]));
  await relay.subscriptions.replay('crm', { event: String(received[0]?.headers['webhook-id']) });
  await eventually(() => expect(received).toHaveLength(2));
  expect(received[1]?.headers['webhook-id']).toBe(received[0]?.headers['webhook-id']);
  expect(received[1]?.body).toBe(received[0]?.body);
});
