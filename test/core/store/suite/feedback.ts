import { describe, expect, it } from 'vitest';
import { decodeId } from '../../../../packages/core/src/message.ts';
import { benchOn, claim, NOW, type OpenStore, SENT } from './bench.ts';

/** What a store does with what comes back. */
export function feedbackSuite(name: string, open: OpenStore): void {
  describe(`${name}: feedback`, () => {
    const bounced = {
      type: 'bounced',
      at: NOW + 5,
      kind: 'hard',
      reply: '550 5.1.1 unknown',
      status: '5.1.1',
      reason: 'no-such-mailbox',
      suppress: true,
    } as const;
    const complained = { type: 'complained', at: NOW + 5, evidence: 'report' } as const;

    async function sent() {
      const bench = await benchOn(open);
      const { deliveries } = await bench.accept({ campaign: 'spring' });
      const id = deliveries[0]?.id ?? '';
      const deliveryId = decodeId('dlv', id) as number;
      const { store } = bench;
      const owner = await bench.owner();
      await claim(store, owner);
      const result = { deliveryId, startedAt: NOW, transcript: undefined, result: SENT };
      const settle = () => store.queue.settle([result], { owner, now: NOW });
      return { store, id, deliveryId, settle };
    }

    it('moves what was sent to bounced, once, and suppresses the address', async () => {
      const { store, id, deliveryId, settle } = await sent();
      await settle();
      expect(await store.feedback.record([{ ...bounced, deliveryId }])).toMatchObject([
        { type: 'bounced', kind: 'hard', reply: '550 5.1.1 unknown', reason: 'no-such-mailbox', attempt: 1 },
      ]);
      expect(await store.feedback.record([{ ...bounced, deliveryId }])).toEqual([]);
      expect((await store.log.get(id))?.deliveries).toMatchObject([{ state: 'bounced', reason: '550 5.1.1 unknown' }]);
      expect(store.suppressions.find('ada@example.com', ['all'])).toMatchObject({ reason: 'bounced' });
      expect(await store.reports.campaign('spring')).toMatchObject({ sent: 1, bounced: 1 });
    });

    it('suppresses who complains; a bounce that comes after it changes nothing', async () => {
      const { store, deliveryId, settle } = await sent();
      await settle();
      expect(await store.feedback.record([{ ...complained, deliveryId }])).toMatchObject([{ type: 'complained' }]);
      expect(await store.feedback.record([{ ...bounced, deliveryId }])).toEqual([]);
      expect(store.suppressions.find('ada@example.com', ['all'])).toMatchObject({ reason: 'complained' });
    });

    it('leaves alone what is being sent, and what is not there', async () => {
      const { store, deliveryId, settle } = await sent();
      expect(await store.feedback.record([{ ...bounced, deliveryId }])).toEqual([]);
      expect(await store.feedback.record([{ ...complained, deliveryId: 5 }])).toEqual([]);
      expect(await settle()).toMatchObject([{ type: 'sent' }]);
    });
  });
}
