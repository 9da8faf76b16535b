import { describe, expect, it } from 'vitest';
import type { FeedbackEvent } from '../../../../packages/core/src/feedback/event.ts';
import { decodeId } from '../../../../packages/core/src/message.ts';
import type { Settlement } from '../../../../packages/core/src/queue/port.ts';
import type { Store } from '../../../../packages/core/src/store/port.ts';
import { resolveSuppression } from '../../../../packages/core/src/suppression-policy.ts';
import { benchOn, claim, NOW, type OpenStore, SENT } from './bench.ts';

const POLICY = resolveSuppression();

/** What a store does with what comes back. */
export function feedbackSuite(name: string, open: OpenStore): void {
  describe(`${name}: feedback`, () => {
    const bounced = {
      id: 'b1',
      type: 'bounced',
      at: NOW + 5,
      source: 'dsn',
      kind: 'hard',
      fault: 'recipient',
      diagnostic: '550 5.1.1 unknown',
      status: '5.1.1',
      reason: 'no-such-mailbox',
    } as const;
    const complained = { id: 'c1', type: 'complained', at: NOW + 6, source: 'arf', diagnostic: 'report' } as const;

    async function sent(settled: Settlement['result'] = SENT) {
      const bench = await benchOn(open);
      const { deliveries } = await bench.accept({ campaign: 'spring' });
      const deliveryId = deliveries[0]?.id ?? '';
      const { store } = bench;
      const owner = await bench.owner();
      await claim(store, owner);
      const result = {
        deliveryId: decodeId('dlv', deliveryId) as number,
        startedAt: NOW,
        transcript: undefined,
        result: settled,
      };
      const settle = () => store.queue.settle([result], { owner, now: NOW });
      /** Another mail to the same address, which was sent, too. */
      const another = async (): Promise<string> => {
        const id = (await bench.accept()).deliveries[0]?.id ?? '';
        await claim(store, owner);
        await store.queue.settle([{ ...result, deliveryId: decodeId('dlv', id) as number }], { owner, now: NOW });
        return id;
      };
      return { store, deliveryId, settle, another };
    }

    async function receive(store: Store, ...feedback: FeedbackEvent[]) {
      const { events, received } = await store.feedback.receive(feedback, { now: NOW, policy: POLICY });
      return {
        types: events.map(({ type }) => type),
        outcomes: received.map(({ outcome }) => outcome),
        events,
        received,
      };
    }

    const stateOf = async (store: Store, id: string) => (await store.log.get(id))?.deliveries[0]?.state;

    it('moves what was sent to bounced, once, and suppresses the address', async () => {
      const { store, deliveryId, settle } = await sent();
      await settle();
      const { events, received } = await receive(store, { ...bounced, deliveryId });
      expect(events).toMatchObject([
        {
          type: 'bounced',
          kind: 'hard',
          reply: '550 5.1.1 unknown',
          reason: 'no-such-mailbox',
          attempt: 1,
          foundBy: 'id',
        },
      ]);
      expect(received).toEqual([{ outcome: 'moved', deliveryId, foundBy: 'id', route: 'out' }]);
      expect((await receive(store, { ...bounced, deliveryId })).outcomes).toEqual(['repeated']);
      expect((await receive(store, { ...bounced, id: 'b2', deliveryId })).outcomes).toEqual(['late']);
      expect((await store.log.get(deliveryId))?.deliveries).toMatchObject([
        { state: 'bounced', reason: '550 5.1.1 unknown' },
      ]);
      expect(store.suppressions.find('ada@example.com', ['all'], NOW)).toMatchObject({ reason: 'bounced' });
      expect(await store.reports.campaign('spring')).toMatchObject({ sent: 1, bounced: 1 });
    });

    it('does not suppress again for what is told once more about a mail of before a lift', async () => {
      const { store, deliveryId, settle, another } = await sent();
      await settle();
      const find = () => store.suppressions.find('ada@example.com', ['all', 'broadcast'], NOW);
      await receive(store, { ...bounced, deliveryId }, { ...complained, deliveryId });
      await store.suppressions.lift({ address: 'ada@example.com', scope: undefined, note: 'wrote to us' }, NOW);
      // The same bounce and the same complaint, by another way.
      await receive(store, { ...bounced, id: 'b2', source: 'ses', at: NOW + 20, deliveryId });
      await receive(store, { ...complained, id: 'c2', source: 'ses', at: NOW + 20, deliveryId });
      expect(find()).toBeUndefined();
      // Of another mail it is new.
      const other = await another();
      await receive(store, { ...bounced, id: 'b3', deliveryId: other });
      expect(find()).toMatchObject({ reason: 'bounced' });
    });

    it('does not unsubscribe who has subscribed again since', async () => {
      const { store, deliveryId, settle, another } = await sent();
      await settle();
      const address = 'ada@example.com';
      const find = () => store.suppressions.find(address, ['transactional'], NOW);
      const left = { type: 'unsubscribed', source: 'ses' } as const;
      await receive(store, { ...left, id: 'u1', at: NOW - 30, deliveryId });
      expect(find()).toMatchObject({ reason: 'unsubscribed' });
      await store.suppressions.lift({ address, scope: 'transactional', reason: 'unsubscribed' }, NOW - 20);
      const other = await another();
      await receive(store, { ...left, id: 'u2', at: NOW - 25, deliveryId: other });
      expect(find()).toBeUndefined();
      await receive(store, { ...left, id: 'u3', at: NOW - 10, deliveryId: await another() });
      expect(find()).toMatchObject({ reason: 'unsubscribed' });
    });

    it('comes to the same state and the same counts in whatever order verdicts come', async () => {
      const delivered = { id: 'd1', type: 'delivered', at: NOW + 1, source: 'ses' } as const;
      for (const order of [
        [delivered, bounced, complained],
        [complained, bounced, delivered],
        [bounced, complained, delivered],
      ]) {
        const { store, deliveryId, settle } = await sent();
        await settle();
        for (const event of order) await receive(store, { ...event, deliveryId });
        expect(await stateOf(store, deliveryId)).toBe('complained');
        expect(await store.reports.campaign('spring')).toMatchObject({ sent: 1, bounced: 1, complained: 1 });
        expect((await store.log.get(deliveryId))?.events).toHaveLength(5);
      }
    });

    it('suppresses who complains for broadcast mail', async () => {
      const { store, deliveryId, settle } = await sent();
      await settle();
      expect((await receive(store, { ...complained, deliveryId })).types).toEqual(['complained']);
      expect(store.suppressions.find('ada@example.com', ['all'], NOW)).toBeUndefined();
      expect(store.suppressions.find('ada@example.com', ['broadcast'], NOW)).toMatchObject({ reason: 'complained' });
    });

    it('keeps what comes before the sending is settled, and what fits no delivery', async () => {
      const { store, deliveryId, settle } = await sent();
      expect((await receive(store, { ...bounced, deliveryId })).outcomes).toEqual(['recorded']);
      expect(await stateOf(store, deliveryId)).toBe('sending');
      expect(await settle()).toMatchObject([{ type: 'sent' }]);
      expect(await stateOf(store, deliveryId)).toBe('bounced');
      const unknown = { ...complained, deliveryId: 'dlv_5' };
      expect((await receive(store, unknown)).outcomes).toEqual(['unmatched']);
      expect((await store.feedback.unmatched({ limit: 5 })).items).toMatchObject([{ event: unknown }]);
    });

    it('takes back what came back where a delivery is tried again', async () => {
      const { store, deliveryId, settle } = await sent();
      await settle();
      await receive(store, { ...bounced, deliveryId });
      await store.log.apply({ id: deliveryId }, 'retry', { now: NOW + 10 });
      expect((await receive(store, { ...bounced, id: 'b3', deliveryId })).outcomes).toEqual(['late']);
      const owner = await store.queue.register({ pid: 2, host: 'h', rates: {} }, NOW + 10);
      await claim(store, owner, NOW + 10);
      const id = decodeId('dlv', deliveryId) as number;
      const result = { deliveryId: id, startedAt: NOW + 10, transcript: undefined, result: SENT };
      await store.queue.settle([result], { owner, now: NOW + 10 });
      expect(await stateOf(store, deliveryId)).toBe('sent');
      expect((await receive(store, { ...bounced, id: 'b4', deliveryId })).outcomes).toEqual(['moved']);
    });

    it('finds a delivery by its recipient and the time, and then does not suppress on the word of a mail', async () => {
      const { store, deliveryId, settle } = await sent();
      await settle();
      const { received } = await receive(store, { ...bounced, recipient: 'Ada@example.com' });
      expect(received).toEqual([{ outcome: 'moved', deliveryId, foundBy: 'recipient', route: 'out' }]);
      expect(store.suppressions.find('ada@example.com', ['all'], NOW)).toBeUndefined();
    });

    it('leaves alone what names another mail, or comes too late for the last one', async () => {
      const { store, settle } = await sent();
      await settle();
      const recipient = 'ada@example.com';
      const other = { ...bounced, recipient, messageId: 'x.y@elsewhere.example' };
      const late = { ...bounced, id: 'b9', recipient, at: NOW + 8 * 86_400_000 };
      expect((await receive(store, other, late)).outcomes).toEqual(['unmatched', 'unmatched']);
    });

    it('leaves alone a mail that the provider knows by another id', async () => {
      const { store, deliveryId, settle, another } = await sent({ ...SENT, providerId: 'p-1' });
      await settle();
      const id = await another();
      const said = { ...bounced, recipient: 'ada@example.com', source: 'ses' } as const;
      const { received } = await receive(
        store,
        { ...said, id: 'b1', providerId: 'p-2' },
        { ...said, id: 'b2', providerId: 'p-1' },
      );
      expect(received).toMatchObject([{ outcome: 'unmatched' }, { outcome: 'moved', foundBy: 'provider-id' }]);
      expect([await stateOf(store, id), await stateOf(store, deliveryId)].sort()).toEqual(['bounced', 'sent']);
    });

    it('counts soft bounces of the session as those that come back', async () => {
      const bench = await benchOn(open);
      const { store } = bench;
      const owner = await bench.owner();
      const full = {
        type: 'bounced',
        kind: 'soft',
        reply: '552 5.2.2 full',
        status: '5.2.2',
        reason: 'mailbox-full',
        suppress: false,
      } as const;
      const blocked = { ...full, reply: '550 5.7.1 blocked', reason: 'blocked-ip' } as const;
      for (const result of [blocked, blocked, blocked, full, full, full]) {
        expect(store.suppressions.find('ada@example.com', ['all'], NOW)).toBeUndefined();
        const { deliveries } = await bench.accept({});
        await claim(store, owner);
        const deliveryId = decodeId('dlv', deliveries[0]?.id ?? '') as number;
        await store.queue.settle([{ deliveryId, startedAt: NOW, transcript: undefined, result }], { owner, now: NOW });
      }
      expect(store.suppressions.find('ada@example.com', ['all'], NOW)).toMatchObject({ evidence: '552 5.2.2 full' });
    });

    it('suppresses until so long after the last of the soft bounces, in whatever order they are told', async () => {
      const days = async (order: readonly number[]): Promise<number> => {
        const bench = await benchOn(open);
        const owner = await bench.owner();
        const ids: string[] = [];
        for (const number of order) {
          const { deliveries } = await bench.accept({});
          ids[number] = deliveries[0]?.id ?? '';
        }
        await claim(bench.store, owner);
        const settle = ids.map((id) => ({
          deliveryId: decodeId('dlv', id) as number,
          startedAt: NOW,
          transcript: undefined,
          result: SENT,
        }));
        await bench.store.queue.settle(settle, { owner, now: NOW });
        const soft = { ...bounced, kind: 'soft', reason: 'mailbox-full', source: 'ses' } as const;
        // Told a day later each, of what happened a day apart.
        for (const [turn, number] of order.entries())
          await bench.store.feedback.receive(
            [{ ...soft, id: `t${number}`, deliveryId: ids[number], at: NOW + number * 86_400_000 }],
            { now: NOW + (turn + 5) * 86_400_000, policy: POLICY },
          );
        const { until } = (await bench.store.suppressions.list({ limit: 5 })).items[0] ?? {};
        return ((until?.getTime() ?? 0) - NOW) / 86_400_000;
      };
      expect([await days([0, 1, 2]), await days([2, 0, 1]), await days([1, 2, 0])]).toEqual([92, 92, 92]);
    });

    it('counts soft bounces anew after a lift', async () => {
      const { store, deliveryId, settle, another } = await sent();
      await settle();
      const soft = { ...bounced, kind: 'soft', reason: 'mailbox-full', source: 'ses' } as const;
      const ids = [deliveryId];
      while (ids.length < 6) ids.push(await another());
      const isThere = () => store.suppressions.find('ada@example.com', ['all'], NOW) !== undefined;
      const bounce = (index: number) =>
        receive(store, { ...soft, id: `s${index}`, deliveryId: ids[index], at: NOW + index });
      for (const index of [0, 1, 2]) await bounce(index);
      expect(isThere()).toBe(true);
      await store.suppressions.lift({ address: 'ada@example.com', scope: undefined }, NOW);
      for (const index of [3, 4]) await bounce(index);
      expect(isThere()).toBe(false);
      await bounce(5);
      expect(isThere()).toBe(true);
    });

    it('suppresses for a time after soft bounces of several mails', async () => {
      const bench = await benchOn(open);
      const { store } = bench;
      const owner = await bench.owner();
      const soft = { ...bounced, kind: 'soft', reason: 'mailbox-full', source: 'ses' } as const;
      const outcomes: (string | undefined)[] = [];
      for (const number of [1, 2, 3]) {
        const { deliveries } = await bench.accept({});
        const deliveryId = deliveries[0]?.id ?? '';
        await claim(store, owner);
        const id = decodeId('dlv', deliveryId) as number;
        await store.queue.settle([{ deliveryId: id, startedAt: NOW, transcript: undefined, result: SENT }], {
          owner,
          now: NOW,
        });
        await receive(store, { ...soft, id: `s${number}`, deliveryId, at: NOW + number });
        outcomes.push(store.suppressions.find('ada@example.com', ['all'], NOW)?.reason);
      }
      expect(outcomes).toEqual([undefined, undefined, 'bounced']);
      expect(store.suppressions.find('ada@example.com', ['all'], NOW + 91 * 86_400_000)).toBeUndefined();
    });
  });
}
