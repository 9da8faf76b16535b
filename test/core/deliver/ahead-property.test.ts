import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt, OutgoingMail, ReceiverBounds, Transport } from '../../../packages/core/src/deliver/port.ts';
import { STREAMS } from '../../../packages/core/src/message.ts';
import { checkProperty } from '../../faults/support/property.ts';
import { type FakeDns, fakeDns } from '../../support/dns.ts';
import { type Fate, type Mood, moodyServer } from './moody-server.ts';
import { direct } from './mx/support.ts';
import { mail, transportTo } from './transports.ts';

const trouble = fc.record({
  step: fc.constantFrom('MAIL', 'RCPT', 'DATA', 'MESSAGE', 'MESSAGE'),
  how: fc.constantFrom(
    '4xx',
    '5xx',
    '421',
    'close',
    'reset',
    'answer and close',
    'complain',
    'complain',
    'complain and close',
  ),
});
const mood: fc.Arbitrary<Mood> = fc.record({
  trouble: fc.oneof(fc.constant(undefined), trouble),
  ms: fc.constantFrom(0, 0, 0, 1, 4),
  writes: fc.constantFrom('bytes', 'groups', 'replies'),
  insists: fc.boolean(),
});
const one = fc.record({
  stream: fc.constantFrom(...STREAMS),
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constant('plain' as const) },
    fc.constantFrom('withdrawn' as const, 'unfit' as const),
  ),
  /** When it is sent, ms. */
  at: fc.constantFrom(0, 0, 0, 0, 3, 12),
  moods: fc.array(mood, { maxLength: 3 }),
});
const bounds = {
  connections: fc.integer({ min: 1, max: 3 }),
  maxMessagesPerConnection: fc.constantFrom(1, 2, 3, 5, 100),
  idleMs: fc.constantFrom(1, 5, 10_000),
};
const world = fc.record({ ...bounds, mails: fc.array(one, { minLength: 1, maxLength: 18 }) });
/** How many connections a receiver is allowed, one after the other. */
const changes = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 });

type One = typeof one extends fc.Arbitrary<infer T> ? T : never;
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const OUTCOMES: Record<Exclude<Fate, 'complained'>, readonly Attempt['outcome']['type'][]> = {
  taken: ['sent'],
  '4xx': ['deferred'],
  '5xx': ['bounced'],
  '421': ['deferred'],
  closed: ['deferred'],
  silent: ['unknown'],
  // The message is on its way when the server is known to be gone, or is not.
  unasked: ['unknown', 'deferred'],
};

/** Connections that this process opens, and the most at once of those that it neither ended nor lost. */
function countConnections(port: () => number) {
  const open = new Set<Socket>();
  const count = (): number => {
    for (const socket of open) if (socket.destroyed || socket.writableEnded || socket.errored) open.delete(socket);
    return open.size;
  };
  let most = 0;
  const onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.once('connect', () => {
      // A run that there was no time for any more may still go on, with a server of its own.
      if (socket.remotePort !== port()) return;
      open.add(socket);
      most = Math.max(most, count());
    });
  };
  subscribe('net.client.socket', onSocket);
  return { count, most: () => most, stop: () => unsubscribe('net.client.socket', onSocket) };
}

const address = (index: number): string => `m${index}@example.com`;

function outgoing(index: number, { stream, kind }: Pick<One, 'stream' | 'kind'>, onStart: () => boolean): OutgoingMail {
  const { envelope, ...rest } = mail(index);
  const to = kind === 'unfit' ? `zoé${index}@example.com` : address(index);
  return { ...rest, envelope: { ...envelope, from: address(index), to, utf8: kind === 'unfit' }, stream, onStart };
}

/** What was seen over all runs: a property that never met a thing says nothing of it. */
const seen = new Map<string, number>();
const note = (what: string, count = 1): void => void seen.set(what, (seen.get(what) ?? 0) + count);

interface Started {
  readonly transport: Transport;
  readonly site?: ReceiverBounds;
  /** Changes what the receiver is allowed, the next time. */
  change?(): void;
}

