import { describe, expect, it } from 'vitest';
import { benchOn, NOW, type OpenStore } from './bench.ts';

/** What a store's endpoints have to do. */
export function endpointsSuite(name: string, open: OpenStore): void {
  describe(`${name}: endpoints`, () => {
    const crm = { name: 'crm', sealed: 'one', createdAt: NOW, types: ['bounced'] } as const;

    it('are subscriptions of their names, and are changed and removed by them', async () => {
      const { store } = await benchOn(open);
      await store.endpoints.add(crm);
      await store.endpoints.add({ ...crm, name: 'archive', types: ['alert', 'sent'] });
      expect(store.endpoints.all()).toEqual([
        { name: 'archive', sealed: 'one', createdAt: NOW },
        { name: 'crm', sealed: 'one', createdAt: NOW },
      ]);
      expect(await store.subscriptions.list()).toMatchObject([
        { name: 'archive', kind: 'webhook', types: ['sent', 'alert'] },
        { name: 'crm', kind: 'webhook', types: ['bounced'] },
      ]);
      await Promise.all(['a', 'b'].map((one) => store.endpoints.change('crm', (sealed) => sealed + one)));
      expect(store.endpoints.all()[1]?.sealed).toBe('oneab');
      const broken = store.endpoints.change('crm', () => {
        throw new RangeError('no');
      });
      await expect(broken).rejects.toThrow('no');
      expect(store.endpoints.all()[1]?.sealed).toBe('oneab');
      await store.endpoints.remove('crm');
      // Whoever forgets the subscription forgets the endpoint, too.
      await store.subscriptions.remove('archive');
      expect(store.endpoints.all()).toEqual([]);
      expect(await store.subscriptions.list()).toEqual([]);
    });

    it('have a name of their own, and are known', async () => {
      const { store } = await benchOn(open);
      await store.subscriptions.declare({ name: 'audit', kind: 'handler', types: ['sent'] }, NOW);
      await store.endpoints.add(crm);
      for (const one of ['audit', 'crm'])
        await expect(store.endpoints.add({ ...crm, name: one })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
      expect(store.endpoints.all()).toHaveLength(1);
      for (const call of [
        () => store.endpoints.remove('audit'),
        () => store.endpoints.change('audit', (sealed) => sealed),
      ])
        await expect(call()).rejects.toMatchObject({ code: 'SUBSCRIPTION_NOT_FOUND' });
      for (let number = 1; number < 100; number++) await store.endpoints.add({ ...crm, name: `crm${number}` });
      await expect(store.endpoints.add({ ...crm, name: 'more' })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    });
  });
}
