import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownSite, type SiteAnswer } from '../../../packages/core/src/engine/site-answers.ts';
import { createSiteWays } from '../../../packages/core/src/engine/site-ways.ts';
import { createWays } from '../../../packages/core/src/engine/ways.ts';
import { capture, type RouteRules } from '../../../packages/core/src/index.ts';
import { createBreakers } from '../../../packages/core/src/route/breakers.ts';
import { contentOf } from '../../support/content.ts';

const clock = { now: () => 0 };
const sites = ['google', 'yahoo', 'hosting.test'];
const rules: fc.Arbitrary<RouteRules | undefined> = fc.option(
  fc.record({
    site: fc.option(fc.subarray(sites, { minLength: 1 }), { nil: undefined }),
    stream: fc.option(fc.constantFrom('transactional' as const, 'broadcast' as const), { nil: undefined }),
  }),
  { nil: undefined },
);
const mail = {
  content: contentOf({ stream: 'broadcast', from: { name: undefined, address: 'app@example.com' } }),
  address: 'ada@firm.test',
  inDoubt: undefined,
  labels: () => ({ campaign: undefined, tags: [] }),
};

/** Routes with rules, and what the DNS says of all domains. */
function waysWith(takes: readonly (RouteRules | undefined)[], answer: SiteAnswer | undefined) {
  const routes = takes.map((one, index) => capture({ name: `r${index}`, takes: one }));
  const answers = { of: () => answer, ask: async () => answer };
  const ways = createWays(routes, createBreakers(clock), clock, knownSite(answers));
  return createSiteWays(routes, answers, ways, clock);
}

describe('rules by site', () => {
  it('never send a mail round in circles: where it moves to, it stays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rules, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...sites, '', 'other.test'),
        async (takes, site) => {
          const ways = waysWith(takes, { type: 'known', site });
          for (const index of takes.keys()) {
            const turn = await ways.turn(`r${index}`, mail, 0);
            if (turn.type === 'moves') expect(await ways.turn(turn.to, mail, 0)).toEqual({ type: 'stays' });
            else expect(['stays', 'nowhere']).toContain(turn.type);
          }
        },
      ),
    );
  });

  it('move nothing that a server may have', async () => {
    const ways = waysWith([{ site: 'google' }, undefined], { type: 'known', site: 'yahoo' });
    expect(await ways.turn('r0', mail, 0)).toEqual({ type: 'moves', to: 'r1' });
    expect(await ways.turn('r0', { ...mail, inDoubt: true }, 0)).toEqual({ type: 'stays' });
  });

  it('move nothing while the site is not known, and keep nothing that a route takes whatever its site', async () => {
    const trouble = { type: 'trouble', reply: 'SERVFAIL' } as const;
    await fc.assert(
      fc.asyncProperty(fc.array(rules, { minLength: 1, maxLength: 5 }), fc.boolean(), async (takes, asked) => {
        const ways = waysWith(takes, asked ? undefined : trouble);
        for (const [index, one] of takes.entries()) {
          const waits = one?.site !== undefined && one.stream !== 'transactional';
          const { type } = await ways.turn(`r${index}`, mail, 0);
          expect(type).toBe(waits ? (asked ? 'asked' : 'trouble') : 'stays');
        }
      }),
    );
  });

  it('stay where the site fits', async () => {
    const ways = waysWith([{ site: 'goo*' }, undefined], { type: 'known', site: 'google' });
    expect(await ways.turn('r0', mail, 0)).toEqual({ type: 'stays' });
    const other = waysWith([{ site: 'goo*' }, undefined], { type: 'known', site: 'yahoo' });
    expect(await other.turn('r0', mail, 0)).toEqual({ type: 'moves', to: 'r1' });
    expect(await other.turn('r1', mail, 0)).toEqual({ type: 'stays' });
  });
});
