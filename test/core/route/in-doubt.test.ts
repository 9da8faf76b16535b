import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../packages/core/src/deliver/port.ts';
import { createSiteMoves } from '../../../packages/core/src/engine/site-moves.ts';
import { createWays } from '../../../packages/core/src/engine/ways.ts';
import { type MailRelay, type MailRelayOptions, smtp } from '../../../packages/core/src/index.ts';
import { createBreakers } from '../../../packages/core/src/route/breakers.ts';
import type { Store } from '../../../packages/core/src/store/port.ts';
import { contentOf } from '../../support/content.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';
import { clockedRelay, SAID, scripted } from '../../support/scripted.ts';
import { politely, rawServer, smtpServer } from '../../support/smtp.ts';

const HOUR = 3_600_000;
const mail = { subject: 'Hi', text: 'Hello' } as const;
const people = (count: number) => Array.from({ length: count }, (_, index) => `r${index}@example.org`);
const deliveriesOf = async (relay: MailRelay, id: string) => (await relay.messages.get(id))?.deliveries ?? [];

/** Two routes, the first of which says what a test wants, with mails that it may have. */
async function doubtful(count: number, options: MailRelayOptions = {}) {
  const said: { first: Outcome; tried: number; backup: number } = { first: SAID.unknown, tried: 0, backup: 0 };
  const routes = [
    scripted('first', ({ envelope }) => {
      if (envelope.to.startsWith('well')) return SAID.sent;
      said.tried += 1;
      return said.first;
    }),
    scripted('backup', () => {
      said.backup += 1;
      return SAID.sent;
    }),
  ];
  const all = clockedRelay({ routes, ...options });
  const ids: string[] = [];
  for (const to of people(count)) {
    ids.push((await all.relay.send({ ...mail, to })).id);
    await all.waiting.settled();
    if (count === 1) break;
    // Other mail arrives, so that the route seems to work.
    await all.relay.send({ ...mail, to: `well-${to}` });
    await all.waiting.settled();
  }
  return { ...all, said, ids };
}

