import { describe, expect, it } from 'vitest';
import { directMx, type MailRelay, type MailRelayOptions, smtp } from '../../../packages/core/src/index.ts';
import { explain } from '../../../packages/core/src/report/explain.ts';
import type { ExplainFacts } from '../../../packages/core/src/report/explain-facts.ts';
import { fakeDns } from '../../support/dns.ts';
import { relayWith } from '../../support/relay.ts';
import { smtpServer } from '../../support/smtp.ts';

const mail = { subject: 'Hi', text: 'Hello' } as const;

/** A server that answers RCPT only once it is let go, apart from recipients that begin with `quick`. */
async function slowServer(): Promise<{ readonly port: number; readonly mails: readonly unknown[]; go(): void }> {
  const held: (() => void)[] = [];
  let going = false;
  const { port, mails } = await smtpServer({
    onRcptTo({ address }, _session, done) {
      if (going || address.startsWith('quick')) done();
      else held.push(done);
    },
  });
  const go = (): void => {
    going = true;
    for (const done of held.splice(0)) done();
  };
  return { port, mails, go };
}

/** What is said of each of a message's deliveries. */
async function explained(relay: MailRelay, ids: readonly string[]): Promise<{ kind: string; text: string }[]> {
  const all = await Promise.all(ids.map((id) => relay.messages.explain(id)));
  return all.map(({ reasons: [first] }) => ({ kind: first?.kind ?? '', text: first?.text ?? '' }));
}

const count = (said: readonly { kind: string; text: string }[], text: RegExp): number =>
  said.filter((one) => text.test(one.text)).length;

const people = (n: number, domain = 'example.org'): string[] =>
  Array.from({ length: n }, (_, index) => `n${index}@${domain}`);

const slowRoute = (port: number, options: MailRelayOptions = {}): MailRelay =>
  relayWith({
    routes: [smtp({ host: '127.0.0.1', port, ignoreTls: true, connections: 1 }, { name: 'out', concurrency: 2 })],
    thread: false,
    ...options,
  });

describe('explain, of mail that is claimed', () => {
  it.each([false, true])(
    'tells what goes out from what waits for a connection and for a place of the route (thread: %s)',
    async (thread) => {
      const server = await slowServer();
      const relay = slowRoute(server.port, { thread });
      const { deliveries } = await relay.send({ ...mail, to: people(5) });
      const ids = deliveries.map(({ id }) => id);
      await expect
        .poll(async () => count(await explained(relay, ids), /^it is being sent by out, since \d{4}-/))
        .toBe(1);
      const said = await explained(relay, ids);
      expect(count(said, /^it is composed, or waits for the connection of the route out, since/)).toBe(1);
      expect(
        count(said, /^it waits since \d{4}-\S+ for others of the route out, which has 2 on their way at once$/),
      ).toBe(3);
      expect(said.map(({ kind }) => kind).sort()).toEqual([
        'route-busy',
        'route-busy',
        'route-busy',
        'route-busy',
        'sending',
      ]);
      const waiting = ids[said.findIndex(({ kind }) => kind === 'route-busy')] ?? '';
      expect(await relay.messages.explain(waiting)).toMatchObject({ state: 'sending', nextAt: expect.any(Date) });
      server.go();
      await expect.poll(() => server.mails.length).toBe(5);
      await expect.poll(async () => count(await explained(relay, ids), /^the next server has taken it$/)).toBe(5);
    },
  );

  it('names the site that takes no more', async () => {
    const server = await slowServer();
    const dns = await fakeDns({ 'slow.test': { MX: [[10, 'mx.slow.test']] }, 'mx.slow.test': { A: ['127.0.0.1'] } });
    const relay = relayWith({
      routes: [
        directMx({
          name: 'mx',
          hostname: 'out.sender.test',
          ports: { smtp: server.port },
          allowPrivateAddresses: true,
          mtaSts: false,
          dns: { servers: [dns.server] },
        }),
      ],
      thread: false,
      shaping: { sites: { slow: { domains: ['slow.test'], connections: 2 } } },
    });
    await relay.send({ ...mail, to: 'quick@slow.test' });
    await expect.poll(() => server.mails.length).toBe(1);
    const { deliveries } = await relay.send({ ...mail, to: people(6, 'slow.test') });
    const ids = deliveries.map(({ id }) => id);
    await expect.poll(async () => count(await explained(relay, ids), /^it is being sent by mx, since/)).toBe(2);
    const said = await explained(relay, ids);
    expect(said.filter(({ kind }) => kind === 'site')).toHaveLength(4);
    expect(count(said, /2 connections/)).toBe(4);
    server.go();
    await expect.poll(() => server.mails.length).toBe(7);
  });

  it('of a message tells what waits, then what goes out, before what is over', async () => {
    const server = await slowServer();
    const relay = slowRoute(server.port);
    const { id } = await relay.send({ ...mail, to: ['quick@example.org', 'slow@example.org'] });
    await expect.poll(async () => (await relay.messages.get(id))?.deliveries[0]?.state).toBe('sent');
    const alone = await relay.messages.explain(id);
    expect(alone).toMatchObject({ recipient: 'slow@example.org', state: 'sending' });
    server.go();
    await expect.poll(async () => (await relay.messages.explain(id)).reasons[0]?.kind).toBe('over');
  });

  it('of a message prefers what waits for a place to what goes out', async () => {
    const server = await slowServer();
    const relay = slowRoute(server.port);
    const { id } = await relay.send({ ...mail, to: people(3) });
    await expect
      .poll(async () => (await relay.messages.get(id))?.deliveries.map(({ state }) => state))
      .toEqual(['sending', 'sending', 'sending']);
    await expect.poll(async () => (await relay.messages.explain(id)).reasons[0]?.kind).toBe('route-busy');
    server.go();
    await expect.poll(() => server.mails.length).toBe(3);
  });
});

