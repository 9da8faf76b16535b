import { describe, expect, it } from 'vitest';
import { contentOf } from '../../../support/content.ts';
import { benchOn, NOW, type OpenStore } from './bench.ts';

/** What a store's suppressions has to do. */
export function suppressionsSuite(name: string, open: OpenStore): void {
  describe(`${name}: suppressions`, () => {
    const entry = { scope: 'all', reason: 'manual', evidence: 'asked by phone' } as const;

    it('stop what waits, and only what they cover', async () => {
      const { store, accept } = await benchOn(open);
      await accept({ content: contentOf({ stream: 'broadcast', topic: 'news' }), campaign: 'spring' });
      await accept({ content: contentOf({ stream: 'broadcast', topic: 'offers' }) });
      const events = await store.suppressions.add({ ...entry, address: 'ada@example.com', scope: 'topic:news' }, NOW);
      expect(events).toMatchObject([{ type: 'suppressed', campaign: 'spring' }]);
      expect((await store.log.list({ limit: 10 })).items.map(({ state }) => state)).toEqual(['queued', 'suppressed']);
      expect(await store.reports.campaign('spring')).toMatchObject({ suppressed: 1 });
    });

    it('are found whatever the case, listed in pages, and removed by scope or all at once', async () => {
      const { store } = await benchOn(open);
      for (const address of ['a@example.com', 'b@example.com', 'c@example.com'])
        for (const scope of ['all', 'broadcast']) await store.suppressions.add({ ...entry, address, scope }, NOW);
      expect(store.suppressions.find('A@Example.COM', ['transactional', 'all'], NOW)).toEqual({
        ...entry,
        address: 'a@example.com',
        since: new Date(NOW),
      });
      expect(store.suppressions.find('a@example.com', ['topic:x'], NOW)).toBeUndefined();
      const first = await store.suppressions.list({ limit: 4 });
      const second = await store.suppressions.list({ limit: 4, after: first.next ?? '' });
      expect([...first.items, ...second.items].map(({ address, scope }) => `${address[0]} ${scope}`)).toEqual([
        'a all',
        'a broadcast',
        'b all',
        'b broadcast',
        'c all',
        'c broadcast',
      ]);
      expect((await store.suppressions.list({ limit: 10, scope: 'broadcast' })).items).toHaveLength(3);
      const odd = { ...entry, address: '"a @ b"@example.com', scope: 'topic:spring sale @ home' };
      await store.suppressions.add(odd, NOW);
      const found = await store.suppressions.list({ limit: 1 });
      expect(found.items).toMatchObject([odd]);
      expect((await store.suppressions.list({ limit: 1, after: found.next ?? '' })).items).toMatchObject([
        { address: 'a@example.com' },
      ]);
      await store.suppressions.remove(odd.address);
      expect(await store.suppressions.remove('a@example.com', 'all')).toBe(1);
      expect(await store.suppressions.remove('b@example.com')).toBe(2);
      expect((await store.suppressions.list({ limit: 10 })).items).toHaveLength(3);
    });
  });
}
