import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMailRelay, type MailRelay, smtp, sqlite } from '../../../packages/core/src/index.ts';
import { toNodeHandler } from '../../../packages/core/src/node/index.ts';
import { createTestRelay } from '../../../packages/core/src/testing/index.ts';
import { relayWith } from '../../support/relay.ts';

type Bad = readonly [does: string, call: (relay: MailRelay) => unknown, option: string];

const nothing = undefined as never;
const calls: readonly Bad[] = [
  ['handle() of a text', (relay) => relay.handle('https://a.example/mail/' as never), 'request'],
  ['handle() of nothing', (relay) => relay.handle(nothing), 'request'],
  ['handle() of a URL', (relay) => relay.handle(new URL('https://a.example/mail/') as never), 'request'],
  ['handle() of a request of node:http', (relay) => relay.handle({ url: '/mail/', headers: {} } as never), 'request'],
  ['matches() of nothing', (relay) => relay.matches(nothing), 'pathname'],
  ['matches() of a URL', (relay) => relay.matches(new URL('https://a.example/mail/') as never), 'pathname'],
  ['keepAlive() of a text', (relay) => relay.keepAlive('x' as never), 'on'],
  ['keepAlive() of nothing', (relay) => relay.keepAlive(nothing), 'on'],
  ['on() of an unknown event', (relay) => relay.on('click' as never, () => {}), 'event'],
  ['on() without a listener', (relay) => relay.on('clicked', nothing), 'listener'],
  ['transport().verify() of a text', (relay) => relay.transport().verify('x' as never), 'callback'],
  ['createMailRelay() of null', () => createMailRelay(null as never), 'options'],
  ['createMailRelay() of a list', () => createMailRelay([] as never), 'options'],
  ['createTestRelay() of null', () => createTestRelay(null as never), 'options'],
  ['createTestRelay() with no date', () => createTestRelay({ now: 'today' } as never), 'now'],
  ['sqlite() of a number', () => createMailRelay({ store: sqlite(5 as never) }), 'store'],
  ['smtp() of null', () => smtp(null as never), 'smtp()'],
  ['toNodeHandler() of nothing', () => toNodeHandler(nothing), 'relay'],
  ['toNodeHandler() of options', () => toNodeHandler({ from: 'a@b.example' } as never), 'relay'],
];

describe('what no argument can be is an error that names it', () => {
  it.each(calls)('%s', async (_, call, option) => {
    const relay = relayWith({ thread: false });
    const attempt = (async () => call(relay))();
    await expect(attempt).rejects.toMatchObject({ code: 'OPTIONS_INVALID', details: { option } });
  });
});

it('a request of another realm, or of another library, is one as well', async () => {
  const relay = relayWith({ thread: false });
  const request = { url: 'https://mail.example.com/mail/health', method: 'GET', headers: new Map(), body: null };
  expect((await relay.handle(request as never))?.status).toBe(200);
});

it('a relay that is wrapped has a handler, too', async () => {
  const relay = relayWith({ thread: false });
  const handler = toNodeHandler({ handle: (request) => relay.handle(request), matches: relay.matches });
  const passed = new Promise((resolve) =>
    handler({ url: '/elsewhere' } as IncomingMessage, {} as ServerResponse, resolve as () => void),
  );
  await expect(passed).resolves.toBeUndefined();
});

it('the kit of a test takes the time as its tests have it', async () => {
  const kit = await createTestRelay({ now: new Date('2026-03-01') });
  onTestFinished(kit.stop);
  expect(kit.clock.now()).toBe(Date.parse('2026-03-01'));
});
