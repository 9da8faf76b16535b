import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { expect, it, onTestFinished, vi } from 'vitest';
import { smtp } from '../../../packages/core/src/index.ts';
import { relayWith } from '../../support/relay.ts';

it('the log has ids, and neither addresses nor secrets; a route that does not work is told once', async () => {
  const server = new SMTPServer({
    authMethods: ['PLAIN'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username }, _session, done) => done(new Error(`no ${username}`)),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  const lines: string[] = [];
  const write =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const relay = relayWith({
    secret: 'an unspeakable secret, long enough',
    logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    routes: [smtp({ host: '127.0.0.1', port, auth: { user: 'robot@example.com', pass: 'hunter2' } }, { name: 'out' })],
  });
  const ids: string[] = [];
  for (const name of ['ada', 'bob', 'cy']) {
    const { deliveries } = await relay.send({ to: `${name}@secret.example`, subject: 'Private', text: 'Confidential' });
    ids.push(...deliveries.map(({ id }) => id));
  }
  await vi.waitFor(async () => {
    const { items } = await relay.messages.list();
    expect(items.map(({ state }) => state)).toEqual(['deferred', 'deferred', 'deferred']);
  });
  const told = lines.filter((line) => line.includes('auth-failure'));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('"route":"out"');
  expect(ids.some((id) => told[0]?.includes(id))).toBe(true);
  expect(lines.join('\n')).not.toMatch(/secret\.example|robot@|hunter2|unspeakable|Private|Confidential/);
  const events = (await Promise.all(ids.map((id) => relay.messages.get(id)))).flatMap((record) => record?.events ?? []);
  expect(events.length).toBeGreaterThanOrEqual(6);
  expect(JSON.stringify(events)).not.toMatch(/hunter2|unspeakable/);
});

it('the log names the host and the code where a route cannot be reached', async () => {
  const probe = new SMTPServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.server.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(resolve));
  const warn = vi.fn();
  const relay = relayWith({
    logger: { debug() {}, info() {}, warn, error() {} },
    routes: [smtp({ host: '127.0.0.1', port }, { name: 'out' })],
  });
  await relay.send({ to: 'ada@secret.example', subject: 'Private', text: 'Confidential' });
  await expect
    .poll(() => warn.mock.calls)
    .toMatchObject([
      [{ route: 'out', host: '127.0.0.1', reason: 'network', code: 'ECONNREFUSED' }, expect.any(String)],
    ]);
  expect(JSON.stringify(warn.mock.calls)).not.toContain('secret.example');
});
