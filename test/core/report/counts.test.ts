import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../packages/core/src/events.ts';
import type { FeedbackEvent } from '../../../packages/core/src/feedback/event.ts';
import type { Stream } from '../../../packages/core/src/message.ts';
import type { Settlement } from '../../../packages/core/src/queue/port.ts';
import type { Store, WayMetric } from '../../../packages/core/src/store/port.ts';
import { createSqliteStore } from '../../../packages/core/src/store/sqlite/store.ts';
import { resolveSuppression } from '../../../packages/core/src/suppression-policy.ts';
import { contentOf, recipientOf } from '../../support/content.ts';
import { scratchFolder } from '../../support/relay.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ROUTES = ['one', 'two'];
const STREAMS: readonly Stream[] = ['transactional', 'broadcast'];
const DOMAINS = ['example.net', 'Example.org', 'gmail.com', 'münchen.example', 'sub.example.net'];
const span = { from: NOW - 10 * DAY, to: NOW + 30 * DAY };

type Random = (below: number) => number;

function random(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

const open = async (path: string, waysPerDay?: number): Promise<Store> => {
  const store = createSqliteStore({
    path,
    messageIdOf: ({ messageId }) => `<${messageId}@example.com>`,
    providerOf: (route) => (route === 'one' ? 'ses' : 'smtp'),
    siteOf: (domain) => (domain === 'gmail.com' ? 'google' : undefined),
    ...(waysPerDay === undefined ? {} : { waysPerDay }),
  });
  await store.open();
  return store;
};

const RESULTS: readonly ((now: number) => Settlement['result'])[] = [
  () => ({ type: 'sent', reply: '250 ok' }),
  () => ({ type: 'sent', reply: '250 ok' }),
  (now) => ({ type: 'deferred', retryAt: now + HOUR, reply: '451 later', status: undefined, reason: 'greylisted' }),
  (now) => ({
    ...{ type: 'deferred', retryAt: now, reply: '421 no', status: undefined, reason: 'network' },
    movedTo: now % 2 === 0 ? 'one' : 'two',
  }),
  () => ({
    type: 'bounced',
    kind: 'hard',
    reply: '550 no',
    status: '5.1.1',
    reason: 'no-such-mailbox',
    suppress: true,
  }),
  () => ({ type: 'bounced', kind: 'soft', reply: '550 no', status: '5.7.1', reason: 'policy', suppress: false }),
  () => ({ type: 'failed', reply: '451 later', status: undefined, reason: 'expired' }),
];

const FEEDBACK: readonly Partial<FeedbackEvent>[] = [
  { type: 'delivered' },
  { type: 'deferred', reason: 'greylisted' },
  { type: 'complained' },
  { type: 'bounced', kind: 'hard', reason: 'no-such-mailbox', fault: 'recipient' },
  { type: 'bounced', kind: 'soft', reason: 'mailbox-full', fault: 'recipient' },
  { type: 'failed', reason: 'expired' },
  { type: 'opened' },
  { type: 'opened', agent: { kind: 'bot', evidence: 'test', userAgent: undefined } },
  { type: 'clicked', url: 'https://example.com/a' },
  { type: 'unsubscribed' },
];

const policy = resolveSuppression({ hardBounces: false, softBounces: false, complaints: false });

/** Sends, defers, bounces, retries by hand, and takes feedback, some of it twice. */
async function happen(store: Store, next: Random, size: number): Promise<void> {
  const owner = await store.queue.register({ pid: 1, host: 'here', rates: {}, routes: ROUTES }, NOW);
  const ids: string[] = [];
  for (let number = 0; number < size; number++) {
    const { deliveries } = await store.intake.accept({
      content: contentOf({ stream: STREAMS[next(2)] as Stream }),
      campaign: [undefined, 'spring', 'autumn'][next(3)],
      tags: [],
      metadata: undefined,
      sendAt: undefined,
      idempotencyKey: undefined,
      recipients: [recipientOf(`reader${number}@${DOMAINS[next(DOMAINS.length)]}`)],
      route: ROUTES[next(2)] as string,
      now: NOW + number,
    });
    ids.push(deliveries[0]?.id ?? '');
  }
  const told: FeedbackEvent[] = [];
  for (let round = 0; round < 6; round++) {
    const now = NOW + round * 7 * HOUR;
    const claimed = (
      await Promise.all(
        ROUTES.flatMap((route) =>
          STREAMS.map((stream) => store.queue.claim({ lane: { route, stream }, limit: size, owner, now })),
        ),
      )
    ).flat();
    // What comes back may be faster than the answer of the server.
    for (let n = 0; n < size / 2; n++) told.push(fed(next, `${round} ${n}`, ids, now + next(HOUR)));
    await receive(store, next, told, now);
    await store.queue.settle(
      claimed.map(({ id }) => ({
        deliveryId: id,
        startedAt: now,
        transcript: undefined,
        result: (RESULTS[next(RESULTS.length)] as (typeof RESULTS)[number])(now + next(2)),
      })),
      { owner, now: now + 60_000 },
    );
    for (let n = 0; n < size / 10; n++) {
      const id = ids[next(ids.length)] as string;
      await store.log.apply({ id }, 'retry', { now: now + 120_000 }).catch((error: Error) => {
        expect(error).toMatchObject({ code: 'MESSAGE_STATE' });
      });
    }
    await receive(store, next, told, now + 2 * HOUR);
  }
}

function fed(next: Random, id: string, ids: readonly string[], at: number): FeedbackEvent {
  const kind = FEEDBACK[next(FEEDBACK.length)];
  return { type: 'delivered', ...kind, id, at, source: 'ses', deliveryId: ids[next(ids.length)] };
}

/** Any part of what was ever told, in any order. */
async function receive(store: Store, next: Random, told: readonly FeedbackEvent[], now: number): Promise<void> {
  const batch = told.filter(() => next(2) === 0).sort(() => next(3) - 1);
  await store.feedback.receive(batch, { now, policy });
}

interface Recounted {
  readonly names: Readonly<Record<'day' | 'stream' | 'campaign' | 'domain', string | undefined>>;
  readonly counts: Partial<Record<WayMetric, number>>;
}

/** What the events say, delivery by delivery. */
function recount(path: string): Recounted[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare(
      `select d.id, d.recipient, l.stream, c.name as campaign, e.type, e.detail, p.text as agent
       from delivery d
       join message m on m.id = d.message_id join lane l on l.id = d.lane_id
       left join campaign c on c.id = m.campaign_id join event e on e.delivery_id = d.id
       left join phrase p on p.id = e.detail ->> 'g' order by e.id`,
    )
    .all() as {
    id: number;
    recipient: string;
    stream: number;
    campaign: string | null;
    type: number;
    detail: string;
    agent: string | null;
  }[];
  db.close();
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((events) => {
    const named = events.map(({ type, detail, agent }) => ({
      type: EVENT_TYPES[type] as string,
      detail: JSON.parse(detail ?? '{}') as Record<string, unknown>,
      agent: JSON.parse(agent ?? '{}') as { kind?: string },
    }));
    const last = named.slice(named.findLastIndex(({ type }) => type === 'retried') + 1);
    const all = (type: string): number => named.filter((event) => event.type === type).length;
    const has = (type: string): 0 | 1 => (last.some((event) => event.type === type) ? 1 : 0);
    const once = (type: string): 0 | 1 => (all(type) > 0 ? 1 : 0);
    const people = (type: string): number =>
      named.filter((event) => event.type === type && event.agent.kind === 'human').length;
    const [sent, bounced, failed] = [has('sent'), has('bounced'), has('failed')];
    const { recipient, stream, campaign } = events[0] as (typeof events)[number];
    return {
      names: {
        day: undefined,
        stream: STREAMS[stream],
        campaign: campaign ?? undefined,
        domain: recipient.split('@')[1]?.toLowerCase(),
      },
      counts: {
        sent,
        bounced,
        failed,
        returned: sent * (bounced + failed),
        hardBounced: last.some(({ type, detail }) => type === 'bounced' && detail.k === 'hard') ? 1 : 0,
        deferrals: all('deferred'),
        deferred: named.some(({ type, detail }) => type === 'deferred' && detail.source === undefined) ? 1 : 0,
        complained: once('complained'),
        unsubscribed: all('unsubscribed'),
        resubscribed: 0,
        opensTotal: all('opened'),
        opensUnique: once('opened'),
        opensTotalHuman: people('opened'),
        opensUniqueHuman: Math.min(1, people('opened')),
        clicksTotal: all('clicked'),
        clicksUnique: once('clicked'),
        clicksTotalHuman: people('clicked'),
        clicksUniqueHuman: Math.min(1, people('clicked')),
      },
    };
  });
}

function sum(all: readonly Partial<Record<WayMetric, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all) for (const [metric, n] of Object.entries(counts)) sums[metric] = (sums[metric] ?? 0) + n;
  return sums;
}

