import { describe, expect, it, onTestFinished } from 'vitest';
import { capture, createMailRelay, type MailRelay, ses, smtp, sqlite } from '../../../packages/core/src/index.ts';
import { createTestRelay, type TestRelayOptions } from '../../../packages/core/src/testing/index.ts';
import { relayWith, scratchFolder } from '../../support/relay.ts';

const HOUR = 3_600_000;
const now = new Date('2026-01-05T12:00:00Z');
const bulk = { campaign: 'spring', subject: 'News', text: 'News' } as const;
const simulated = (name: string, count: number) =>
  Array.from({ length: count }, (_, number) => ({ to: `${name}+${number}@simulator.example` }));

async function kit(options: TestRelayOptions = {}) {
  const made = await createTestRelay({ now, ...options });
  onTestFinished(made.stop);
  return made;
}

/** Names and what is asked for of their rows. */
function column<Row extends { readonly name: string | undefined }, T>(rows: readonly Row[], of: (row: Row) => T) {
  return rows.map((row) => [row.name, of(row)] as const);
}

describe('reports by a dimension', () => {
  it('say what became of the mail of each domain, site, stream, day and campaign', async () => {
    const { relay, clock } = await kit();
    const others = ['ada@gmail.com', 'bob@Example.org', 'eve@example.org'].map((to) => ({ to }));
    await relay.sendMany([...simulated('missing', 2), ...simulated('full', 1), ...simulated('ok', 7), ...others], bulk);
    await relay.settled();
    await clock.advance(24 * HOUR);
    await relay.send({ to: 'ada@example.org', subject: 'Receipt', text: 'Thanks' });
    await relay.settled();

    const domains = await relay.reports.by('domain');
    expect(column(domains.rows, ({ tried }) => tried)).toEqual([
      ['simulator.example', 10],
      ['example.org', 3],
      ['gmail.com', 1],
    ]);
    const [worst] = domains.rows;
    expect(worst).toMatchObject({ sent: 7, bounced: 3, hardBounced: 2, returned: 0 });
    expect(worst?.rates).toMatchObject({ bounce: 0.3, hardBounce: 0.2, delivery: 0.7 });
    expect(domains.total).toMatchObject({ tried: 14, sent: 11, bounced: 3 });
    expect(domains.more).toBe(0);

    const sites = await relay.reports.by('site');
    expect(column(sites.rows, ({ tried }) => tried)).toEqual([
      [undefined, 13],
      ['google', 1],
    ]);
    const days = await relay.reports.by('day');
    expect(column(days.rows, ({ sent }) => sent)).toEqual([
      ['2026-01-05', 10],
      ['2026-01-06', 1],
    ]);
    const streams = await relay.reports.by('stream', { order: 'tried' });
    expect(column(streams.rows, ({ sent }) => sent)).toEqual([
      ['broadcast', 10],
      ['transactional', 1],
    ]);
    expect(column((await relay.reports.by('campaign')).rows, ({ bounced }) => bounced)).toEqual([['spring', 3]]);
    const ofCampaign = await relay.reports.by('day', { campaign: 'spring' });
    expect(column(ofCampaign.rows, ({ tried }) => tried)).toEqual([['2026-01-05', 13]]);
    const ofDomain = await relay.reports.by('day', { domain: 'example.org', stream: 'transactional' });
    expect(column(ofDomain.rows, ({ sent }) => sent)).toEqual([['2026-01-06', 1]]);
    const yesterday = await relay.reports.by('stream', { from: now, to: new Date('2026-01-06') });
    expect(column(yesterday.rows, ({ sent }) => sent)).toEqual([['broadcast', 10]]);
    expect((await relay.reports.by('route', { domain: 'nobody.example' })).rows).toEqual([]);
  });

  it('have the worst first, without rows that are too small to tell, and as many as are asked for', async () => {
    const { relay } = await kit();
    await relay.sendMany([...simulated('missing', 1), ...simulated('ok', 3), { to: 'ada@example.org' }], bulk);
    await relay.settled();
    const worst = await relay.reports.by('domain', { order: 'bounce', limit: 1 });
    expect(column(worst.rows, ({ rates }) => rates.bounce)).toEqual([['simulator.example', 0.25]]);
    expect(worst).toMatchObject({ more: 1, total: { tried: 5 } });
    const large = await relay.reports.by('domain', { order: 'name', minVolume: 2 });
    expect(large.rows.map(({ name }) => name)).toEqual(['simulator.example']);
  });

  it('count what bounces after it was taken as one delivery, and a hard bounce after a soft one as hard', async () => {
    const { relay, clock } = await kit();
    await relay.sendMany([...simulated('missing+async', 1), ...simulated('ok', 3)], bulk);
    await relay.settled();
    await clock.advance(HOUR);
    const report = await relay.reports.campaign('spring');
    expect(report).toMatchObject({ accepted: 4, pending: 0, sent: 4, bounced: 1, returned: 1, tried: 4 });
    expect(report.rates).toMatchObject({ delivery: 0.75, bounce: 0.25 });

    const { id } = await relay.send({ to: 'ada@example.org', subject: 'Hi', text: 'Hi' });
    const [delivery] = (await relay.when(id, 'sent')).deliveries;
    for (const reply of ['452 4.2.2 Mailbox full', '550 5.1.1 User unknown', '550 5.1.1 User unknown'])
      await relay.messages.feedback(delivery?.id ?? '', { type: 'bounced', reply });
    const { rows } = await relay.reports.by('stream', { stream: 'transactional' });
    expect(rows).toMatchObject([{ tried: 1, sent: 1, bounced: 1, hardBounced: 1, returned: 1 }]);
    await relay.suppressions.remove('ada@example.org');
    await relay.messages.retry(id);
    await relay.when(id, 'sent');
    expect((await relay.reports.by('stream', { stream: 'transactional' })).rows).toMatchObject([
      { tried: 1, sent: 1, bounced: 0, hardBounced: 0, returned: 0 },
    ]);
  });

  it('tell by route and provider who took the mail, after a failover, too', async () => {
    const path = `${scratchFolder()}/relay.db`;
    const relay = relayWith({
      store: sqlite(path),
      routes: [
        smtp('smtp://127.0.0.1:1', { name: 'closed' }),
        capture({ name: 'spare' }),
        ses({ region: 'eu-west-3', user: 'u', pass: 'p' }),
      ],
      thread: false,
    });
    await relay.send({ to: 'ada@example.org', subject: 'Hi', text: 'Hi' });
    await expect.poll(async () => (await relay.reports.by('route')).total.sent).toBe(1);
    expect(
      column((await relay.reports.by('route', { order: 'name' })).rows, (row) => [row.sent, row.deferrals]),
    ).toEqual([
      ['closed', [0, 1]],
      ['spare', [1, 0]],
    ]);
    expect((await relay.reports.by('provider', { order: 'name' })).rows.map(({ name }) => name)).toEqual([
      'capture',
      'smtp',
    ]);
    const health = await relay.health();
    expect(Object.keys(health.breakers).sort()).toEqual(['closed', 'ses']);
    expect(health.breakers.closed).toMatchObject({ failures: 1, state: 'closed', since: expect.any(Number) });
  });

  it('are the same after a restart, and of all processes on the store', async () => {
    const path = `${scratchFolder()}/relay.db`;
    const make = (): MailRelay => relayWith({ store: sqlite(path), routes: [capture()] });
    const relays = [make(), make()];
    await Promise.all(
      relays.map((relay, which) =>
        relay.sendMany(
          Array.from({ length: 40 }, (_, number) => ({ to: `r${number}@d${number % 5}.example` })),
          { ...bulk, campaign: `c${which}` },
        ),
      ),
    );
    const [first, second] = relays as [MailRelay, MailRelay];
    await expect.poll(async () => (await second.reports.by('domain')).total.sent, { timeout: 15_000 }).toBe(80);
    const rows = (await first.reports.by('domain', { order: 'name' })).rows;
    expect(column(rows, ({ sent }) => sent)).toEqual([0, 1, 2, 3, 4].map((d) => [`d${d}.example`, 16]));
    await Promise.all(relays.map((relay) => relay.stop()));
    const again = make();
    expect((await again.reports.by('domain', { order: 'name' })).rows).toEqual(rows);
  });

  it('refuse what cannot be answered', async () => {
    const relay = createMailRelay({ store: sqlite(':memory:') });
    onTestFinished(() => relay.stop());
    const refused = (option: string) =>
      expect.objectContaining({ code: 'OPTIONS_INVALID', details: expect.objectContaining({ option }) });
    await expect(relay.reports.by('colour' as 'day')).rejects.toEqual(refused('by()'));
    await expect(relay.reports.by('domain', { campaign: 'spring' })).rejects.toEqual(refused('by().campaign'));
    await expect(relay.reports.by('day', { campaign: 'spring', site: 'google' })).rejects.toEqual(refused('by().site'));
    await expect(relay.reports.by('campaign', { stream: 'broadcast' })).rejects.toEqual(refused('by().stream'));
    await expect(relay.reports.by('day', { order: 'colour' as 'name' })).rejects.toEqual(refused('by().order'));
    await expect(relay.reports.by('day', { from: new Date(2), to: new Date(1) })).rejects.toEqual(refused('by().from'));
    await expect(relay.reports.by('day', { colour: 1 } as object)).rejects.toMatchObject({
      code: 'OPTION_UNSUPPORTED',
    });
    await expect(relay.reports.deferrals({ campaign: 'spring' } as object)).rejects.toMatchObject({
      code: 'OPTION_UNSUPPORTED',
    });
    await expect(relay.reports.by('day', { campaign: 'never' })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
  });
});

describe('reports.deferrals()', () => {
  it('tells how long deferred mail waited until it left or failed', async () => {
    const { relay, clock } = await kit({
      queue: { retryFirstMs: HOUR, retryMaxMs: HOUR, maxAgeMs: 5 * HOUR },
    });
    expect((await relay.reports.deferrals()).percentiles).toBeUndefined();
    await relay.sendMany([...simulated('busy', 9), ...simulated('down', 1), ...simulated('ok', 5)], bulk);
    await relay.settled();
    await clock.advance(12 * HOUR);
    const report = await relay.reports.deferrals();
    expect(report).toMatchObject({ count: 10, sent: 9, lost: 1 });
    // The schedule has jitter, and steps are a fifth wide.
    const waited = (share: 'p50' | 'p90' | 'p99'): number => (report.percentiles?.[share] ?? 0) / HOUR;
    expect(waited('p50')).toBeGreaterThan(0.5);
    expect(waited('p50')).toBeLessThan(1.8);
    expect(waited('p99')).toBeGreaterThan(3);
    expect(waited('p99')).toBeLessThan(6);
    expect(report.histogram.reduce((sum, { sent, lost }) => sum + sent + lost, 0)).toBe(10);
    for (const { fromMs, toMs } of report.histogram) expect(toMs / fromMs).toBeCloseTo(2 ** 0.25);
    expect(report.histogram.at(-1)).toMatchObject({ sent: 0, lost: 1 });
    expect((await relay.reports.deferrals({ domain: 'example.org' })).count).toBe(0);
    expect((await relay.reports.deferrals({ stream: 'broadcast', domain: 'simulator.example' })).count).toBe(10);
  });
});
