import { expect, it } from 'vitest';
import { capture } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

it('sends each delivery by the first route that takes it, and refuses what none takes', async () => {
  const relay = relayWith({
    routes: [
      capture({ name: 'inside', takes: { recipientDomain: '*.example.com' } }),
      capture({ name: 'news', takes: { stream: 'transactional', tag: 'news-*' } }),
    ],
  });
  const message = { subject: 'Hi', text: 'Hi' };
  const { id } = await relay.send({ ...message, to: ['a@x.example.com', 'b@other.org'], tags: ['news-1'] });
  const { deliveries = [] } = (await relay.messages.get(id)) ?? {};
  expect(deliveries.map(({ route }) => route)).toEqual(['inside', 'news']);
  await expect(relay.send({ ...message, to: 'b@other.org' })).rejects.toMatchObject({ code: 'ROUTE_NOT_FOUND' });
});

it('shares by weight, always the same way', async () => {
  const routes = [capture({ name: 'a', weight: 3 }), capture({ name: 'b', weight: 1 })];
  const relay = relayWith({ routes });
  const people = Array.from({ length: 200 }, (_, index) => `r${index}@example.com`);
  await relay.sendMany(people, { campaign: 'c', subject: 'Hi', text: 'Hi' });
  const { items } = await relay.messages.list({ limit: 200 });
  const toA = items.filter(({ route }) => route === 'a').length;
  expect(toA).toBeGreaterThan(125);
  expect(toA).toBeLessThan(175);
});
