import { expect, it } from 'vitest';
import { capture, smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';
import { politely, rawServer } from '../../support/smtp.ts';

it('holds each of several rates of a route', async () => {
  const relay = relayWith({ routes: [capture({ rate: ['1000/s', '3/day'] })] });
  await relay.send({ to: ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`), subject: 'Hi', text: 'Hi' });
  await expect.poll(async () => (await relay.messages.list({ state: 'sent' })).items.length).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect((await relay.messages.list({ state: 'sent' })).items.length).toBe(3);
});

it.each([false, true])(
  'counts what is sent anew over a fresh connection as one more start; by site: %s',
  async (shaping) => {
    const used = new WeakSet<object>();
    const begun: number[] = [];
    // It closes each connection as a second mail comes.
    const server = await rawServer(
      politely((line, socket) => {
        if (line.startsWith('MAIL')) begun.push(performance.now());
        if (line.startsWith('MAIL') && used.has(socket)) return void socket.destroy();
        if (line === '.') used.add(socket);
        return undefined;
      }),
    );
    const route = smtp({ host: '127.0.0.1', port: server.port, connections: 2 }, { rate: '4/s', shaping });
    const relay = relayWith({ routes: [route] });
    const to = Array.from({ length: 8 }, (_, index) => `r${index}@example.com`);
    await relay.send({ to, subject: 'Hi', text: 'Hi' });
    await expect.poll(async () => (await relay.messages.list({ state: 'sent' })).items.length).toBe(8);
    expect(begun.length).toBeGreaterThan(8);
    // A mail reaches the server some time after its start: half a window, on a machine that stops for a while. What is sent anew
    // is so at once.
    const within = begun.map((at) => begun.filter((other) => other >= at && other < at + 500).length);
    expect(Math.max(...within)).toBeLessThanOrEqual(4);
  },
);
