import { describe, expect, it } from 'vitest';
import { decodeId, type SubmittedRecipient } from '../../../../packages/core/src/message.ts';
import { contentOf, recipientOf } from '../../../support/content.ts';
import { benchOn, claim, input, LANE, NOW, type OpenStore } from './bench.ts';

/** What a store's intake has to do. */
export function intakeSuite(name: string, open: OpenStore): void {
  describe(`${name}: intake`, () => {
    it('answers what is stored, each address once', async () => {
      const { store, accept } = await benchOn(open);
      const recipients = ['ada@example.com', 'Ada@Example.com', 'bob@example.com'].map(recipientOf);
      const accepted = await accept({ recipients, campaign: 'spring', tags: ['a'], metadata: { order: 7 } });
      expect(accepted.deliveries.map(({ recipient, state }) => [recipient, state])).toEqual([
        ['ada@example.com', 'queued'],
        ['bob@example.com', 'queued'],
      ]);
      expect(await store.log.get(accepted.id)).toMatchObject({
        id: accepted.id,
        campaign: 'spring',
        tags: ['a'],
        metadata: { order: 7 },
        acceptedAt: new Date(NOW),
        counts: { queued: 2 },
        events: [{ type: 'accepted', recipient: 'ada@example.com' }, { type: 'accepted' }],
      });
      expect(await store.log.get('msg_1')).toBeUndefined();
    });

    it('gives ids that grow and are never used twice', async () => {
      const { accept } = await benchOn(open);
      const all = await Promise.all(Array.from({ length: 50 }, () => accept()));
      const ids = all.flatMap(({ id, deliveries }) => [decodeId('msg', id), decodeId('dlv', deliveries[0]?.id ?? '')]);
      expect(new Set(ids).size).toBe(100);
      expect(ids).toEqual([...ids].sort((one, other) => Number(one) - Number(other)));
    });

    it('answers a key that it has seen with the first result, also in a race, and refuses other content', async () => {
      const { store, accept } = await benchOn(open);
      const key = { idempotencyKey: 'order-1' };
      const [first, second] = await Promise.all([accept(key), accept({ ...key, now: NOW + 5 })]);
      expect([first?.repeated, second?.repeated]).toEqual([false, true]);
      expect(second?.deliveries).toEqual(first?.deliveries);
      expect((await accept({ ...key, sendAt: NOW + 60_000 })).repeated).toBe(true);
      await expect(accept({ ...key, content: contentOf({ subject: 'Other' }) })).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
      expect((await store.log.list({ limit: 10 })).items).toHaveLength(1);
    });

    it('holds back until the time that was asked for', async () => {
      const { store, accept, owner } = await benchOn(open);
      expect((await accept({ sendAt: NOW + 1000 })).deliveries).toMatchObject([{ state: 'scheduled' }]);
      const me = await owner();
      expect(store.queue.nextDueAt(LANE)).toBe(NOW + 1000);
      expect(await claim(store, me, NOW + 999)).toEqual([]);
      expect(await claim(store, me, NOW + 1000)).toHaveLength(1);
    });

    it('suppresses who must not get the stream or topic', async () => {
      const { store, accept } = await benchOn(open);
      await store.suppressions.add(
        { address: 'ada@example.com', scope: 'topic:news', reason: 'unsubscribed', evidence: undefined },
        NOW,
      );
      expect((await accept({ content: contentOf({ topic: 'news' }) })).deliveries).toMatchObject([
        { state: 'suppressed' },
      ]);
      expect((await accept({ content: contentOf({ topic: 'offers' }) })).deliveries).toMatchObject([
        { state: 'queued' },
      ]);
    });

    it('appends to a message that was opened, and says which recipients it has already', async () => {
      const { store } = await benchOn(open);
      const { recipients: _, ...opening } = input({ campaign: 'spring', idempotencyKey: 'run-1' });
      const opened = await store.intake.open(opening);
      expect(opened.repeated).toBe(false);
      const append = (list: readonly SubmittedRecipient[]) => store.intake.append(opened.id, list, { now: NOW });
      expect(await append([recipientOf('a@example.com'), recipientOf('b@example.com')])).toMatchObject([
        { state: 'queued' },
        { state: 'queued' },
      ]);
      expect(await append([recipientOf('B@example.com'), recipientOf('c@example.com')])).toMatchObject([
        { rejected: 'duplicate' },
        { state: 'queued' },
      ]);
      const again = (address: string) => store.intake.append(opened.id, [recipientOf(address)], { now: NOW, run: 7 });
      expect(await again('a@example.com')).toMatchObject([{ state: 'queued', repeated: true }]);
      expect(await again('d@example.com')).toMatchObject([{ state: 'queued', repeated: false }]);
      expect(await again('a@example.com')).toEqual([{ rejected: 'duplicate' }]);
      expect(await again('d@example.com')).toEqual([{ rejected: 'duplicate' }]);
      await store.intake.endRun(7);
      expect(
        await store.intake.append(opened.id, [{ ...recipientOf('d@example.com'), data: { n: 1 } }], {
          now: NOW,
          run: 8,
        }),
      ).toEqual([{ rejected: 'conflict' }]);
      await store.intake.endRun(8);
      expect(await again('d@example.com')).toMatchObject([{ repeated: true }]);
      expect(await store.intake.open(opening)).toMatchObject({ id: opened.id, repeated: true });
      await expect(store.intake.append('msg_1', [], { now: NOW })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    });
  });
}
