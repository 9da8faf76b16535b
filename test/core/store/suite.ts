import { describe, expect, it, onTestFinished } from 'vitest';
import { decodeId, type SubmittedRecipient } from '../../../packages/core/src/message.ts';
import type { ClaimedDelivery, Settlement } from '../../../packages/core/src/queue/port.ts';
import type { AcceptInput, Store } from '../../../packages/core/src/store/port.ts';
import { contentOf, recipientOf } from '../../support/content.ts';

/** What a store is that the suite opened, and shorter ways to use it. */
interface Bench {
  readonly store: Store;
  accept(over?: Partial<AcceptInput>): ReturnType<Store['intake']['accept']>;
  owner(): Promise<number>;
}

const LANE = { route: 'out', stream: 'transactional' } as const;
const NOW = Date.UTC(2026, 0, 5, 12);

function input(over: Partial<AcceptInput> = {}): AcceptInput {
  return {
    content: contentOf(),
    campaign: undefined,
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    recipients: [recipientOf('ada@example.com')],
    route: 'out',
    now: NOW,
    ...over,
  };
}

function settlement({ id }: Pick<ClaimedDelivery, 'id'>, result: Settlement['result']): Settlement {
  const transcript = {
    route: 'out',
    host: 'mx.example.com',
    tls: true,
    startedAt: NOW + 40,
    ms: 12,
    steps: [
      { step: 'CONN', ms: 4 },
      { step: 'MESSAGE', reply: 'reply' in result ? result.reply : '', ms: 8 },
    ],
  };
  return { deliveryId: id, startedAt: NOW + 40, result, transcript };
}

const SENT = { type: 'sent', reply: '250 2.0.0 Ok: queued as 4F2A' } as const;
const DEFERRED = {
  type: 'deferred',
  retryAt: NOW + 60_000,
  reply: '451 4.3.0 Later',
  status: '4.3.0',
  reason: 'other',
} as const;
const BOUNCED = {
  type: 'bounced',
  kind: 'hard',
  reply: '550 5.1.1 Unknown',
  status: '5.1.1',
  reason: 'no-such-mailbox',
  suppress: true,
} as const;

