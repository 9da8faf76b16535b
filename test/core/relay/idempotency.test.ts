import { describe, expect, it } from 'vitest';
import { defineTemplate } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

describe('an idempotency key', () => {
  const template = defineTemplate({ name: 't', subject: 'S', html: '<p>{{b.d}}</p>' });
  const first = {
    data: { a: [{ x: 1, y: 2 }], b: { c: 1, d: 2 } },
    metadata: { order: 7, shop: { id: 1, name: 'x' } },
    headers: { 'X-One': ['1', '2'], 'X-Two': '3' },
  };
  const send = { to: 'ada@example.com', template, idempotencyKey: 'k' };

  it('is the same for the same content, in whichever order its objects were written', async () => {
    const relay = relayWith({ templates: [template], thread: false, queue: { deliver: false } });
    const { id } = await relay.send({ ...send, ...first });
    const again = {
      headers: { 'X-Two': '3', 'X-One': ['1', '2'] },
      metadata: { shop: { name: 'x', id: 1 }, order: 7 },
      data: { b: { d: 2, c: 1 }, a: [{ y: 2, x: 1 }] },
    };
    expect(await relay.send({ ...send, ...again })).toMatchObject({ id, repeated: true });
  });

  it.each([
    ['data', { data: { ...first.data, a: [] } }],
    ['metadata', { metadata: { order: 8 } }],
    ['headers', { headers: { 'X-One': ['2', '1'], 'X-Two': '3' } }],
  ])('is a conflict with other %s', async (_, other) => {
    const relay = relayWith({ templates: [template], thread: false, queue: { deliver: false } });
    await relay.send({ ...send, ...first });
    await expect(relay.send({ ...send, ...first, ...other })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });
});
