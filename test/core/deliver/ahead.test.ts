import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Attempt, OutgoingMail, Transport } from '../../../packages/core/src/deliver/port.ts';
import { fakeDns } from '../../support/dns.ts';
import { groupServer } from './group-server.ts';
import { direct } from './mx/support.ts';
import { mail, transportTo } from './transports.ts';

const all = (transport: Transport, count: number): Promise<Attempt[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => transport.send(mail(index))));
const unfit = (index: number): OutgoingMail => ({
  ...mail(index),
  envelope: { ...mail(index).envelope, to: `zoé${index}@example.com`, utf8: true },
});
const outcomes = (attempts: readonly Attempt[]): string[] => attempts.map(({ outcome }) => outcome.type);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

// No server is slow because the machine is: it has no time in which it could be.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
});

describe('the envelope of the next mail', () => {
  it('goes out behind a message, without waiting for its reply', async () => {
    const server = await groupServer();
    const attempts = await all(transportTo(server.port, { connections: 1 }), 6);
    expect(outcomes(attempts)).toEqual(Array(6).fill('sent'));
    expect(server.taken).toEqual(numbers(6));
    // The first message shows how quick the server is.
    expect(server.ahead).toEqual([2, 3, 4, 5]);
    expect(server.opened()).toBe(1);
  });

  it('goes out in the same way straight to the mail servers of recipients', async () => {
    const server = await groupServer();
    const dns = await fakeDns({ 'example.com': { A: ['127.0.0.1'] } });
    const attempts = await all(direct(dns, server.port, { connectionsPerSite: 1 }), 6);
    expect(outcomes(attempts)).toEqual(Array(6).fill('sent'));
    expect([server.taken, server.ahead, server.opened()]).toEqual([numbers(6), [2, 3, 4, 5], 1]);
  });

  it('has replies of its own', async () => {
    const server = await groupServer({
      message: (index) => (index === 3 ? '451 4.3.0 later' : undefined),
      recipient: (index) => (index === 4 ? '550 5.1.1 unknown' : undefined),
    });
    const attempts = await all(transportTo(server.port, { connections: 1 }), 7);
    expect(outcomes(attempts)).toEqual(['sent', 'sent', 'sent', 'deferred', 'bounced', 'sent', 'sent']);
    expect([server.taken, server.opened()]).toEqual([[0, 1, 2, 5, 6], 1]);
    expect(attempts[3]?.transcript.steps.map(({ step, reply }) => `${step} ${reply?.slice(0, 3)}`)).toEqual([
      'MAIL 250',
      'RCPT 250',
      'DATA 354',
      'MESSAGE 451',
    ]);
  });

  it('waits where the server takes its time for a message', async () => {
    vi.useRealTimers();
    const server = await groupServer({ messageMs: () => 300 });
    const attempts = await all(transportTo(server.port, { connections: 1 }), 4);
    expect(outcomes(attempts)).toEqual(Array(4).fill('sent'));
    expect(server.ahead).toEqual([]);
  });

  it('is no more than begun where the connection breaks: only the message before it may have arrived', async () => {
    const server = await groupServer({
      message(index, socket) {
        if (index !== 3) return undefined;
        setTimeout(() => socket.destroy(), 10);
        return '250 too late';
      },
    });
    const attempts = await all(transportTo(server.port, { connections: 1 }), 7);
    expect(outcomes(attempts)).toEqual(['sent', 'sent', 'sent', 'unknown', 'sent', 'sent', 'sent']);
    expect(server.ahead).toContain(4);
    expect([...server.taken].sort()).toEqual([0, 1, 2, 4, 5, 6]);
  });

  it.each(['smtp', 'mx'] as const)(
    'goes out anew where the message before it never gets its reply (%s)',
    async (kind) => {
      const server = await groupServer({ messageMs: (index) => (index === 3 ? 10_000 : 20) });
      const dns = await fakeDns({ 'example.com': { A: ['127.0.0.1'] } });
      const socketTimeoutMs = 1000;
      const transport =
        kind === 'smtp'
          ? transportTo(server.port, { connections: 1, socketTimeoutMs })
          : direct(dns, server.port, { connectionsPerSite: 1, socketTimeoutMs });
      const attempts = await all(transport, 6);
      expect(outcomes(attempts)).toEqual(['sent', 'sent', 'sent', 'unknown', 'sent', 'sent']);
      expect(attempts[3]?.outcome).toMatchObject({ reason: 'timeout' });
      expect([server.taken, server.ahead.includes(4), server.opened()]).toEqual([numbers(6), true, 2]);
    },
  );

  it('has times of its own: the wait for the reply before it is none of its steps', async () => {
    vi.useRealTimers();
    const server = await groupServer({ messageMs: () => 60 });
    const attempts = await all(transportTo(server.port, { connections: 1 }), 8);
    expect(server.ahead.length).toBeGreaterThan(0);
    const envelopes = server.ahead.map((index) => {
      const { steps, ms } = (attempts[index] as Attempt).transcript;
      const [envelope = Number.NaN, , , message = Number.NaN] = steps.slice(-4).map((step) => step.ms);
      expect(ms).toBeGreaterThanOrEqual(message);
      return envelope;
    });
    // A machine that is busy holds up one or the other.
    expect(Math.min(...envelopes)).toBeLessThan(30);
  });

  it.each(['smtp', 'mx'] as const)('is not sent so again where a server complains of that (%s)', async (kind) => {
    let complaints = 0;
    const server = await groupServer({
      message(index) {
        if (complaints > 0 || index !== 3) return undefined;
        complaints += 1;
        return '554 5.5.0 SMTP synchronization error (input sent without waiting for the reply)';
      },
    });
    const dns = await fakeDns({ 'example.com': { A: ['127.0.0.1'] } });
    const transport =
      kind === 'smtp'
        ? transportTo(server.port, { connections: 1 })
        : direct(dns, server.port, { connectionsPerSite: 1 });
    const attempts = await all(transport, 12);
    expect(outcomes(attempts)).toEqual(Array(12).fill('sent'));
    expect([...server.taken].sort((one, other) => one - other)).toEqual(numbers(12));
    expect(server.ahead).toEqual([2, 3, 4]);
  });

  it.each([
    '550 5.1.1 <r3@pipelining.example>: unknown',
    '550 5.1.1 no r3, see http://mx.pipelining.example/synchronization/help',
    '550 5.1.1 pipelining.example has no r3',
  ])('goes on where an address, a host or a page has the words of such a complaint: %s', async (reply) => {
    const server = await groupServer({ recipient: (index) => (index === 3 ? reply : undefined) });
    const attempts = await all(transportTo(server.port, { connections: 1 }), 8);
    expect(outcomes(attempts)).toEqual(numbers(8).map((index) => (index === 3 ? 'bounced' : 'sent')));
    expect([server.opened(), server.lines.filter((line) => line.startsWith('RCPT')).length]).toEqual([1, 8]);
    expect(server.ahead).toContain(7);
  });

  it('waits for its turn where a mail that is not fit for the server was about to go before it', async () => {
    const server = await groupServer();
    const transport = transportTo(server.port, { connections: 1 });
    const attempts = await Promise.all(
      numbers(9).map((index) => transport.send(index % 3 === 2 ? unfit(index) : mail(index))),
    );
    expect(outcomes(attempts)).toEqual(numbers(9).map((index) => (index % 3 === 2 ? 'bounced' : 'sent')));
    expect([server.taken, server.opened()]).toEqual([[0, 1, 3, 4, 6, 7], 1]);
  });

  it('never comes before its start was counted, nor where it was withdrawn', async () => {
    const server = await groupServer();
    const transport = transportTo(server.port, { connections: 1 });
    const begun: number[] = [];
    const attempts = await Promise.all(
      numbers(6).map((index) =>
        transport.send({
          ...mail(index),
          onStart() {
            begun.push(index);
            return index !== 3;
          },
        }),
      ),
    );
    expect(outcomes(attempts)).toEqual(['sent', 'sent', 'sent', 'withdrawn', 'sent', 'sent']);
    expect([begun, server.taken]).toEqual([numbers(6), [0, 1, 2, 4, 5]]);
  });

  it('leaves the reply to the message before it in peace when the connection is to end', async () => {
    const server = await groupServer();
    const transport = transportTo(server.port, { connections: 1, maxMessagesPerConnection: 3 });
    const attempts = await all(transport, 8);
    expect(outcomes(attempts)).toEqual(Array(8).fill('sent'));
    expect([server.taken, server.ahead, server.opened()]).toEqual([numbers(8), [2, 5], 3]);
    await expect.poll(() => server.lines.filter((line) => line === 'QUIT').length).toBe(2);
  });

  it('has the place of a connection to itself until all is answered, where it does not begin after all', async () => {
    const server = await groupServer({ messageMs: () => 60 });
    const transport = transportTo(server.port, { connections: 1, idleMs: 1 });
    const withdrawn = { ...mail(2), onStart: () => false };
    const first = [transport.send(mail(0)), transport.send(mail(1)), transport.send(withdrawn)];
    await first[2];
    await new Promise((resolve) => setTimeout(resolve, 20));
    const attempts = await Promise.all([...first, transport.send(mail(3))]);
    expect(outcomes(attempts)).toEqual(['sent', 'sent', 'withdrawn', 'sent']);
    expect([server.taken, server.beside()]).toEqual([[0, 1, 3], 0]);
  });

  it('opens no connection beside one that is to end, and has a reply to come', async () => {
    const server = await groupServer();
    const transport = transportTo(server.port, { connections: 1, maxMessagesPerConnection: 3 });
    const attempts = await Promise.all([mail(0), mail(1), unfit(2), mail(3)].map((one) => transport.send(one)));
    expect(outcomes(attempts)).toEqual(['sent', 'sent', 'bounced', 'sent']);
    expect([server.taken, server.opened(), server.beside()]).toEqual([[0, 1, 3], 2, 0]);
  });

  describe('of transactional mail', () => {
    const broadcast = (index: number): OutgoingMail => ({ ...mail(index), stream: 'broadcast' });
    /** Mail 9 takes its time, mail 3 a little. */
    const slowFor = (index: number): number => (index === 9 ? 1500 : index === 3 ? 200 : 20);

    /** A transport with a connection for each stream, and a server that was quick so far. */
    async function warm() {
      const server = await groupServer({ messageMs: slowFor });
      const transport = transportTo(server.port, { connections: 2 });
      const first = transport.send(mail(1));
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([first, transport.send(broadcast(0))]);
      expect(server.opened()).toBe(2);
      const ends: number[] = [];
      const send = async (one: OutgoingMail): Promise<void> => {
        await transport.send(one);
        ends.push(Number(one.subject));
      };
      return { server, send, ends };
    }

    it('does not go behind a newsletter while it may open a connection', async () => {
      const server = await groupServer({ messageMs: slowFor });
      const transport = transportTo(server.port, { connections: 2 });
      await transport.send(broadcast(0));
      const ends: number[] = [];
      await Promise.all(
        [broadcast(9), mail(2)].map((one) => transport.send(one).then(() => ends.push(Number(one.subject)))),
      );
      expect(ends).toEqual([2, 9]);
    });

    it('does not go behind a newsletter while there is a place that newsletters never take', async () => {
      const { server, send, ends } = await warm();
      const first = send(mail(3));
      await expect.poll(() => server.taken).toContain(3);
      await Promise.all([first, send(broadcast(9)), send(mail(4))]);
      expect(ends).toEqual([3, 4, 9]);
    });

    it('goes before newsletters that wait', async () => {
      const { server, send, ends } = await warm();
      const first = send(mail(3));
      await expect.poll(() => server.taken).toContain(3);
      await Promise.all([first, send(broadcast(5)), send(broadcast(6)), send(mail(4))]);
      expect(ends.indexOf(4)).toBeLessThan(ends.indexOf(6));
    });
  });
});