/** Whatever keeps the relay's state has to pass this. `open` makes an empty store. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  async function bench(): Promise<Bench> {
    const store = await open();
    onTestFinished(() => store.close());
    return {
      store,
      accept: (over) => store.intake.accept(input(over)),
      owner: () => store.queue.register({ pid: 1, host: 'here', rates: {} }, NOW),
    };
  }
  const claim = (store: Store, owner: number, now = NOW, limit = 10): Promise<ClaimedDelivery[]> =>
    store.queue.claim({ lane: LANE, limit, owner, now });

  describe(`${name}: intake`, () => {
    it('answers what is stored, each address once', async () => {
      const { store, accept } = await bench();
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
      const { accept } = await bench();
      const all = await Promise.all(Array.from({ length: 50 }, () => accept()));
      const ids = all.flatMap(({ id, deliveries }) => [decodeId('msg', id), decodeId('dlv', deliveries[0]?.id ?? '')]);
      expect(new Set(ids).size).toBe(100);
      expect(ids).toEqual([...ids].sort((one, other) => Number(one) - Number(other)));
    });

    it('answers a key that it has seen with the first result, also in a race, and refuses other content', async () => {
      const { store, accept } = await bench();
      const key = { idempotencyKey: 'order-1' };
      const [first, second] = await Promise.all([accept(key), accept({ ...key, now: NOW + 5 })]);
      expect([first?.repeated, second?.repeated]).toEqual([false, true]);
      expect(second?.deliveries).toEqual(first?.deliveries);
      await expect(accept({ ...key, content: contentOf({ subject: 'Other' }) })).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
      expect((await store.log.list({ limit: 10 })).items).toHaveLength(1);
    });

    it('holds back until the time that was asked for', async () => {
      const { store, accept, owner } = await bench();
      expect((await accept({ sendAt: NOW + 1000 })).deliveries).toMatchObject([{ state: 'scheduled' }]);
      const me = await owner();
      expect(store.queue.nextDueAt(LANE)).toBe(NOW + 1000);
      expect(await claim(store, me, NOW + 999)).toEqual([]);
      expect(await claim(store, me, NOW + 1000)).toHaveLength(1);
    });

    it('suppresses who must not get the stream or topic', async () => {
      const { store, accept } = await bench();
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
      const { store } = await bench();
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
      expect(await store.intake.open(opening)).toMatchObject({ id: opened.id, repeated: true });
      await expect(store.intake.append('msg_1', [], { now: NOW })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    });
  });

  describe(`${name}: queue`, () => {
    it('gives each delivery to one owner, in the order in which they are due', async () => {
      const { store, accept, owner } = await bench();
      await accept({ recipients: [recipientOf('late@example.com')], now: NOW + 5 });
      await accept({ recipients: ['a', 'b', 'c'].map((one) => recipientOf(`${one}@example.com`)) });
      const [one, other] = [await owner(), await owner()];
      const first = await claim(store, one, NOW + 10, 3);
      expect(first.map(({ address }) => address)).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
      expect((await claim(store, other, NOW + 10)).map(({ address }) => address)).toEqual(['late@example.com']);
      expect(await claim(store, one, NOW + 10)).toEqual([]);
    });

    it('gives what the recipient has of its own', async () => {
      const { store, accept, owner } = await bench();
      const own = { name: 'Ada', data: { points: 7 }, locale: 'fr', tracking: { opens: false } };
      await accept({ recipients: [{ ...recipientOf('ada@example.com'), ...own }] });
      const [claimed] = await claim(store, await owner());
      expect(claimed).toMatchObject({ ...own, kind: 'to', attempts: 0, acceptedAt: NOW });
      expect(await store.log.delivery(claimed?.id ?? 0)).toMatchObject(own);
      expect(await store.log.content(claimed?.messageId ?? 0)).toEqual(contentOf());
    });

    it('keeps results with their transcript, and counts them', async () => {
      const { store, accept, owner } = await bench();
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
      expect(store.suppressions.find('c@example.com', ['all'])).toMatchObject({
        reason: 'bounced',
        evidence: BOUNCED.reply,
      });
      expect(store.queue.nextDueAt(LANE)).toBe(DEFERRED.retryAt);
      const [again] = await claim(store, me, DEFERRED.retryAt);
      await store.queue.settle([settlement(again as ClaimedDelivery, DEFERRED)], { owner: me, now: NOW });
      expect(await store.reports.campaign('spring')).toMatchObject({ deferred: 1, deferrals: 2 });
    });

    it('takes no result from who does not hold the delivery', async () => {
      const { store, accept, owner } = await bench();
      await accept();
      const [one, other] = [await owner(), await owner()];
      const [claimed] = (await claim(store, one)) as [ClaimedDelivery];
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: other, now: NOW })).toEqual([]);
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: one, now: NOW })).toHaveLength(1);
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: one, now: NOW })).toEqual([]);
    });

    it('takes back what a silent owner held, once its lease is over', async () => {
      const { store, accept, owner } = await bench();
      await accept();
      const [dead, alive] = [await owner(), await owner()];
      const [claimed] = (await claim(store, dead)) as [ClaimedDelivery];
      const beat = (now: number) => store.queue.beat(alive, { now, leaseMs: 1000 });
      expect(await beat(NOW + 1000)).toEqual({ alive: true, recovered: 0 });
      expect(await claim(store, alive, NOW + 1000)).toEqual([]);
      expect(await beat(NOW + 1001)).toEqual({ alive: true, recovered: 1 });
      expect(await claim(store, alive, NOW + 1001)).toMatchObject([{ id: claimed.id, attempts: 0 }]);
      expect(await store.queue.settle([settlement(claimed, SENT)], { owner: dead, now: NOW })).toEqual([]);
      expect(await store.queue.beat(dead, { now: NOW, leaseMs: 1000 })).toMatchObject({ alive: false });
    });

    it('gives nothing from a lane that is paused', async () => {
      const { store, accept, owner } = await bench();
      await accept();
      const me = await owner();
      await store.queue.pause(LANE, true);
      expect([await claim(store, me), store.queue.nextDueAt(LANE)]).toEqual([[], undefined]);
      expect(await store.queue.lanes()).toEqual([{ ...LANE, paused: true, waiting: 1, sending: 0, oldestDueAt: NOW }]);
      await store.queue.pause(LANE, false);
      expect(await claim(store, me)).toHaveLength(1);
      expect(await store.queue.lanes()).toMatchObject([
        { paused: false, waiting: 0, sending: 1, oldestDueAt: undefined },
      ]);
    });

    it('moves what waits for a route that is gone, and counts its starts for the new one', async () => {
      const { store, accept } = await bench();
      await accept();
      expect(await store.queue.reroute(['new'], 'new')).toBe(1);
      const rates = { new: { limit: 1, windowMs: 1000 } };
      const me = await store.queue.register({ pid: 1, host: 'here', rates }, NOW);
      const lane = { route: 'new', stream: 'transactional' } as const;
      const [claimed] = (await store.queue.claim({ lane, limit: 1, owner: me, now: NOW })) as [ClaimedDelivery];
      await store.queue.settle([settlement(claimed, SENT)], { owner: me, now: NOW + 60 });
      expect((await store.log.list({ limit: 1 })).items).toMatchObject([{ route: 'new', state: 'sent' }]);
      expect(store.queue.nextSlotAt(lane, NOW + 60)).toBeGreaterThan(NOW + 1000);
    });
  });

  describe(`${name}: log`, () => {
    it('lists by what is asked, newest first, in pages', async () => {
      const { store, accept } = await bench();
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
      const { store, accept, owner } = await bench();
      const { id } = await accept({ campaign: 'spring' });
      const apply = (
        by: 'cancel' | 'hold' | 'release' | 'retry',
        selection: { id: string } | { campaign: string } = { id },
      ) => store.log.apply(selection, by, { now: NOW, reason: 'asked for' });
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

  describe(`${name}: suppressions`, () => {
    const entry = { scope: 'all', reason: 'manual', evidence: 'asked by phone' } as const;

    it('stop what waits, and only what they cover', async () => {
      const { store, accept } = await bench();
      await accept({ content: contentOf({ stream: 'broadcast', topic: 'news' }), campaign: 'spring' });
      await accept({ content: contentOf({ stream: 'broadcast', topic: 'offers' }) });
      const events = await store.suppressions.add({ ...entry, address: 'ada@example.com', scope: 'topic:news' }, NOW);
      expect(events).toMatchObject([{ type: 'suppressed', campaign: 'spring' }]);
      expect((await store.log.list({ limit: 10 })).items.map(({ state }) => state)).toEqual(['queued', 'suppressed']);
      expect(await store.reports.campaign('spring')).toMatchObject({ suppressed: 1 });
    });

    it('are found whatever the case, listed in pages, and removed by scope or all at once', async () => {
      const { store } = await bench();
      for (const address of ['a@example.com', 'b@example.com', 'c@example.com'])
        for (const scope of ['all', 'broadcast']) await store.suppressions.add({ ...entry, address, scope }, NOW);
      expect(store.suppressions.find('A@Example.COM', ['transactional', 'all'])).toEqual({
        ...entry,
        address: 'a@example.com',
        since: new Date(NOW),
      });
      expect(store.suppressions.find('a@example.com', ['topic:x'])).toBeUndefined();
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
      expect(await store.suppressions.remove('a@example.com', 'all')).toBe(1);
      expect(await store.suppressions.remove('b@example.com')).toBe(2);
      expect((await store.suppressions.list({ limit: 10 })).items).toHaveLength(3);
    });
  });

  describe(`${name}: activity and reports`, () => {
    const human = { kind: 'human', evidence: 'browser', userAgent: 'Firefox' } as const;
    const bot = { kind: 'bot', evidence: 'isbot', userAgent: 'curl' } as const;

    async function read() {
      const { store, accept } = await bench();
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
      expect(store.activity.look(1, NOW)).toBeUndefined();
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

    it('sum per day and stream', async () => {
      const { store, accept } = await bench();
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

  describe(`${name}: blobs`, () => {
    it('keep bytes under a key, the first of them, and only the newest when trimmed', async () => {
      const { store } = await bench();
      const { blobs } = store;
      await blobs.put('captured', 'one', Buffer.from('first'));
      await blobs.put('captured', 'one', Buffer.from('second'));
      await blobs.put('captured', 'two', Buffer.from([0, 255]));
      expect(Buffer.from((await blobs.get('captured', 'one')) ?? []).toString()).toBe('first');
      expect([await blobs.has('captured', 'two'), await blobs.has('template', 'two')]).toEqual([true, false]);
      expect((await blobs.list('captured', 10)).map(({ key, bytes }) => [key, bytes])).toEqual([
        ['two', 2],
        ['one', 5],
      ]);
      await blobs.trim('captured', 1);
      expect((await blobs.list('captured', 10)).map(({ key }) => key)).toEqual(['two']);
    });
  });
}
