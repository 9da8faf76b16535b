import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defineTemplate, isMailRelayError, type MailRelay } from '../../../packages/core/src/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';

const FIELDS = [
  ...['from', 'sender', 'replyTo', 'to', 'cc', 'bcc', 'subject', 'text', 'html', 'attachments', 'headers'],
  ...['inReplyTo', 'references', 'icalEvent', 'alternatives', 'list', 'priority', 'messageId', 'date', 'envelope'],
  ...['template', 'data', 'locale', 'stream', 'campaign', 'tags', 'metadata', 'sendAt', 'idempotencyKey', 'tracking'],
  ...['topic', 'route', 'raw', 'other'],
];
const KEYS = [
  ...['content', 'encoding', 'path', 'href', 'filename', 'contentType', 'cid', 'headers', 'method', 'name', 'address'],
  ...['from', 'to', 'opens', 'clicks', 'utm', 'url', 'comment', 'key', 'value', 'help', 'html', 'render', 'schema'],
];

const leaf = fc.oneof(
  fc.constantFrom('', 'ada@example.com', 'text/plain', 'base64', 'high', 't', 'f', '<a@b>', 'a\r\nb', '\0', '\ud800'),
  fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true, withMap: true, withTypedArray: true }),
  fc.constantFrom(() => {}, Symbol('s'), Number.NaN, Number.MAX_VALUE, new Date(Number.NaN), Buffer.from('x')),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: 'small' }, leaf, tie('list'), tie('object')),
  list: fc.array(tie('any'), { maxLength: 3 }),
  object: fc.dictionary(fc.constantFrom(...KEYS), tie('any'), { maxKeys: 4 }),
})).any;
/** A message that is right, with some of its fields replaced by anything. */
const message = fc.tuple(
  fc.constantFrom({ text: 'Hello' }, { html: '<p>x</p>' }, { template: 't' }, { template: 'f' }),
  fc.dictionary(fc.constantFrom(...FIELDS), value, { minKeys: 1, maxKeys: 3 }),
);

function rows(file: string): object {
  const db = new DatabaseSync(file, { readOnly: true });
  const count = (sql: string): unknown => db.prepare(sql).get()?.n;
  const found = {
    messages: count('SELECT count(*) AS n FROM message'),
    deliveries: count('SELECT count(*) AS n FROM delivery'),
    blobs: count('SELECT count(*) AS n FROM blob WHERE kind = 1'),
  };
  db.close();
  return found;
}

function fuzzed(): { readonly relay: MailRelay; readonly file: string } {
  const file = join(scratchFolder(), 'relay.db');
  const templates = [
    defineTemplate({ name: 't', subject: 'Hi', html: '<p>x</p>' }),
    defineTemplate({ name: 'f', render: () => ({ subject: 'Hi', text: 'x' }) }),
  ];
  return { file, relay: relayWith({ store: file, thread: false, templates, queue: { deliver: false } }) };
}

it('whatever send() is given, it stores it or throws an error of the relay and stores nothing', async () => {
  const { relay, file } = fuzzed();
  await relay.start();
  await fc.assert(
    fc.asyncProperty(message, async ([base, own]) => {
      const before = rows(file);
      try {
        await relay.send({ to: 'ada@example.com', subject: 'Hi', ...base, ...own } as never);
      } catch (error) {
        expect(isMailRelayError(error), String((error as Error).stack)).toBe(true);
        expect((error as { code: string }).code).not.toBe('INTERNAL');
        expect(rows(file)).toEqual(before);
      }
    }),
    { numRuns: 1000 },
  );
}, 60_000);

it('whatever a recipient of sendMany() is, it is accepted or reported with its index', async () => {
  const { relay } = fuzzed();
  const recipient = fc.oneof(
    value,
    fc.dictionary(fc.constantFrom('to', 'data', 'locale', 'metadata', 'tracking', 'cc', 'name'), value),
    fc.record(
      { to: fc.constant('ada@example.com'), tracking: value, metadata: value, data: value },
      { requiredKeys: ['to'] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(recipient, { maxLength: 10 }), async (people) => {
      const list = [...people, 'last@example.com'];
      const result = await relay.sendMany(list as never, { subject: 'Hi', template: 't' });
      expect(result).toMatchObject({ processed: list.length, rejected: result.rejections.length });
      expect(result.rejections.every(({ index }) => index < people.length)).toBe(true);
    }),
    { numRuns: 200 },
  );
}, 60_000);

it('an attachment leaves nothing behind where the message is refused for another reason', async () => {
  const { relay, file } = fuzzed();
  const attachments = [{ filename: 'a', content: 'bytes' }];
  const good = { to: 'ada@example.com', subject: 'Hi', text: 'Hello', attachments };
  for (const bad of [
    { to: [] },
    { to: 'nobody' },
    { route: 'nowhere' },
    { text: undefined, template: 'gone' },
    { text: undefined, template: 't', data: { a: 1n } },
    { attachments: [...attachments, { path: '/etc/hosts' }] },
    { attachments: [...attachments, { content: 'x', contentType: 'none' }] },
    { headers: { 'X-A': 'a\nb' } },
  ]) {
    await expect(relay.send({ ...good, ...bad } as never), JSON.stringify(Object.keys(bad))).rejects.toSatisfy(
      isMailRelayError,
    );
    expect(rows(file)).toEqual({ messages: 0, deliveries: 0, blobs: 0 });
  }
  const { to: _, ...shared } = good;
  await expect(relay.sendMany(['ada@example.com'], { ...shared, route: 'nowhere' })).rejects.toSatisfy(
    isMailRelayError,
  );
  expect(rows(file)).toEqual({ messages: 0, deliveries: 0, blobs: 0 });
  await relay.send(good);
  expect(rows(file)).toEqual({ messages: 1, deliveries: 1, blobs: 1 });
  const keyed = { ...shared, attachments: [], idempotencyKey: 'k' };
  await relay.send({ ...keyed, to: 'ada@example.com' });
  const others = Array.from({ length: 3 }, (_, index) => ({ ...keyed, attachments: [{ content: `other ${index}` }] }));
  const conflict = { code: 'IDEMPOTENCY_CONFLICT' };
  await expect(relay.send({ ...keyed, ...others[0], to: 'ada@example.com' })).rejects.toMatchObject(conflict);
  await expect(relay.sendMany(['ada@example.com'], { ...keyed, ...others[1] })).rejects.toMatchObject(conflict);
  expect(rows(file)).toEqual({ messages: 2, deliveries: 2, blobs: 1 });
  // Also where both are on their way at once.
  const racing = others.map((one, index) => ({ ...one, to: 'ada@example.com', idempotencyKey: `race-${index % 2}` }));
  const results = await Promise.allSettled(racing.map((one) => relay.send(one)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(rows(file)).toEqual({ messages: 4, deliveries: 4, blobs: 3 });
});