/** @param most - connections at once */
async function run(given: World, most: number, start: (port: number) => Started): Promise<void> {
  const { mails, connections, maxMessagesPerConnection } = given;
  const begun = new Set<number>();
  const tooSoon: number[] = [];
  const server = await moodyServer([...mails.map(({ moods }) => moods), []], (index) => {
    if (!begun.has(index)) tooSoon.push(index);
  });
  const counted = countConnections(() => server.port);
  const { transport, site, change } = start(server.port);
  const send = (index: number, given: Pick<One, 'stream' | 'kind'>): Promise<Attempt> => {
    const begins = (): boolean => {
      begun.add(index);
      return given.kind !== 'withdrawn';
    };
    return transport.send({ ...outgoing(index, given, begins), site });
  };
  try {
    const attempts = await Promise.all(
      mails.map(async (given, index) => {
        if (given.at > 0) await new Promise((resolve) => setTimeout(resolve, given.at));
        const attempt = await send(index, given);
        change?.();
        return attempt;
      }),
    );
    for (const [index, attempt] of attempts.entries())
      expectTruth(index, mails[index] as One, attempt, server.fates[index] as Fate[]);
    expect(tooSoon, 'seen by the server before their start was counted').toEqual([]);
    expect(counted.most(), 'connections at once').toBeLessThanOrEqual(most);
    expect(server.mostMails(), 'mails on a connection').toBeLessThanOrEqual(maxMessagesPerConnection);
    // Whatever happened, there is a way for the next.
    const last = await send(mails.length, { stream: 'broadcast', kind: 'plain' });
    expect(last.outcome).toMatchObject({ type: 'sent', reply: `250 2.0.0 ok m${mails.length}.` });
    expect(counted.count(), 'connections in the end').toBeLessThanOrEqual(site?.connections ?? connections);
    note('ahead', server.ahead());
  } finally {
    counted.stop();
    await transport.close();
  }
}

function expectTruth(index: number, { kind }: One, { outcome, transcript }: Attempt, fates: readonly Fate[]): void {
  const told = `mail ${index}: ${outcome.type}, after ${fates.join(', ')}; ${JSON.stringify(transcript.steps)}`;
  note(outcome.type);
  for (const fate of fates) note(fate);
  if (kind !== 'plain') {
    expect(outcome.type, told).toBe(kind === 'unfit' ? 'bounced' : 'withdrawn');
    expect(fates, told).toEqual([]);
    return;
  }
  const last = fates.at(-1) ?? 'complained';
  expect(last, told).not.toBe('complained');
  expect(OUTCOMES[last as keyof typeof OUTCOMES], told).toContain(outcome.type);
  // What may have been taken never begins anew.
  const maybeTaken = fates.filter((fate) => fate === 'taken' || fate === 'silent');
  expect(maybeTaken.length, told).toBe(last === 'taken' || last === 'silent' ? 1 : 0);
  // Its own replies, and nobody else's.
  const own = ` m${index}.`;
  if (['taken', '4xx', '5xx', '421'].includes(last))
    expect(outcome, told).toMatchObject({ reply: expect.stringContaining(own) });
  for (const { step, reply = '', ms } of transcript.steps) {
    expect(ms, told).toBeGreaterThanOrEqual(0);
    // What ended the connection for all that were on it may be about another.
    if (/^(MAIL|RCPT|DATA|MESSAGE)$/.test(step) && /^\d{3} /.test(reply) && !reply.startsWith('421'))
      expect(reply, told).toContain(own);
  }
  const steps = transcript.steps.map(({ step }) => step);
  if (outcome.type === 'sent') expect(steps.slice(-4), told).toEqual(['MAIL', 'RCPT', 'DATA', 'MESSAGE']);
}

const RUNS = { runs: 120, timeLimitMs: 50_000 };
const TIMEOUT = 60_000;

describe('mails that are begun before the one before them is answered', () => {
  it('have the outcomes that the server gave them, over one route', { timeout: TIMEOUT }, async () => {
    seen.clear();
    const property = fc.asyncProperty(world, (given) => {
      const { connections, maxMessagesPerConnection, idleMs } = given;
      return run(given, connections, (port) => ({
        transport: transportTo(port, { connections, maxMessagesPerConnection, idleMs }),
      }));
    });
    await checkProperty(property, RUNS);
    expectSeen();
  });

  it('have them straight to the mail servers of recipients, where a rule changes the number of connections', {
    timeout: TIMEOUT,
  }, async () => {
    seen.clear();
    const dns = await fakeDns({ 'example.com': { A: ['127.0.0.1'] } });
    const property = fc.asyncProperty(world, changes, (given, then) =>
      run(given, Math.max(given.connections, ...then), (port) => startDirect(dns, port, given, then)),
    );
    await checkProperty(property, RUNS);
    expectSeen();
  });
});

function startDirect(dns: FakeDns, port: number, given: World, then: readonly number[]): Started {
  const { connections, maxMessagesPerConnection, idleMs } = given;
  const transport = direct(dns, port, { idleMs });
  const allowed = [...then];
  let now = connections;
  const site = {
    site: 'example',
    get connections() {
      return now;
    },
    messagesPerConnection: maxMessagesPerConnection,
    avoided: [],
  };
  return {
    transport,
    site,
    change() {
      now = allowed.shift() ?? now;
    },
  };
}

function expectSeen(): void {
  for (const what of ['sent', 'deferred', 'bounced', 'unknown', 'withdrawn', 'complained', 'silent', '421', 'ahead'])
    expect(seen.get(what) ?? 0, what).toBeGreaterThan(0);
}