const byName = (rows: readonly { name: string | undefined; counts: object }[]): Record<string, object> =>
  Object.fromEntries(rows.map(({ name, counts }) => [String(name), counts]));

describe('counts', () => {
  it.each([1, 2, 3, 4, 5])(
    'are those of the events by every dimension, whatever the order and repetition (%i)',
    async (seed) => {
      const path = join(scratchFolder(), 'relay.db');
      const store = await open(path);
      await happen(store, random(seed), 120);
      const truth = recount(path);
      const total = sum(truth.map(({ counts }) => counts));
      expect(total.returned).toBeGreaterThan(0);
      expect(total.hardBounced).toBeGreaterThan(0);
      const grouped = (name: 'stream' | 'domain' | 'campaign') =>
        Object.fromEntries(
          [...Map.groupBy(truth, ({ names }) => String(names[name]))].map(([key, rows]) => [
            key,
            sum(rows.map(({ counts }) => counts)),
          ]),
        );
      for (const by of ['day', 'stream', 'domain', 'site', 'route', 'provider'] as const)
        expect(sum((await store.reports.ways(by, span)).map(({ counts }) => counts)), by).toEqual(total);
      expect(byName(await store.reports.ways('domain', span))).toEqual(grouped('domain'));
      expect(byName(await store.reports.ways('stream', span))).toEqual(grouped('stream'));
      const sites = byName(await store.reports.ways('site', span));
      expect(sites.google).toEqual(grouped('domain')['gmail.com']);
      const { undefined: _, ...campaigns } = grouped('campaign');
      expect(byName(await store.reports.campaigns(span))).toMatchObject(campaigns);
      const days = await store.reports.days({ ...span, stream: undefined });
      expect(sum(days.map(({ counts }) => counts))).toMatchObject(total);
      // By route, stream and domain at once, too.
      const cells = await Promise.all(
        ROUTES.flatMap((route) => STREAMS.map((stream) => store.reports.ways('domain', { ...span, route, stream }))),
      );
      expect(sum(cells.flat().map(({ counts }) => counts))).toEqual(total);
      await store.close();
    },
  );

  it.each([3, 12])('name %i ways a day, and count the others together', async (waysPerDay) => {
    const path = join(scratchFolder(), 'relay.db');
    const store = await open(path, waysPerDay);
    await happen(store, random(7), 100);
    const total = sum(recount(path).map(({ counts }) => counts));
    const domains = await store.reports.ways('domain', span);
    expect(domains.some(({ name }) => name === undefined)).toBe(true);
    expect(sum(domains.map(({ counts }) => counts))).toEqual(total);
    for (const by of ['route', 'provider', 'stream'] as const)
      expect(sum((await store.reports.ways(by, span)).map(({ counts }) => counts)), by).toEqual(total);
    await store.close();
    const db = new DatabaseSync(path, { readOnly: true });
    const days = db.prepare('select count(*) as n from way_count group by day').all();
    db.close();
    // Those by name, and one for each route and stream.
    for (const { n } of days) expect(n).toBeLessThanOrEqual(waysPerDay + 4);
    expect(days.some(({ n }) => (n as number) >= waysPerDay)).toBe(true);
  });
});
