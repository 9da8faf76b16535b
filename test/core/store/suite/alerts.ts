import { describe, expect, it } from 'vitest';
import type { RateRule } from '../../../../packages/core/src/alert-options.ts';
import type { Alert, Warning } from '../../../../packages/core/src/index.ts';
import { decodeId } from '../../../../packages/core/src/message.ts';
import type { Store } from '../../../../packages/core/src/store/port.ts';
import { resolveSuppression } from '../../../../packages/core/src/suppression-policy.ts';
import { contentOf, recipientOf } from '../../../support/content.ts';
import { benchOn, type OpenStore, NOW as START, turnRequest } from './bench.ts';

/** In the middle of an hour. */
const NOW = START + 1_800_000;
const HOUR = 3_600_000;
const windowMs = 72 * HOUR;
const policy = resolveSuppression({ hardBounces: false, softBounces: false, complaints: false });
const RULES: readonly RateRule[] = [
  { kind: 'complaint-rate', thresholds: [0.001, 0.003], minVolume: 1000 },
  { kind: 'hard-bounce-rate', thresholds: [0.02], minVolume: 100 },
];

/** Sends mails of a campaign, of which some bounce hard; answers the ids of those that left. */
export async function bouncedAndSent(
  store: Store,
  sent: number,
  bounced: number,
  at: number,
  campaign = 'spring',
): Promise<string[]> {
  const { id } = await store.intake.open({
    content: contentOf({ stream: 'broadcast' }),
    campaign,
    tags: [],
    metadata: undefined,
    sendAt: undefined,
    idempotencyKey: undefined,
    route: 'out',
    now: at,
  });
  const recipients = Array.from({ length: sent + bounced }, (_, number) => recipientOf(`r${number}.${at}@example.net`));
  const appended = await store.intake.append(id, recipients, { now: at });
  const ids = appended.flatMap((one) => ('id' in one ? [one.id] : []));
  const owner = await store.queue.register({ pid: 1, host: 'here', rates: {} }, at);
  await store.queue.claim({ lane: { route: 'out', stream: 'broadcast' }, limit: ids.length, owner, now: at });
  const gone = {
    type: 'bounced',
    kind: 'hard',
    reply: '550 no',
    status: undefined,
    reason: 'no-such-mailbox',
    suppress: true,
  } as const;
  await store.queue.settle(
    ids.map((one, number) => ({
      deliveryId: decodeId('dlv', one) ?? 0,
      startedAt: at,
      transcript: undefined,
      result: number < sent ? ({ type: 'sent', reply: '250 ok' } as const) : gone,
    })),
    { owner, now: at },
  );
  return ids.slice(0, sent);
}

async function complain(store: Store, ids: readonly string[], at: number): Promise<void> {
  await store.feedback.receive(
    ids.map((deliveryId) => ({ type: 'complained', id: `c ${deliveryId}`, at, source: 'ses', deliveryId })),
    { now: at, policy },
  );
}

/** Looks for rates that are too high. */
export const look = (store: Store, now: number) => store.alerts.check({ now, windowMs, rules: RULES });
/** Alerts in a few words. */
export const brief = (alerts: readonly Alert[]) =>
  alerts.map(({ state, kind, threshold, stream, campaign }) => `${state} ${kind} ${threshold} ${stream ?? campaign}`);

