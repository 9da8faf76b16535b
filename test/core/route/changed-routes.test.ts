import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RouteOptions } from '../../../packages/core/src/deliver/port.ts';
import { capture, type MailRelay, smtp, sqlite } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';

const mail = { to: 'ada@example.org', subject: 'Hi', text: 'Hello' } as const;

/** A relay over a store with a mail that waits, as its lane is paused; what comes next has other routes. */
async function waitingOn(name: string, more: Partial<Parameters<MailRelay['send']>[0]> = {}) {
  const file = join(scratchFolder(), 'mail.db');
  const { port } = await smtpServer();
  const at = (route: string, options: RouteOptions = {}, to = port) =>
    smtp({ host: '127.0.0.1', port: to, ignoreTls: true }, { name: route, ...options });
  const before = relayWith({ store: sqlite(file), routes: [at(name)] });
  await before.lanes.pause(name);
  const { id } = await before.send({ ...mail, ...more });
  await before.stop();
  const next = async (...routes: Parameters<typeof at>[]): Promise<MailRelay> => {
    const relay = relayWith({ store: sqlite(file), routes: routes.map((route) => at(...route)) });
    await relay.start();
    return relay;
  };
  return { id, next };
}

async function wayOf(relay: MailRelay, id: string): Promise<string | undefined> {
  await expect.poll(async () => (await relay.messages.explain(id)).state, { timeout: 10_000 }).toBe('sent');
  return (await relay.messages.explain(id)).route;
}

describe('mail of a route that is gone', () => {
  it('leaves by the first route that takes it', async () => {
    const { id, next } = await waitingOn('old');
    const relay = await next(['news', { takes: { stream: 'broadcast' } }], ['rest']);
    expect(await wayOf(relay, id)).toBe('rest');
  });

  it('goes by the rules, too, where it names that route, and goes on where the next one fails it', async () => {
    const { id, next } = await waitingOn('old', { route: 'old' });
    const closing = await rawServer(politely((line) => (/^RCPT/.test(line) ? '421 4.3.2 closing' : undefined)));
    const relay = await next(['news', { takes: { tag: 'news' } }], ['first', {}, closing.port], ['second']);
    expect(await wayOf(relay, id)).toBe('second');
  });

  it('leaves by the first route where none takes it', async () => {
    const { id, next } = await waitingOn('old');
    const relay = await next(['news', { takes: { stream: 'broadcast' } }], ['other', { takes: { tag: 'other' } }]);
    expect(await wayOf(relay, id)).toBe('news');
  });
});

it('is told to wait for another process, as long as others are there, and one of them may have its route', async () => {
  const file = join(scratchFolder(), 'mail.db');
  const process = (route: string, deliver = true): MailRelay =>
    relayWith({ store: sqlite(file), routes: [capture({ name: route })], queue: { deliver } });
  const old = process('old', false);
  const { id } = await old.send(mail);
  const [one, other] = [process('new'), process('new')];
  await one.start();
  await other.start();
  await old.stop();
  const { reasons, nextAt } = await one.messages.explain(id);
  expect(reasons).toMatchObject([{ kind: 'queue', text: expect.stringContaining('this process has no route old') }]);
  expect(nextAt).toBeUndefined();
});

it('leaves its route where that does not take it any more, and another does', async () => {
  const { id, next } = await waitingOn('out');
  const relay = await next(['out', { takes: { recipientDomain: 'example.com' } }], ['rest']);
  await relay.lanes.resume('out');
  expect(await wayOf(relay, id)).toBe('rest');
});

it('keeps the route that it names, whatever that takes now', async () => {
  const { id, next } = await waitingOn('out', { route: 'out' });
  const relay = await next(['out', { takes: { recipientDomain: 'example.com' } }], ['rest']);
  await relay.lanes.resume('out');
  expect(await wayOf(relay, id)).toBe('out');
});
