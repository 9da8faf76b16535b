import { describe, expect, it } from 'vitest';
import type { MailRelay } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

type Call = (relay: MailRelay, value: never) => Promise<unknown>;

const calls: Readonly<Record<string, readonly [Call, readonly unknown[]]>> = {
  'messages.get()': [(relay, id) => relay.messages.get(id), [undefined, 5, '', {}]],
  'messages.list()': [
    (relay, query) => relay.messages.list(query),
    [
      null,
      'all',
      { campaign: () => {} },
      { campaign: 5 },
      { message: {} },
      { recipient: ['ada@example.com'] },
      { state: 'lost' },
      { stream: 'news' },
      { from: '2026-01-01' },
      { to: new Date('never') },
      { limit: 0 },
      { limit: 1001 },
      { limit: '5' },
      { after: 5 },
      { after: 'x' },
      { after: 'msg_1' },
      { campain: 'spring' },
      { from: new Date(2), to: new Date(1) },
    ],
  ],
  'messages.cancel()': [
    (relay, which) => relay.messages.cancel(which),
    [undefined, null, 5, {}, { id: 5 }, { ids: [] }],
  ],
  'messages.hold()': [
    (relay, options) => relay.messages.hold('msg_1', options),
    [null, 'later', { reason: 5 }, { reason: '' }, { reason: 'x'.repeat(1001) }, { why: 'x' }],
  ],
  ...Object.fromEntries(
    (['cancel', 'retry', 'release'] as const).map((name): [string, readonly [Call, readonly unknown[]]] => [
      `messages.${name}(), which has no options,`,
      [(relay, options) => Reflect.apply(relay.messages[name], null, ['msg_1', options]), [null, 5, { reason: 'x' }]],
    ]),
  ),
  'messages.feedback()': [
    (relay, report) => relay.messages.feedback('dlv_1', report),
    [undefined, null, {}, { type: 'bounced' }, { type: 'complained', evidence: 'x'.repeat(1001) }],
  ],
  'suppressions.add()': [
    (relay, options) => relay.suppressions.add('ada@example.com', options),
    [
      null,
      { scope: 'news' },
      { scope: 5 },
      { scope: `topic:${'x'.repeat(201)}` },
      { reason: 'bored' },
      { evidence: {} },
      { evidence: 'x'.repeat(1001) },
      { stream: 'broadcast' },
    ],
  ],
  'suppressions.remove()': [
    (relay, options) => relay.suppressions.remove('ada@example.com', options),
    [null, 'broadcast', { scope: '' }, { topic: 'x' }],
  ],
  'suppressions.has()': [
    (relay, options) => relay.suppressions.has('ada@example.com', options),
    [null, 'broadcast', { stream: 'news' }, { topic: () => {} }],
  ],
  'suppressions.list()': [
    (relay, query) => relay.suppressions.list(query),
    [{ limit: -1 }, { after: {} }, { after: 'x' }, { after: '%zz x' }, { scope: 'x' }, { campaign: 'x' }],
  ],
  'reports.campaign()': [(relay, name) => relay.reports.campaign(name), [undefined, 5, '', 'x'.repeat(201)]],
  'reports.summary()': [
    (relay, query) => relay.reports.summary(query),
    [
      null,
      { from: 5 },
      { stream: 'x' },
      { day: 'x' },
      { from: new Date(2), to: new Date(1) },
      { from: new Date(Date.now() + 86_400_000) },
      { to: new Date(8.65e15) },
    ],
  ],
  'lanes.pause()': [(relay, route) => relay.lanes.pause(route), [undefined, 5, 'nowhere']],
  'lanes.resume()': [
    (relay, options) => relay.lanes.resume('capture', options),
    [null, 'broadcast', { stream: 'news' }, { lane: 'x' }],
  ],
  'routes.verify()': [(relay, name) => relay.routes.verify(name), [null, 5, '', 'nowhere']],
  'routes.verify(), its options,': [
    (relay, options) => relay.routes.verify('capture', options),
    [null, 5, { domain: 5 }, { domain: '' }, { domain: 'a.example' }, { host: 'a.example' }],
  ],
  'domains.check()': [(relay, options) => relay.domains.check('example.com', options), [null, 5, { resolvr: {} }]],
  'domains.createKey()': [(relay, options) => relay.domains.createKey('example.com', options), [null, 5, { bits: 1 }]],
  'templates.render(), its template,': [
    (relay, template) => relay.templates.render(template as string, {}),
    [undefined, null, 5, '', {}, { name: 'x' }],
  ],
  'templates.render(), its data,': [(relay, data) => relay.templates.render('t', data), [null, 5, 'x', []]],
  'templates.render(), its options,': [
    (relay, options) => relay.templates.render('t', {}, options),
    [null, 'fr', { locale: 5 }, { locale: '' }, { locale: '../fr' }, { language: 'fr' }],
  ],
  'stop()': [(relay, options) => relay.stop(options), [null, 5, { drian: true }, { timeoutMs: -1 }]],
};

describe.each([true, false])('with an engine in a thread: %s', (thread) => {
  it.each(Object.entries(calls))('%s refuses what it cannot mean', async (_, [call, values]) => {
    const relay = relayWith({ thread });
    for (const value of values) {
      await expect(call(relay, value as never), JSON.stringify(value)).rejects.toMatchObject({
        name: 'MailRelayError',
        code: expect.stringMatching(/^OPTIONS?_(?:INVALID|UNSUPPORTED)$/),
      });
    }
  });

  it('a query with every filter is answered', async () => {
    const relay = relayWith({ thread });
    const query = { campaign: 'c', state: 'sent', stream: 'broadcast', from: new Date(0), to: new Date() } as const;
    expect(await relay.messages.list({ ...query, recipient: 'a@b.example', limit: 1000 })).toMatchObject({ items: [] });
    expect(await relay.suppressions.list({ scope: 'topic:news', limit: 1 })).toMatchObject({ items: [] });
  });
});
