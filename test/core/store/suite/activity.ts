import { describe, expect, it } from 'vitest';
import { decodeId } from '../../../../packages/core/src/message.ts';
import { contentOf } from '../../../support/content.ts';
import { benchOn, knownOf, NOW, type OpenStore } from './bench.ts';

/** What a store's activity has to do. */
export function activitySuite(name: string, open: OpenStore): void {
  describe(`${name}: activity and reports`, () => {
    const human = { kind: 'human', evidence: 'browser', userAgent: 'Firefox' } as const;
    const bot = { kind: 'bot', evidence: 'isbot', userAgent: 'curl' } as const;

    async function read() {
      const { store, accept } = await benchOn(open);
      const { deliveries } = await accept({ campaign: 'spring', content: contentOf({ stream: 'broadcast' }) });
      const deliveryId = decodeId('dlv', deliveries[0]?.id ?? '') as number;
      const click = (url: string, agent: typeof human | typeof bot, form?: string) =>
        store.activity.record([
          {
            type: 'clicked',
            deliveryId,
            at: NOW,
            agent,
            url,
            link: form === undefined ? 3 : 4,
            ...(form === undefined ? {} : { form }),
          },
        ]);
      return { store, deliveryId, click };
    }

    it('count opens once per delivery, with and without machines', async () => {
      const { store, deliveryId } = await read();
      const open = (agent: typeof human | typeof bot) =>
        store.activity.record([{ type: 'opened', deliveryId, at: NOW, agent }]);
      expect(await open(bot)).toMatchObject([{ type: 'opened', agent: bot, campaign: 'spring' }]);
      await open(human);
      await open(human);
      expect(await store.reports.campaign('spring')).toMatchObject({
        opensTotal: 3,
        opensUnique: 1,
        opensTotalHuman: 2,
        opensUniqueHuman: 1,
      });
    });

    it('count once on the day of what happened first, whatever came first', async () => {
      const DAY = 86_400_000;
      const days = async (order: readonly number[]) => {
        const { store, deliveryId } = await read();
        for (const day of order) {
          const at = NOW + day * DAY;
          const agent = day === 1 ? bot : human;
          await store.activity.record([
            { type: 'opened', deliveryId, at, agent },
            { type: 'clicked', deliveryId, at, agent, url: 'https://a.example/' },
            { type: 'unsubscribed', deliveryId, at, scope: 'broadcast' },
          ]);
        }
        return {
          days: await store.reports.days({ from: NOW, to: NOW + 9 * DAY, stream: undefined }),
          campaign: await store.reports.campaignDays({ campaign: 'spring', from: NOW, to: NOW + 9 * DAY }),
          ways: await store.reports.ways('day', { from: NOW, to: NOW + 9 * DAY }),
        };
      };
      const sorted = await days([1, 2, 3]);
      const counts = (day: number) => sorted.campaign?.[day]?.counts;
      expect(counts(1)).toMatchObject({ opensUnique: 1, opensUniqueHuman: 0, clicksUnique: 1, unsubscribed: 1 });
      expect(counts(2)).toMatchObject({ opensUnique: 0, opensUniqueHuman: 1, clicksUniqueHuman: 1, unsubscribed: 0 });
      for (const order of [
        [3, 2, 1],
        [2, 3, 1],
        [3, 1, 2],
      ])
        expect(await days(order)).toEqual(sorted);
    });

    it('leave no day behind on which nothing counts any more', async () => {
      const DAY = 86_400_000;
      const span = { from: NOW + DAY, to: NOW + 9 * DAY } as const;
      const days = async (order: readonly number[]) => {
        const { store, deliveryId } = await read();
        for (const day of order)
          await store.activity.record([{ type: 'unsubscribed', deliveryId, at: NOW + day * DAY, scope: 'broadcast' }]);
        return {
          days: await store.reports.days({ ...span, stream: undefined }),
          campaign: await store.reports.campaignDays({ campaign: 'spring', ...span }),
          campaigns: await store.reports.campaigns({ from: NOW + 3 * DAY, to: NOW + 9 * DAY }),
          ways: await store.reports.ways('day', span),
        };
      };
      const sorted = await days([1, 3]);
      expect(sorted).toMatchObject({
        days: [{ counts: { unsubscribed: 1 } }],
        campaign: [{ counts: { unsubscribed: 1 } }],
        campaigns: [],
        ways: [{ counts: { unsubscribed: 1 } }],
      });
      expect(await days([3, 1])).toEqual(sorted);
    });

    it('count clicks by target, and by form where every recipient has another target', async () => {
      const { store, click } = await read();
      await click('https://a.example/', bot);
      await click('https://a.example/', human);
      await click('https://b.example/', human);
      await click('https://c.example/u/1', human, 'https://c.example/u/{{id}}');
      await click('https://c.example/u/2', human, 'https://c.example/u/{{id}}');
      expect(await store.reports.links('spring', 10)).toEqual([
        { url: 'https://a.example/', unique: 1, total: 2, uniqueHuman: 1, totalHuman: 1 },
        { url: 'https://c.example/u/{{id}}', unique: 1, total: 2, uniqueHuman: 1, totalHuman: 2 },
        { url: 'https://b.example/', unique: 1, total: 1, uniqueHuman: 1, totalHuman: 1 },
      ]);
      expect(await knownOf(store, 1, NOW)).toBeUndefined();
    });

    it('know the clicks of the last ten seconds, and no more than a hundred of them', async () => {
      const { store, deliveryId } = await read();
      const click = (at: number) =>
        ({ type: 'clicked', deliveryId, at, agent: bot, url: 'https://a.example/', link: 3 }) as const;
      await store.activity.record([click(NOW), click(NOW + 5000), click(NOW + 6000)]);
      expect((await knownOf(store, deliveryId, NOW + 7000))?.recentClicks).toBe(3);
      expect((await knownOf(store, deliveryId, NOW + 14_000))?.recentClicks).toBe(2);
      expect((await knownOf(store, deliveryId, NOW + 60_000))?.recentClicks).toBe(0);
      await store.activity.record(Array.from({ length: 150 }, () => click(NOW + 60_000)));
      expect((await knownOf(store, deliveryId, NOW + 60_001))?.recentClicks).toBe(100);
    });

    it('are made of what is known of the delivery, with what came before in the same call', async () => {
      const { store, deliveryId } = await read();
      const seen: unknown[] = [];
      const readings = [deliveryId, 1, deliveryId, deliveryId].map((id, index) => ({ deliveryId: id, at: NOW, index }));
      const events = await store.activity.read(readings, ({ index, ...reading }, known) => {
        seen.push([index, known.recentClicks]);
        return index === 2 ? undefined : { ...reading, type: 'clicked', agent: human, url: 'https://a.example/' };
      });
      expect(seen).toEqual([
        [0, 0],
        [2, 1],
        [3, 1],
      ]);
      expect(events.map(({ type }) => type)).toEqual(['clicked', 'clicked']);
      expect(await store.reports.campaign('spring')).toMatchObject({ clicksTotal: 2, clicksUnique: 1 });
    });

    it('leave out deliveries that are not there any more', async () => {
      const { store } = await read();
      expect(await store.activity.record([{ type: 'opened', deliveryId: 5, at: NOW, agent: human }])).toEqual([]);
      expect(await store.reports.campaign('none')).toBeUndefined();
    });

    it('count an unsubscribe once', async () => {
      const { store, deliveryId } = await read();
      const leave = () => store.activity.record([{ type: 'unsubscribed', deliveryId, at: NOW, scope: 'broadcast' }]);
      expect([await leave(), await leave()]).toMatchObject([[{ type: 'unsubscribed', scope: 'broadcast' }], []]);
      expect(await store.reports.campaign('spring')).toMatchObject({ unsubscribed: 1 });
    });

    it('count who comes back, and leaves again by whatever mail of the scope', async () => {
      const { store, accept } = await benchOn(open);
      const sent = async (topic?: string) => {
        const content = contentOf({ stream: 'broadcast', topic });
        const { deliveries } = await accept({ campaign: 'spring', content });
        return decodeId('dlv', deliveries[0]?.id ?? '') as number;
      };
      const [first, second, news] = [await sent(), await sent(), await sent('news')];
      const enter = (scope: string) =>
        store.suppressions.add({ address: 'ada@example.com', scope, reason: 'unsubscribed', evidence: undefined }, NOW);
      const does = async (type: 'unsubscribed' | 'resubscribed', deliveryId: number, scope = 'broadcast') =>
        (await store.activity.record([{ type, deliveryId, at: NOW, scope }])).map((event) => event.type);
      expect(await does('unsubscribed', first)).toEqual(['unsubscribed']);
      expect(await does('unsubscribed', news, 'topic:news')).toEqual(['unsubscribed']);
      await enter('broadcast');
      const lift = (reason: 'manual' | 'unsubscribed') =>
        store.suppressions.lift({ address: 'ada@example.com', scope: 'broadcast', reason }, NOW);
      expect(await lift('manual')).toBe(0);
      expect(await does('unsubscribed', first)).toEqual([]);
      expect(await lift('unsubscribed')).toBe(1);
      expect(await does('resubscribed', second)).toEqual(['resubscribed']);
      expect(await does('unsubscribed', first)).toEqual(['unsubscribed']);
      expect(await does('unsubscribed', news, 'topic:news')).toEqual([]);
      expect(await store.reports.campaign('spring')).toMatchObject({ unsubscribed: 3, resubscribed: 1 });
    });

    it('sum per day and stream', async () => {
      const { store, accept } = await benchOn(open);
      const day = 86_400_000;
      await accept();
      await accept({ now: NOW + day });
      await accept({ now: NOW + day, content: contentOf({ stream: 'broadcast' }) });
      const days = await store.reports.days({ from: NOW, to: NOW + 2 * day, stream: undefined });
      expect(days.map((one) => [one.day, one.counts.accepted])).toEqual([
        ['2026-01-05', 1],
        ['2026-01-06', 2],
      ]);
      const broadcast = await store.reports.days({ from: NOW, to: NOW + 2 * day, stream: 'broadcast' });
      expect(broadcast.map((one) => [one.day, one.counts.accepted])).toEqual([['2026-01-06', 1]]);
    });
  });
}
