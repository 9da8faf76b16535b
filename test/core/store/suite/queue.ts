import { describe, expect, it } from 'vitest';
import { encodeId } from '../../../../packages/core/src/message.ts';
import type { ClaimedDelivery } from '../../../../packages/core/src/queue/port.ts';
import { contentOf, recipientOf } from '../../../support/content.ts';
import { BOUNCED, benchOn, claim, DEFERRED, LANE, NOW, type OpenStore, SENT, settlement } from './bench.ts';

/** What a store's queue has to do. */
export function queueSuite(name: string, open: OpenStore): void {
  describe(`${name}: queue`, () => {
    it('gives each delivery to one owner, in the order in which they are due', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept({ recipients: [recipientOf('late@example.com')], now: NOW + 5 });
      await accept({ recipients: ['a', 'b', 'c'].map((one) => recipientOf(`${one}@example.com`)) });
      const [one, other] = [await owner(), await owner()];
      const first = await claim(store, one, NOW + 10, 3);
      expect(first.map(({ address }) => address)).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
      expect((await claim(store, other, NOW + 10)).map(({ address }) => address)).toEqual(['late@example.com']);
      expect(await claim(store, one, NOW + 10)).toEqual([]);
    });

    it('gives what the recipient has of its own', async () => {
      const { store, accept, owner } = await benchOn(open);
      const own = { name: 'Ada', data: { points: 7 }, locale: 'fr', tracking: { opens: false } };
      await accept({ recipients: [{ ...recipientOf('ada@example.com'), ...own }] });
      const [claimed] = await claim(store, await owner());
      expect(claimed).toMatchObject({ ...own, kind: 'to', attempts: 0, acceptedAt: NOW });
      expect(await store.log.delivery(claimed?.id ?? 0)).toMatchObject(own);
      expect(await store.log.content(claimed?.messageId ?? 0)).toEqual(contentOf());
    });

    it('knows of a mail that a server may have, until it is tried anew by hand', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept({ recipients: ['a', 'b'].map((one) => recipientOf(`${one}@example.com`)) });
      const me = await owner();
      const doubts = async () => (await store.log.list({ limit: 10 })).items.map(({ inDoubt }) => inDoubt);
      const again = { ...DEFERRED, retryAt: NOW };
      let [a, b] = (await claim(store, me)) as [ClaimedDelivery, ClaimedDelivery];
      expect([a.inDoubt, b.inDoubt, await doubts()]).toEqual([undefined, undefined, [undefined, undefined]]);
      const unknown = { ...settlement(a, again), inDoubt: true } as const;
      const [event] = await store.queue.settle([unknown, settlement(b, again)], { owner: me, now: NOW });
      expect(event).not.toHaveProperty('inDoubt');
      [a, b] = (await claim(store, me)) as [ClaimedDelivery, ClaimedDelivery];
      expect([a.inDoubt, b.inDoubt, await doubts()]).toEqual([true, undefined, [undefined, true]]);
      // What a server says of another attempt does not change it.
      await store.queue.settle([settlement(a, again), settlement(b, again)], { owner: me, now: NOW });
      expect(store.sites.unsorted({ lane: LANE, limit: 10, now: NOW }).map(({ inDoubt }) => inDoubt)).toEqual([
        true,
        undefined,
      ]);
      await store.log.apply({ id: encodeId('dlv', a.id) }, 'retry', { now: NOW });
      expect(await doubts()).toEqual([undefined, undefined]);
      expect((await claim(store, me)).map(({ inDoubt }) => inDoubt)).toEqual([undefined, undefined]);
    });

    it('keeps results with their transcript, and counts them', async () => {
      const { store, accept, owner } = await benchOn(open);
      const recipients = ['a', 'b', 'c'].map((one) => recipientOf(`${one}@example.com`));
      await accept({ recipients, campaign: 'spring' });
      const me = await owner();
      const [a, b, c] = (await claim(store, me)) as [ClaimedDelivery, ClaimedDelivery, ClaimedDelivery];
      const settled = [settlement(a, SENT), settlement(b, DEFERRED), settlement(c, BOUNCED)];
      const events = await store.queue.settle(settled, { owner: me, now: NOW + 60 });
      expect(events).toMatchObject([
        { type: 'sent', recipient: 'a@example.com', attempt: 1, reply: SENT.reply, transcript: settled[0]?.transcript },
        { type: 'deferred', retryAt: new Date(DEFERRED.retryAt), status: '4.3.0' },
        { type: 'bounced', kind: 'hard', status: '5.1.1' },
      ]);
      const { items } = await store.log.list({ limit: 10 });
      expect(items.map(({ state, attempts, reason }) => [state, attempts, reason])).toEqual([
        ['bounced', 1, BOUNCED.reply],
        ['deferred', 1, DEFERRED.reply],
        ['sent', 1, undefined],
      ]);
      for (const [index, { id }] of [...items].reverse().entries())
        expect((await store.log.get(id))?.events.slice(1)).toEqual([events[index]]);
      expect(await store.reports.campaign('spring')).toMatchObject({
        accepted: 3,
        sent: 1,
        deferred: 1,
        deferrals: 1,
        bounced: 1,
      });
      expect(store.suppressions.find('c@example.com', ['all'], NOW)).toMatchObject({
        reason: 'bounced',
        evidence: BOUNCED.reply,
      });
      expect(store.queue.nextDueAt(LANE)).toBe(DEFERRED.retryAt);
      const [again] = await claim(store, me, DEFERRED.retryAt);
      await store.queue.settle([settlement(again as ClaimedDelivery, DEFERRED)], { owner: me, now: NOW });
      expect(await store.reports.campaign('spring')).toMatchObject({ deferred: 1, deferrals: 2 });
    });

    it('takes no result from who does not hold the delivery', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept();
      const [one, other] = [await owner(), await owner()];
      const [claimed] = (await claim(store, one)) as [ClaimedDelivery];
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: other, now: NOW })).toEqual([]);
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: one, now: NOW })).toHaveLength(1);
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: one, now: NOW })).toEqual([]);
    });

    it('takes back what a silent owner held, once its lease is over', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept();
      const [dead, alive] = [await owner(), await owner()];
      const [claimed] = (await claim(store, dead)) as [ClaimedDelivery];
      const beat = (now: number) => store.queue.beat(alive, { now, leaseMs: 1000 });
      expect(await beat(NOW + 1000)).toEqual({ alive: true, recovered: 0, moved: 0 });
      expect(await claim(store, alive, NOW + 1000)).toEqual([]);
      expect(await beat(NOW + 1001)).toEqual({ alive: true, recovered: 1, moved: 0 });
      expect(await claim(store, alive, NOW + 1001)).toMatchObject([{ id: claimed.id, attempts: 0 }]);
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: dead, now: NOW })).toEqual([]);
      expect(await store.queue.beat(dead, { now: NOW, leaseMs: 1000 })).toMatchObject({ alive: false });
    });

    it('holds nothing up when the clock is set back, but mail that has a time of its own', async () => {
      const { store, accept } = await benchOn(open);
      const rates = { out: { limit: 3, windowMs: 1000 } };
      const me = await store.queue.register({ pid: 1, host: 'here', rates }, NOW);
      await store.queue.beat(me, { now: NOW, leaseMs: 1000 });
      await accept({ recipients: ['a', 'b'].map((one) => recipientOf(`${one}@example.com`)) });
      await accept({ recipients: [recipientOf('scheduled@example.com')], sendAt: NOW + 10 });
      const [a] = (await claim(store, me, NOW, 1)) as [ClaimedDelivery];
      await store.queue.settle([settlement(a, { ...DEFERRED, retryAt: NOW + 560 })], { owner: me, now: NOW + 60 });
      const back = NOW - 3_600_000;
      expect(await claim(store, me, back)).toEqual([]);
      expect(await store.queue.beat(me, { now: back, leaseMs: 1000 })).toMatchObject({ alive: true, recovered: 0 });
      expect(await claim(store, me, back)).toMatchObject([{ address: 'b@example.com' }]);
      expect(await claim(store, me, back + 499)).toEqual([]);
      expect(await claim(store, me, back + 500)).toMatchObject([{ id: a.id }]);
      // A result from before, which is written after.
      await store.queue.settle([settlement(a, { ...DEFERRED, retryAt: NOW + 540 })], { owner: me, now: back + 500 });
      expect(store.queue.nextDueAt(LANE)).toBe(back + 1000);
      await store.queue.beat(me, { now: back + 500, leaseMs: 1000 });
      // Two starts, and one that is reserved.
      await accept({ now: back });
      expect(await claim(store, me, back + 999)).toEqual([]);
      expect(await claim(store, me, back + 1600)).toHaveLength(2);
    });

    it('does not hold up what was given back for a while when the clock is set back', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept({ recipients: [recipientOf('scheduled@example.com')], sendAt: NOW + 10 });
      await accept();
      const me = await owner();
      await store.queue.beat(me, { now: NOW, leaseMs: 1000 });
      const [a] = (await claim(store, me, NOW, 1)) as [ClaimedDelivery];
      const returned = { type: 'returned', dueAt: NOW + 5000 } as const;
      const given = { deliveryId: a.id, startedAt: undefined, transcript: undefined, result: returned };
      await store.queue.settle([given], { owner: me, now: NOW });
      const back = NOW - 3_600_000;
      await store.queue.beat(me, { now: back, leaseMs: 1000 });
      expect(await claim(store, me, back + 4999)).toEqual([]);
      expect(await claim(store, me, back + 5000)).toMatchObject([{ id: a.id }]);
    });

    it('leaves what a silent owner held where who beats does not take over', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept();
      const [dead, watcher] = [await owner(), await owner()];
      await claim(store, dead);
      const options = { now: NOW + 60_000, leaseMs: 1000, takesOver: false };
      expect(await store.queue.beat(watcher, options)).toMatchObject({ alive: true, recovered: 0 });
      expect((await store.queue.lanes({ limit: 10, offset: 0 }))[0]?.sending).toBe(1);
    });

    it('gives nothing from a lane that is paused', async () => {
      const { store, accept, owner } = await benchOn(open);
      await accept();
      const me = await owner();
      await store.queue.pause(LANE, true, NOW);
      expect([await claim(store, me), store.queue.nextDueAt(LANE)]).toEqual([[], undefined]);
      expect(await store.queue.lanes({ limit: 10, offset: 0 })).toEqual([
        { ...LANE, paused: true, waiting: 1, sending: 0, oldestDueAt: NOW },
      ]);
      await store.queue.pause(LANE, false, NOW);
      expect(await claim(store, me)).toHaveLength(1);
      expect(await store.queue.lanes({ limit: 10, offset: 0 })).toMatchObject([
        { paused: false, waiting: 0, sending: 1, oldestDueAt: undefined },
      ]);
    });

    it('moves what waits for a route that is gone, and counts its starts for the new one', async () => {
      const { store, accept } = await benchOn(open);
      await accept();
      const rates = { new: { limit: 1, windowMs: 1000 } };
      const me = await store.queue.register({ pid: 1, host: 'here', rates, routes: ['new'] }, NOW);
      const fallback = { route: 'new', absentMs: 60_000 };
      expect(await store.queue.beat(me, { now: NOW, leaseMs: 1000, fallback })).toMatchObject({ moved: 1 });
      const lane = { route: 'new', stream: 'transactional' } as const;
      const [claimed] = (await store.queue.claim({ lane, limit: 1, owner: me, now: NOW })) as [ClaimedDelivery];
      await store.queue.settle([settlement(claimed, SENT)], { owner: me, now: NOW + 60 });
      expect((await store.log.list({ limit: 1 })).items).toMatchObject([{ route: 'new', state: 'sent' }]);
      expect(store.queue.nextSlotAt(lane, NOW + 60)).toBeGreaterThan(NOW + 1000);
    });

    it('leaves mail alone whose route another process has, or had a while ago', async () => {
      const { store, accept } = await benchOn(open);
      await accept();
      const register = (...routes: string[]) => store.queue.register({ pid: 1, host: 'here', rates: {}, routes }, NOW);
      const [other, me, third] = [await register('out'), await register('new'), await register('new')];
      const beat = async (owner: number, now: number): Promise<number> => {
        const fallback = { route: 'new', absentMs: 60_000 };
        return (await store.queue.beat(owner, { now, leaseMs: 500_000, fallback })).moved;
      };
      expect(await beat(me, NOW)).toBe(0);
      await store.queue.unregister(other, NOW + 1000);
      expect(await beat(me, NOW + 30_000)).toBe(0);
      expect(await beat(me, NOW + 60_001)).toBe(1);
      await accept({ recipients: [recipientOf('bob@example.com')], now: NOW + 70_000 });
      // Nobody else is there who could be about to have it.
      await store.queue.unregister(third, NOW + 70_001);
      expect(await beat(me, NOW + 70_002)).toBe(1);
    });
  });
}