describe('explain, of claimed mail', () => {
  const now = Date.now();
  const minute = 60_000;
  const facts = (over: Partial<ExplainFacts> = {}): ExplainFacts => ({
    delivery: {
      id: 'dlv_1',
      recipient: 'ada@slow.test',
      state: 'sending',
      attempts: 0,
      route: 'mx',
      stream: 'transactional',
      site: 'slow',
      dueAt: undefined,
      reason: undefined,
    } as ExplainFacts['delivery'],
    events: [],
    lane: undefined,
    downUntil: undefined,
    fullUntil: undefined,
    limits: [{ kind: 'connections', text: '2 connections', by: 'receiver', most: 2, used: 2 }],
    site: undefined,
    inHand: { stage: 'site', since: now - minute },
    places: { mails: 200, connections: 100 },
    now,
    ...over,
  });

  it('names the rule that has suspended its site meanwhile, and until when', () => {
    const rule = {
      name: 'busy',
      reply: '421 busy',
      since: now - minute,
      until: now + minute,
      factor: 0,
      recoverFrom: 0.25,
      stepMs: minute,
      avoided: [],
    };
    const site = { paused: false, held: 2, standing: 'answers', readyAt: undefined, rule } as const;
    const { reasons, nextAt } = explain(facts({ site }));
    expect(reasons).toMatchObject([{ kind: 'rule', until: new Date(now + minute) }, { kind: 'site' }]);
    expect(reasons[0]?.text).toContain('the rule busy suspends slow until');
    expect(reasons[1]?.text).toBe(
      `it waits since ${new Date(now - minute).toISOString()} for others to slow, which takes 2 connections at once`,
    );
    expect(nextAt).toEqual(new Date(now + minute));
  });

  it('names the route that does not work any more', () => {
    const { reasons, nextAt } = explain(facts({ downUntil: now + minute, inHand: { stage: 'route', since: now } }));
    expect(reasons).toMatchObject([{ kind: 'route-down' }, { kind: 'route-busy' }]);
    expect(nextAt).toEqual(new Date(now + minute));
  });

  it('knows no more than that of mail that another process has', () => {
    const { summary, nextAt } = explain(facts({ inHand: undefined }));
    expect([summary, nextAt]).toEqual(['it is being sent by mx, or about to be.', undefined]);
  });
});
