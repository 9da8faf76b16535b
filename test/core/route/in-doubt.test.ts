import { expect, it } from 'vitest';
import { createWays } from '../../../packages/core/src/engine/ways.ts';
import { smtp } from '../../../packages/core/src/index.ts';
import { createBreakers } from '../../../packages/core/src/route/breakers.ts';
import { contentOf } from '../../support/content.ts';

const clock = { now: () => 0 };
const routes = [
  smtp('smtp://localhost:1', { name: 'news', takes: { stream: 'broadcast' } }),
  smtp('smtp://localhost:2', { name: 'rest' }),
];
const labels = () => ({ campaign: undefined, tags: [] });
const mail = { content: contentOf({ stream: 'transactional' }), address: 'ada@example.org', labels };
const news = { ...mail, content: contentOf({ stream: 'broadcast' }) };

it.each([
  ['moves a mail', undefined],
  ['keeps a mail that a server may have', true],
] as const)('a route %s', (_, inDoubt) => {
  const breakers = createBreakers(clock);
  const ways = createWays(routes, breakers, clock);
  const kept = inDoubt === true;
  // The route does not take it any more, ...
  expect(ways.astray('news', { ...mail, inDoubt }, 0)).toBe(kept ? undefined : 'rest');
  // ... has sent what it may, ...
  expect(ways.beyond('news', { ...news, inDoubt }, 0)).toEqual(kept ? undefined : { movedTo: 'rest' });
  // ... has failed it, ...
  const { next, later } = ways.enter('news', { ...news, inDoubt }, 0).onward(0);
  expect([next, later]).toEqual([kept ? undefined : 'rest', undefined]);
  // ... or does not work.
  breakers.of('news').failed(0, true);
  const { closed } = ways.enter('news', { ...news, inDoubt }, 0);
  expect(closed).toEqual(kept ? { dueAt: expect.any(Number) } : { movedTo: 'rest' });
});