describe('a mail that a server may have', () => {
  it('is never given to another route, though its own is down for hours', async () => {
    const { relay, clock, said, ids } = await doubtful(1);
    const [id = ''] = ids;
    said.first = SAID.down;
    const { deliveries } = await relay.send({ ...mail, to: people(5).map((to) => `other-${to}`) });
    await clock.advance(6 * HOUR);
    expect(await deliveriesOf(relay, id)).toMatchObject([{ state: 'deferred', route: 'first', inDoubt: true }]);
    expect((await relay.messages.explain(id))?.summary).toContain('by first alone, whose server may have it');
    const { items } = await relay.messages.list({ state: 'sent' });
    expect(items.map(({ route }) => route)).toEqual(deliveries.map(() => 'backup'));
    said.first = SAID.sent;
    await clock.advance(12 * HOUR);
    const [own] = await deliveriesOf(relay, id);
    expect(own).toMatchObject({ state: 'sent', route: 'first' });
    expect(own).not.toHaveProperty('inDoubt');
    expect(said.tried).toBeLessThan(200);
  });

  it('may be sent by another route where an operator says so, also while it waits for its own', async () => {
    const { relay, clock, said, ids } = await doubtful(4);
    said.first = SAID.login;
    await clock.advance(HOUR);
    for (const id of ids) {
      expect(await deliveriesOf(relay, id)).toMatchObject([{ state: 'deferred', route: 'first', inDoubt: true }]);
      await relay.messages.retry(id);
    }
    await clock.advance(HOUR);
    for (const id of ids) {
      const [own] = await deliveriesOf(relay, id);
      expect(own).toMatchObject({ state: 'sent', route: 'backup' });
      expect(own).not.toHaveProperty('inDoubt');
    }
  });

  it('ends when it is too old, though its route does not work', async () => {
    const { relay, clock, said, ids } = await doubtful(20, { queue: { maxAgeMs: 2 * HOUR } });
    said.first = SAID.down;
    await clock.advance(3 * HOUR);
    for (const id of ids)
      expect(await deliveriesOf(relay, id)).toMatchObject([{ state: 'failed', route: 'first', inDoubt: true }]);
    expect(said.backup).toBe(0);
  });

  it.each([
    ['complained', { type: 'complained' }, 'complained'],
    ['bounced', { type: 'bounced', reply: '550 5.1.1 User unknown' }, 'bounced'],
  ] as const)('was taken where it has %s since', async (_, event, state) => {
    const { relay, clock, said, ids } = await doubtful(1, { tracking: { opens: false } });
    const [id = ''] = ids;
    const [own] = await deliveriesOf(relay, id);
    expect(await relay.messages.feedback(own?.id ?? '', event)).toBe(true);
    const tried = said.tried;
    await clock.advance(12 * HOUR);
    expect(await deliveriesOf(relay, id)).toMatchObject([{ state, route: 'first' }]);
    expect(said.tried).toBe(tried);
    expect((await relay.suppressions.list()).items).toMatchObject([{ address: people(1)[0] }]);
    const events = (await relay.messages.get(id))?.events.map(({ type }) => type);
    expect(events).toEqual(['accepted', 'deferred', 'sent', state]);
    expect(await relay.reports.summary()).toMatchObject({ accepted: 1, tried: 1, sent: 1, pending: 0, [state]: 1 });
  });

  it.each([
    ['complained', { type: 'complained' }],
    ['bounced', { type: 'bounced', reply: '552 5.2.2 Mailbox full' }],
  ] as const)('was taken where it has %s while it was tried', async (state, event) => {
    const answer = Promise.withResolvers<Outcome>();
    let tried = 0;
    const first = scripted('first', () => {
      tried += 1;
      return answer.promise;
    });
    const { relay, clock } = clockedRelay({ routes: [first, scripted('backup', () => SAID.sent)] });
    const { id, deliveries } = await relay.send({ ...mail, to: 'ada@example.org' });
    await expect.poll(() => tried).toBe(1);
    await relay.messages.feedback(deliveries[0]?.id ?? '', event);
    answer.resolve(SAID.unknown);
    await expect.poll(async () => (await deliveriesOf(relay, id))[0]?.state).toBe(state);
    await clock.advance(12 * HOUR);
    expect(tried).toBe(1);
    expect(await deliveriesOf(relay, id)).toMatchObject([{ state, route: 'first', attempts: 1 }]);
    expect(await relay.reports.summary()).toMatchObject({ accepted: 1, tried: 1, sent: 1, pending: 0, [state]: 1 });
  });

  it.each(['cancelled', 'failed'] as const)('has its complaint heard where it is %s', async (state) => {
    const { relay, clock, ids } = await doubtful(1, { queue: { maxAgeMs: 2 * HOUR } });
    const [id = ''] = ids;
    const [own] = await deliveriesOf(relay, id);
    if (state === 'cancelled') await relay.messages.cancel(id);
    else await clock.advance(4 * HOUR);
    expect(await deliveriesOf(relay, id)).toMatchObject([{ state }]);
    await relay.messages.feedback(own?.id ?? '', { type: 'complained' });
    expect((await relay.suppressions.list()).items).toMatchObject([{ address: people(1)[0] }]);
    expect(await deliveriesOf(relay, id)).toMatchObject([{ state }]);
  });

  it('leaves by another route where its own is gone, and only by one that takes it', async () => {
    const store = join(scratchFolder(), 'a.db');
    const news = scripted('news', () => SAID.sent, { takes: { stream: 'broadcast' } });
    const before = clockedRelay({ store, routes: [news, scripted('old', () => SAID.unknown)] });
    const { id } = await before.relay.send({ ...mail, to: 'ada@example.org' });
    await before.waiting.settled();
    expect(await deliveriesOf(before.relay, id)).toMatchObject([{ route: 'old', inDoubt: true }]);
    await before.relay.stop();
    const start = Date.parse('2026-03-02T01:00:00Z');
    const after = clockedRelay({ store, routes: [news, scripted('rest', () => SAID.sent)] }, start);
    await after.relay.start();
    await after.clock.advance(HOUR);
    expect(await deliveriesOf(after.relay, id)).toMatchObject([{ state: 'sent', route: 'rest' }]);
  });

  it('is one whose answer had not come when the process stopped', async () => {
    const store = join(scratchFolder(), 'a.db');
    const at = (port: number, name: string) => smtp({ host: '127.0.0.1', port, ignoreTls: true }, { name });
    const server = await rawServer(politely((line) => (line === '.' ? null : undefined)));
    const unreached = await rawServer(() => {});
    const before = relayWith({ store, routes: [at(server.port, 'first'), at(unreached.port, 'second')] });
    const { id } = await before.send({ ...mail, to: 'ada@example.org' });
    const { id: other } = await before.send({ ...mail, to: 'bob@example.org', route: 'second' });
    await expect.poll(() => server.lines.includes('.'), { timeout: 10_000 }).toBe(true);
    await expect.poll(async () => (await deliveriesOf(before, other))[0]?.state, { timeout: 10_000 }).toBe('sending');
    await before.stop({ timeoutMs: 300 });
    const after = relayWith({ store, queue: { deliver: false } });
    expect(await deliveriesOf(after, id)).toMatchObject([{ state: 'deferred', inDoubt: true }]);
    const [unsent] = await deliveriesOf(after, other);
    expect(unsent).toMatchObject({ state: 'queued' });
    expect(unsent).not.toHaveProperty('inDoubt');
    await after.stop();
    const backup = await smtpServer();
    const last = relayWith({ store, routes: [at(1, 'first'), at(backup.port, 'second')] });
    await last.start();
    await expect.poll(() => backup.mails.map(({ to }) => to), { timeout: 10_000 }).toEqual(['bob@example.org']);
    await expect.poll(async () => (await deliveriesOf(last, id))[0]?.attempts, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await deliveriesOf(last, id)).toMatchObject([{ state: 'deferred', route: 'first', inDoubt: true }]);
  });
});

