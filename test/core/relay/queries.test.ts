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
      { campain: 'spring' },
    ],
  ],
  'messages.cancel()': [
    (relay, which) => relay.messages.cancel(which),
    [undefined, null, 5, {}, { id: 5 }, { ids: [] }],
  ],
  'suppressions.add()': [
    (relay, options) => relay.suppressions.add('ada@example.com', options),
    [null, { scope: 'news' }, { scope: 5 }, { reason: 'bored' }, { evidence: {} }, { stream: 'broadcast' }],
  ],
  'suppressions.remove()': [
    (relay, options) => relay.suppressions.remove('ada@example.com', options),
    [{ scope: '' }, { topic: 'x' }],
  ],
  'suppressions.has()': [
    (relay, options) => relay.suppressions.has('ada@example.com', options),
    [{ stream: 'news' }, { topic: () => {} }],
  ],
  'suppressions.list()': [
    (relay, query) => relay.suppressions.list(query),
    [{ limit: -1 }, { after: {} }, { scope: 'x' }, { campaign: 'x' }],
  ],
  'reports.campaign()': [(relay, name) => relay.reports.campaign(name), [undefined, 5, '']],
  'reports.summary()': [(relay, query) => relay.reports.summary(query), [{ from: 5 }, { stream: 'x' }, { day: 'x' }]],
  'lanes.pause()': [(relay, route) => relay.lanes.pause(route), [undefined, 5, 'nowhere']],
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
