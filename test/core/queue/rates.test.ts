import { expect, it } from 'vitest';
import { capture } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

it('holds each of several rates of a route', async () => {
  const relay = relayWith({ routes: [capture({ rate: ['1000/s', '3/day'] })] });
  await relay.send({ to: ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`), subject: 'Hi', text: 'Hi' });
  await expect.poll(async () => (await relay.messages.list({ state: 'sent' })).items.length).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect((await relay.messages.list({ state: 'sent' })).items.length).toBe(3);
});