describe('a server that does not say what became of mails', () => {
  it('gets no more of them after three, and one from time to time', async () => {
    const { relay, clock, said } = await doubtful(1);
    for (const to of people(50)) {
      await relay.send({ ...mail, to: `new-${to}` });
      await clock.advance(60_000);
    }
    const { breakers, failing } = await relay.health();
    expect(breakers.first).toMatchObject({ state: 'open' });
    expect(failing).toMatchObject([{ route: 'first', reason: 'unknown' }]);
    expect(said.backup).toBeGreaterThan(30);
    const { items } = await relay.messages.list({ limit: 100 });
    expect(items.filter(({ inDoubt }) => inDoubt).length).toBeLessThan(15);
  });

  it('does not hide that its route does not work', async () => {
    const { relay, said, waiting } = await doubtful(1);
    said.first = SAID.down;
    await relay.send({ ...mail, to: 'b@example.org', route: 'first' });
    await waiting.settled();
    expect((await relay.health()).failing).toHaveLength(1);
    said.first = SAID.unknown;
    await relay.send({ ...mail, to: 'c@example.org', route: 'first' });
    await waiting.settled();
    expect((await relay.health()).failing).toHaveLength(1);
  });
});

it('mail that was never tried is tried once, however old it is, where routes do not work for a while', async () => {
  let up = true;
  const say = (): Outcome => (up ? SAID.sent : SAID.down);
  const { relay, clock } = clockedRelay({ routes: [scripted('first', say), scripted('backup', say)] });
  const sendAt = new Date(clock.now() + 240 * HOUR);
  const ids: string[] = [];
  for (const to of people(20)) ids.push((await relay.send({ ...mail, to, sendAt })).id);
  await clock.advance(240 * HOUR - 120_000);
  up = false;
  // Other mail finds out that nothing goes.
  for (const to of people(8)) await relay.send({ ...mail, to: `other-${to}` });
  await clock.advance(150_000);
  up = true;
  await clock.advance(HOUR);
  for (const id of ids) expect((await deliveriesOf(relay, id))[0]?.attempts).toBeGreaterThan(0);
});

describe('in its own words', () => {
  const clock = { now: () => 0 };
  const routes = [
    smtp('smtp://localhost:1', { name: 'news', takes: { stream: 'broadcast' } }),
    smtp('smtp://localhost:2', { name: 'rest' }),
  ];
  const labels = () => ({ campaign: undefined, tags: [] });
  const one = { content: contentOf({ stream: 'transactional' }), address: 'ada@example.org', labels };
  const news = { ...one, content: contentOf({ stream: 'broadcast' }) };

  it.each([
    ['moves a mail', undefined],
    ['keeps a mail that a server may have', true],
  ] as const)('a route %s', (_, inDoubt) => {
    const breakers = createBreakers(clock);
    const ways = createWays(routes, breakers, clock);
    const kept = inDoubt === true;
    // The route does not take it any more, ...
    expect(ways.astray('news', { ...one, inDoubt }, 0)).toBe(kept ? undefined : 'rest');
    // ... has sent what it may, ...
    expect(ways.beyond('news', { ...news, inDoubt }, 0)).toEqual(kept ? undefined : { movedTo: 'rest' });
    // ... has failed it, ...
    const { next, later } = ways.enter('news', { ...news, inDoubt }, 0).onward(0);
    expect([next, later]).toEqual([kept ? undefined : 'rest', undefined]);
    // ... or does not work.
    breakers.of('news').failed(0, true);
    expect(ways.enter('news', { ...news, inDoubt }, 0).closed).toEqual(kept ? { dueAt: 5000 } : { movedTo: 'rest' });
    // One mail is on its way to find out.
    expect(breakers.of('news').pass(6000)).toBe('probe');
    expect(ways.enter('news', { ...news, inDoubt }, 7000).closed).toEqual(
      kept ? { dueAt: 12_000 } : { movedTo: 'rest' },
    );
  });

  it('what waits is not moved by its site', async () => {
    const waiting = (id: number, inDoubt?: true) => ({ id, messageId: 1, address: '', domain: '', dueAt: 0, inDoubt });
    const moved: unknown[] = [];
    const store = {
      log: { content: async () => one.content, labels },
      sites: { reroute: async (_: unknown, moves: unknown) => void moved.push(moves) },
    } as unknown as Pick<Store, 'log' | 'sites'>;
    const moves = createSiteMoves({
      store,
      siteWays: {
        isAsked: () => true,
        turn: async (_, { inDoubt }) => (inDoubt === true ? { type: 'stays' } : { type: 'moves', to: 'rest' }),
      },
      routes: [],
      clock: { now: () => 0, every: () => () => {} },
      log: () => {},
      onMoved: () => {},
    });
    const lane = { route: 'news', stream: 'broadcast' } as const;
    expect(await moves.divert(lane, [waiting(1), waiting(2, true)])).toEqual(new Set([1]));
    expect(moved).toEqual([new Map([['rest', [1]]])]);
  });
});
