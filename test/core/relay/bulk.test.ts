import { describe, expect, it, onTestFinished } from 'vitest';
import { MailRelayError } from '../../../packages/core/src/errors.ts';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { submitBulk } from '../../../packages/core/src/submit/bulk.ts';
import type { PreparedFields } from '../../../packages/core/src/submit/prepare.ts';
import { createTemplateBook } from '../../../packages/core/src/submit/templates.ts';
import { contentOf } from '../../support/content.ts';
import { relayWith } from '../../support/relay.ts';

const mail = { subject: 'Spring', text: 'Hello' } as const;

describe('sendMany', () => {
  it('reports bad recipients with their index, and goes on', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const people = [
      'ada@example.com',
      'no address',
      { to: 'bob@example.com' },
      { to: 'eve@example.com\r\nBcc: all@example.com' },
      'Ada@Example.com',
      { to: `${'x'.repeat(65)}@example.com` },
      undefined as never,
      { to: ['one@example.com', 'two@example.com'] as never },
      { to: 'cy@example.com', data: { when: 1n } as never },
      'dan@example.com',
    ];
    const result = await relay.sendMany(people, { ...mail, campaign: 'spring' });
    expect(result).toMatchObject({ processed: 10, accepted: 3, rejected: 7 });
    expect(result.rejections.map(({ index, code }) => [index, code])).toEqual([
      [1, 'ADDRESS_INVALID'],
      [3, 'ADDRESS_INVALID'],
      [4, 'RECIPIENT_DUPLICATE'],
      [5, 'ADDRESS_INVALID'],
      [6, 'ADDRESS_INVALID'],
      [7, 'ADDRESS_INVALID'],
      [8, 'MESSAGE_INVALID'],
    ]);
    expect(await relay.reports.campaign('spring')).toMatchObject({ accepted: 3, pending: 3 });
  });

  it('reads a list of any length no faster than it stores it', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    let read = 0;
    let most = 0;
    async function* people(): AsyncGenerator<string> {
      for (; read < 5000; read++) yield `reader${read}@example.com`;
    }
    let last = 0;
    for await (const { processed, accepted } of relay.sendMany(people(), { ...mail, campaign: 'long' })) {
      most = Math.max(most, read - processed);
      expect(processed).toBeGreaterThan(last);
      expect(accepted).toBe(processed);
      last = processed;
    }
    expect(last).toBe(5000);
    // One batch on its way, and one ahead of it.
    expect(most).toBeLessThanOrEqual(500);
    expect((await relay.reports.campaign('long')).accepted).toBe(5000);
  });

  it('keeps what was accepted when the list breaks, and closes it when the caller stops early', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    async function* broken(): AsyncGenerator<string> {
      for (let index = 0; index < 600; index++) yield `r${index}@example.com`;
      throw new Error('the file ended early');
    }
    await expect(relay.sendMany(broken(), { ...mail, campaign: 'broken' })).rejects.toMatchObject({
      code: 'RECIPIENTS_BROKEN',
      message: expect.stringContaining('500 were accepted before: the file ended early'),
      details: { id: expect.stringMatching(/^msg_/), processed: 500, accepted: 500, rejected: 0, suppressed: 0 },
      cause: new Error('the file ended early'),
    });
    expect((await relay.reports.campaign('broken')).accepted).toBe(500);

    let closed = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (let index = 0; ; index++) yield `r${index}@example.com`;
      } finally {
        closed = true;
      }
    }
    const stopped = relay.sendMany(endless(), { ...mail, campaign: 'stopped' });
    for await (const _ of stopped) break;
    expect(closed).toBe(true);
    expect((await stopped).accepted).toBe(250);
  });

  it('keeps the error of a store for the caller, however long the list takes', async () => {
    const failed = new MailRelayError('STORE_FULL');
    const engine = {
      openBulk: async () => ({ id: 'msg_1', messageId: '<1@example.com>', repeated: false }),
      appendBulk: async () => Promise.reject(failed),
      closeBulk: async () => {},
    };
    async function* slow(): AsyncGenerator<string> {
      for (let index = 0; index < 500; index++) {
        // Long enough for Node to end a process in which nobody minds a rejection.
        if (index === 250) await new Promise((resolve) => setImmediate(resolve));
        yield `r${index}@example.com`;
      }
    }
    const fields = { content: contentOf() } as PreparedFields;
    const run = submitBulk(slow(), {
      engine: engine as never,
      book: createTemplateBook([]),
      template: undefined,
      fields,
      enclosed: new Map(),
    });
    await expect(run.next()).rejects.toBe(failed);
  });

  it('goes on under the same key where it was cut off: nobody gets it twice', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const people = Array.from({ length: 400 }, (_, index) => `r${index}@example.com`);
    const options = { ...mail, campaign: 'spring', idempotencyKey: 'spring-2026' };
    const first = await relay.sendMany(people.slice(0, 300), options);
    const second = await relay.sendMany(people, options);
    expect(first).toMatchObject({ accepted: 300, repeated: false });
    expect(second).toMatchObject({ id: first.id, accepted: 400, rejected: 0, repeated: true });
    expect(await relay.sendMany(people, options)).toEqual(second);
    expect(await relay.reports.campaign('spring')).toMatchObject({ accepted: 400 });
    await expect(relay.sendMany(people, { ...options, subject: 'Other' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('rejects under the same key whom it had accepted with other data, and takes the others', async () => {
    const template = defineTemplate({ name: 't', subject: 'S', html: '{{a}} {{b.c}}' });
    const relay = relayWith({ queue: { deliver: false }, templates: [template] });
    const options = { template: 't', idempotencyKey: 'spring-2026' };
    const of = (to: string | { name: string; address: string }, more: object = {}) => ({
      to,
      data: { a: 1, b: { c: 2, d: 3 } },
      locale: 'fr',
      metadata: { id: 1 },
      tracking: { opens: false },
      ...more,
    });
    const reversed = <T extends object>(one: T): T => Object.fromEntries(Object.entries(one).reverse()) as T;
    const people = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => of(`${name}@example.com`));
    await relay.suppressions.add('f@example.com');
    expect(await relay.sendMany(people, options)).toMatchObject({ accepted: 6, suppressed: 1 });
    const again = [
      reversed(of('a@example.com', { data: { b: { d: 3, c: 2 }, a: 1 } })),
      of('b@example.com', { data: { a: 2, b: { c: 2, d: 3 } } }),
      of('c@example.com', { locale: 'de' }),
      of({ name: 'Dee', address: 'd@example.com' }),
      of('e@example.com', { metadata: undefined }),
      of('f@example.com', { tracking: false }),
      of('g@example.com'),
      of('b@example.com'),
    ];
    const { accepted, rejections, id } = await relay.sendMany(again, options);
    expect(accepted).toBe(2);
    expect(rejections.map(({ index, code }) => [index, code])).toEqual([
      ...[1, 2, 3, 4, 5].map((index) => [index, 'IDEMPOTENCY_CONFLICT']),
      [7, 'RECIPIENT_DUPLICATE'],
    ]);
    expect(rejections[0]?.message).toContain('accepted before with other data');
    // What had been accepted is as it was.
    expect((await relay.messages.get(id))?.deliveries).toHaveLength(7);
    expect(await relay.sendMany(people, options)).toMatchObject({ accepted: 6, rejected: 0 });
  });

  it('is one run, whether it is iterated, awaited, or both in any order', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const people = Array.from({ length: 600 }, (_, index) => `r${index}@example.com`);
    const iterated = relay.sendMany(people, { ...mail, campaign: 'iterated' });
    const seen: number[] = [];
    for await (const { processed } of iterated) seen.push(processed);
    expect(seen).toEqual([250, 500, 600]);
    expect(await iterated).toMatchObject({ processed: 600, accepted: 600 });
    for await (const _ of iterated) throw new Error('nothing is left to read');

    const awaited = relay.sendMany(people, { ...mail, campaign: 'awaited' });
    const result = await awaited;
    for await (const _ of awaited) throw new Error('nothing is left to read');
    expect(await awaited).toEqual(result);

    const both = relay.sendMany(people, { ...mail, campaign: 'both' });
    for await (const { processed } of both) if (processed === 250) expect(await both).toMatchObject({ accepted: 600 });

    for (const campaign of ['iterated', 'awaited', 'both'])
      expect(await relay.reports.campaign(campaign)).toMatchObject({ accepted: 600 });
  });

  it('gives a loop that begins while it runs the progress from there on', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const people = Array.from({ length: 600 }, (_, index) => `r${index}@example.com`);
    const sending = relay.sendMany(people, { ...mail, campaign: 'late' });
    const result = sending.then(({ accepted }) => accepted);
    await relay.start();
    const seen: number[] = [];
    for await (const { processed } of sending) seen.push(processed);
    expect(seen.at(-1)).toBe(600);
    expect(await result).toBe(600);
    expect(await relay.reports.campaign('late')).toMatchObject({ accepted: 600 });
  });

  it('starts by itself, and is a promise', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    void relay.sendMany(['ada@example.com'], { ...mail, campaign: 'left alone' });
    await expect.poll(async () => (await relay.messages.list()).items.length, { timeout: 10_000 }).toBe(1);

    const settled: string[] = [];
    const sending = relay.sendMany(['bob@example.com'], { ...mail, campaign: 'chained' });
    await sending.finally(() => void settled.push('finally'));
    expect(await Promise.all([sending, sending])).toMatchObject([{ accepted: 1 }, { accepted: 1 }]);
    await relay.sendMany([], { subject: 'No body' }).catch((error) => void settled.push(error.code));
    expect(settled).toEqual(['finally', 'MESSAGE_INVALID']);
  });

  it('leaves a failure to who listens: the loop, or the promise', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listen);
    onTestFinished(() => void process.off('unhandledRejection', listen));
    const read = async () => {
      for await (const _ of relay.sendMany([], { subject: 'No body' })) throw new Error('it must not start');
    };
    await expect(read()).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
    const failed = relay.sendMany([], { subject: 'No body' });
    await expect(failed).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
    const late = async () => {
      for await (const _ of failed) throw new Error('it must not start');
    };
    await expect(late()).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
  });

  it('reports what stands in the list twice each time that a key is repeated, also by two callers at once', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const people = ['ada@example.com', 'bob@example.com', 'Ada@example.com', 'cy@example.com', 'bob@example.com'];
    const options = { ...mail, campaign: 'spring', idempotencyKey: 'spring-2026' };
    await relay.suppressions.add('cy@example.com');
    const first = await relay.sendMany(people, options);
    expect(first).toMatchObject({ accepted: 3, rejected: 2, suppressed: 1, repeated: false });
    expect(first.rejections.map(({ index, code }) => [index, code])).toEqual([
      [2, 'RECIPIENT_DUPLICATE'],
      [4, 'RECIPIENT_DUPLICATE'],
    ]);
    const again = { ...first, repeated: true };
    const [second, third] = await Promise.all([relay.sendMany(people, options), relay.sendMany(people, options)]);
    expect([second, third]).toEqual([again, again]);
    expect(await relay.sendMany(people.toReversed(), options)).toMatchObject({ accepted: 3, rejected: 2 });
    expect((await relay.messages.list()).items).toHaveLength(3);
  });

  it('takes an empty list', async () => {
    const relay = relayWith();
    expect(await relay.sendMany([], { ...mail, campaign: 'empty' })).toMatchObject({ processed: 0, accepted: 0 });
  });
});
