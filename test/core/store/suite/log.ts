import { describe, expect, it } from 'vitest';
import { contentOf, recipientOf } from '../../../support/content.ts';
import { benchOn, claim, NOW, type OpenStore } from './bench.ts';

/** What a store's log has to do. */
export function logSuite(name: string, open: OpenStore): void {
  describe(`${name}: log`, () => {
    it('lists by what is asked, newest first, in pages', async () => {
      const { store, accept } = await benchOn(open);
      const message = await accept({ recipients: [recipientOf('ada@example.com')], campaign: 'spring' });
      await accept({
        recipients: [recipientOf('bob@example.com')],
        content: contentOf({ stream: 'broadcast' }),
        now: NOW + 1000,
      });
      await accept({ recipients: [recipientOf('eve@example.com')], sendAt: NOW + 9999, now: NOW + 2000 });
      const names = async (query: object): Promise<string[]> =>
        (await store.log.list({ limit: 10, ...query })).items.map(({ recipient }) => recipient.slice(0, 3));
      expect(await names({})).toEqual(['eve', 'bob', 'ada']);
      expect(await names({ message: message.id })).toEqual(['ada']);
      expect(await names({ campaign: 'spring' })).toEqual(['ada']);
      expect(await names({ recipient: 'BOB@example.com' })).toEqual(['bob']);
      expect(await names({ state: 'scheduled' })).toEqual(['eve']);
      expect(await names({ stream: 'broadcast' })).toEqual(['bob']);
      expect(await names({ from: new Date(NOW + 1000), to: new Date(NOW + 2000) })).toEqual(['bob']);
      const page = await store.log.list({ limit: 2 });
      expect(await names({ limit: 2, after: page.next })).toEqual(['ada']);
    });

    it('changes states by hand, where they allow it', async () => {
      const { store, accept, owner } = await benchOn(open);
      const { id } = await accept({ campaign: 'spring' });
      const apply = (
        by: 'cancel' | 'hold' | 'release' | 'retry',
        selection: { id: string } | { campaign: string } = { id },
      ) => store.log.apply(selection, by, { now: NOW, reason: 'asked for' }).then(({ events }) => events);
      expect(await apply('hold')).toMatchObject([{ type: 'held' }]);
      expect(await claim(store, await owner())).toEqual([]);
      await expect(apply('hold')).rejects.toMatchObject({ code: 'MESSAGE_STATE' });
      expect(await apply('release')).toMatchObject([{ type: 'released' }]);
      expect(await apply('cancel', { campaign: 'spring' })).toMatchObject([{ type: 'cancelled' }]);
      expect(await store.reports.campaign('spring')).toMatchObject({ cancelled: 1 });
      expect(await apply('retry')).toMatchObject([{ type: 'retried' }]);
      expect(await store.reports.campaign('spring')).toMatchObject({ cancelled: 0 });
      expect(await claim(store, await owner())).toHaveLength(1);
      await expect(apply('cancel', { campaign: 'none' })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
      await expect(apply('cancel', { id: 'dlv_1' })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    });
  });
}
