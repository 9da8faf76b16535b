import { createSocket } from 'node:dgram';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createResolver } from '../../../../packages/core/src/deliver/mx/resolver.ts';
import { fakeDns } from '../../../support/dns.ts';
import { answer } from '../../../support/dns-wire.ts';

/** A name server that answers after a while, and counts the questions that wait for it. */
async function slowDns(delayMs: number): Promise<{ readonly server: string; readonly most: () => number }> {
  const socket = createSocket('udp4');
  let open = 0;
  let most = 0;
  socket.on('message', (query, { port, address }) => {
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      const reply = answer(query, (name) => ({ MX: [[10, `mx.${name}`]] }));
      if (reply !== undefined) socket.send(reply, port, address);
    }, delayMs);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, most: () => most };
}

describe('many questions at once', () => {
  it('never wait for more answers than the buffer of a socket holds', async () => {
    const dns = await slowDns(20);
    const resolver = createResolver({ servers: [dns.server] });
    const names = Array.from({ length: 1000 }, (_, index) => `d${index}.test`);
    const answers = await Promise.all(names.map((name) => resolver.mx(name)));
    expect(answers.filter(({ type }) => type === 'found')).toHaveLength(1000);
    expect(dns.most()).toBeGreaterThan(50);
    expect(dns.most()).toBeLessThanOrEqual(100);
  });

  it('are not held up for long by names that nobody answers for', async () => {
    const mute = Array.from({ length: 300 }, (_, index) => `mute${index}.test`);
    const dns = await fakeDns({
      ...Object.fromEntries(mute.map((name) => [name, 'silence' as const])),
      'alive.test': { MX: [[10, 'mx.alive.test']] },
    });
    const resolver = createResolver({ servers: [dns.server], timeoutMs: 20_000, tries: 1 });
    for (const name of mute) void resolver.mx(name);
    await expect(resolver.mx('alive.test')).resolves.toMatchObject({ type: 'found' });
  });
});