/** What alerts and warnings have to do. */
export function alertsSuite(name: string, open: OpenStore): void {
  describe(`${name}: alerts`, () => {
    it('are raised as a rate passes a threshold, once, by stream and by campaign', async () => {
      const store = (await benchOn(open)).store;
      const ids = await bouncedAndSent(store, 2000, 0, NOW);
      await complain(store, ids.slice(0, 2), NOW + 1);
      expect(await look(store, NOW + 2)).toEqual([]);
      await complain(store, ids.slice(2, 3), NOW + 3);
      const raised = await look(store, NOW + 4);
      expect(brief(raised).sort()).toEqual([
        'raised complaint-rate 0.001 broadcast',
        'raised complaint-rate 0.001 spring',
      ]);
      expect(raised[0]).toMatchObject({ rate: 0.0015, count: 3, of: 2000, windowMs, since: new Date(NOW + 4) });
      // The same complaints again, in another order, are no more complaints.
      await complain(store, ids.slice(0, 3).toReversed(), NOW + 5);
      expect(await look(store, NOW + 6)).toEqual([]);
      await complain(store, ids.slice(3, 7), NOW + 7);
      expect(brief(await look(store, NOW + 8)).sort()).toEqual([
        'raised complaint-rate 0.003 broadcast',
        'raised complaint-rate 0.003 spring',
      ]);
      expect(store.alerts.open()).toHaveLength(4);
    });

    it('need enough mail, and hard bounces count by all that was tried', async () => {
      const store = (await benchOn(open)).store;
      await bouncedAndSent(store, 90, 9, NOW, 'small');
      expect(await look(store, NOW + 1)).toEqual([]);
      await bouncedAndSent(store, 1000, 11, NOW + 2);
      expect(brief(await look(store, NOW + 3))).toEqual([]);
      await bouncedAndSent(store, 0, 12, NOW + 4);
      const found = await look(store, NOW + 5);
      expect(brief(found).sort()).toEqual([
        'raised hard-bounce-rate 0.02 broadcast',
        'raised hard-bounce-rate 0.02 spring',
      ]);
      expect(found.find(({ campaign }) => campaign === 'spring')).toMatchObject({ count: 23, of: 1023 });
    });

    it('do not flap: they are resolved well under the threshold, or as the window has moved on', async () => {
      const store = (await benchOn(open)).store;
      await bouncedAndSent(store, 970, 30, NOW);
      const [raised] = await look(store, NOW + 1);
      expect(await bouncedAndSent(store, 700, 0, NOW + 2)).toHaveLength(700);
      // 30 of 1,700 are 1.8 %: under the threshold, and not well under it.
      expect(await look(store, NOW + 3)).toEqual([]);
      await bouncedAndSent(store, 0, 10, NOW + 4);
      expect(await look(store, NOW + 5)).toEqual([]);
      await bouncedAndSent(store, 1000, 0, NOW + 6);
      const resolved = await look(store, NOW + 7);
      expect(brief(resolved).sort()).toEqual([
        'resolved hard-bounce-rate 0.02 broadcast',
        'resolved hard-bounce-rate 0.02 spring',
      ]);
      expect(resolved.find(({ id }) => id === raised?.id)).toMatchObject({
        count: 40,
        of: 2710,
        since: new Date(NOW + 1),
        at: new Date(NOW + 7),
      });
      expect(store.alerts.open()).toEqual([]);

      await bouncedAndSent(store, 0, 200, NOW + 8);
      expect(await look(store, NOW + 9)).toHaveLength(2);
      expect(await look(store, NOW + 71 * HOUR)).toEqual([]);
      expect(brief(await look(store, NOW + 73 * HOUR)).sort()).toEqual([
        'resolved hard-bounce-rate 0.02 broadcast',
        'resolved hard-bounce-rate 0.02 spring',
      ]);
    });

    it('count a complaint for when its mail was sent, so that late ones do not outlive their mail', async () => {
      const store = (await benchOn(open)).store;
      const ids = await bouncedAndSent(store, 1000, 0, NOW);
      await bouncedAndSent(store, 1000, 0, NOW + 71 * HOUR, 'later');
      await complain(store, ids.slice(0, 10), NOW + 71 * HOUR);
      expect(brief(await look(store, NOW + 71 * HOUR + 1)).length).toBe(4);
      expect(brief(await look(store, NOW + 73 * HOUR)).every((text) => text.startsWith('resolved'))).toBe(true);
      expect(store.alerts.open()).toEqual([]);
    });

    it('that nobody looks for any more are resolved as any other', async () => {
      const store = (await benchOn(open)).store;
      await bouncedAndSent(store, 500, 50, NOW);
      expect(await look(store, NOW + 1)).toHaveLength(2);
      const off = { now: NOW + 2, windowMs, rules: [] };
      expect(await store.alerts.check(off)).toEqual([]);
      expect(await store.alerts.check({ ...off, now: NOW + 80 * HOUR })).toHaveLength(2);
    });

    const holdMs = 15_000;
    const warning: Warning = {
      reason: 'blocked-ip',
      route: 'out',
      site: undefined,
      count: 3,
      firstAt: new Date(NOW),
      lastAt: new Date(NOW + 5),
      example: { deliveryId: undefined, reply: '554 5.7.1 blocked', status: '5.7.1', source: 'smtp' },
    };

    it('are to be told until they were, by one at a time, and as long as it takes', async () => {
      const { store } = await benchOn(open);
      expect(await store.alerts.untold({ now: NOW, holdMs })).toEqual({ notices: [], nextAt: undefined });
      await bouncedAndSent(store, 500, 50, NOW);
      const found = await look(store, NOW + 1);
      const { notices } = await store.alerts.untold({ now: NOW + 2, holdMs });
      expect(notices.map((notice) => (notice.type === 'alert' ? notice.alert : notice))).toEqual(found);
      expect(await store.alerts.untold({ now: NOW + 3, holdMs })).toEqual({ notices: [], nextAt: NOW + 2 + holdMs });
      const [one, other] = notices;
      await store.alerts.told([one?.id ?? '']);
      expect((await store.alerts.untold({ now: NOW + 80 * HOUR, holdMs })).notices).toEqual([other]);
      // By a clock that was set back, it is held for no longer.
      expect((await store.alerts.untold({ now: NOW, holdMs })).notices).toEqual([other]);
      await store.alerts.told([other?.id ?? '']);
      expect(await store.alerts.untold({ now: NOW + 99 * HOUR, holdMs })).toEqual({ notices: [], nextAt: undefined });
    });

    it('and warnings go to the subscriptions that name them, in their order, and stay until those have them', async () => {
      const { store } = await benchOn(open);
      await store.alerts.warn(warning, NOW);
      const types = ['alert', 'warning'] as const;
      const subscription = { name: 'ops', kind: 'handler', types } as const;
      await store.subscriptions.declare(subscription, NOW);
      await store.subscriptions.declare({ name: 'mails', kind: 'handler', types: ['bounced'] }, NOW);
      await store.alerts.warn(warning, NOW + 1);
      await bouncedAndSent(store, 500, 50, NOW + 2);
      const found = await look(store, NOW + 3);
      await store.alerts.told((await store.alerts.untold({ now: NOW + 4, holdMs })).notices.map(({ id }) => id));
      // Others come, and what is old and told is swept by the way.
      await store.alerts.warn(warning, NOW + 9 * 24 * HOUR);
      const turn = await store.subscriptions.turn(turnRequest({ subscription, now: NOW + 9 * 24 * HOUR }));
      expect(turn.events.map(({ event }) => event)).toMatchObject([
        { type: 'warning', warning, at: new Date(NOW + 1) },
        ...found.map((alert) => ({ type: 'alert', alert })),
        { type: 'warning', at: new Date(NOW + 9 * 24 * HOUR) },
      ]);
      const mails = { name: 'mails', kind: 'handler', types: ['bounced'] } as const;
      const bounces = await store.subscriptions.turn(turnRequest({ subscription: mails, want: 100 }));
      expect(new Set(bounces.events.map(({ event }) => event.type))).toEqual(new Set(['bounced']));
    });
  });
}
