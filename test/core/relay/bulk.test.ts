import { describe, expect, it } from 'vitest';
import { MailRelayError } from '../../../packages/core/src/errors.ts';
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
    for await (const _ of relay.sendMany(endless(), { ...mail, campaign: 'stopped' })) break;
    expect(closed).toBe(true);
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
    });
    await expect(run.next()).rejects.toBe(failed);
  });

  it('goes on under the same key where it was cut off: nobody gets it twice', async () => {
    const relay = relayWith({ queue: { deliver: false } });
    const people = Array.from({ length: 400 }, (_, index) => `r${index}@example.com`);
    const options = { ...mail, campaign: 'spring', idempotencyKey: 'spring-2026' };
    const first = await relay.sendMany(people.slice(0, 300), options);
    const second = await relay.sendMany(people, options);
    expect(second).toMatchObject({ id: first.id, accepted: 100, rejected: 300 });
    expect(new Set(second.rejections.map(({ code }) => code))).toEqual(new Set(['RECIPIENT_DUPLICATE']));
    await expect(relay.sendMany(people, { ...options, subject: 'Other' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('takes an empty list', async () => {
    const relay = relayWith();
    expect(await relay.sendMany([], { ...mail, campaign: 'empty' })).toMatchObject({ processed: 0, accepted: 0 });
  });
});
