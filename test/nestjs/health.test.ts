import { smtp } from '@mailrelay/core';
import { MailRelayHealthIndicator, MailRelayModule, MailRelayService } from '@mailrelay/nestjs';
import { Logger } from '@nestjs/common';
import { expect, it, onTestFinished, vi } from 'vitest';
import { smtpServer } from '../support/smtp.ts';
import { eventually, IN_MEMORY, moduleOf, started } from './support.ts';

const hello = { to: 'ada@example.com', subject: 'Hello', text: 'Hello' };

it('health has the store, the queue and the routes', async () => {
  const { app } = await started(moduleOf({ imports: [MailRelayModule.forRoot(IN_MEMORY)] }));
  expect(await app.get(MailRelayHealthIndicator).check('mail')).toMatchObject({
    mail: { status: 'up', store: { ok: true }, queue: { waiting: 0, oldestMs: 0 }, failingRoutes: [] },
  });
  await app.get(MailRelayService).stop();
  const stopped = await app.get(MailRelayHealthIndicator).check('mail');
  expect(stopped).toEqual({ mail: { status: 'down', message: 'The relay has been stopped' } });
});

it('health is down where a route has not worked for long, and up again when it does', async () => {
  const inbox = await smtpServer({
    onMailFrom: (_address, _session, done) => done(),
    onAuth: (_a, _s, done) => done(new Error('no')),
  });
  let refuse = true;
  inbox.server.onConnect = (_session, done) =>
    refuse ? done(Object.assign(new Error('busy'), { responseCode: 421 })) : done();
  const routes = [smtp({ host: '127.0.0.1', port: inbox.port, auth: { user: 'u', pass: 'p' } }, { name: 'provider' })];
  const { app } = await started(
    moduleOf({ imports: [MailRelayModule.forRoot({ ...IN_MEMORY, routes, stop: { drain: false } })] }),
  );
  const indicator = app.get(MailRelayHealthIndicator);
  refuse = false;
  await app.get(MailRelayService).send(hello);
  await eventually(async () => {
    const { mail } = await indicator.check('mail', { maxRouteFailureMs: 0 });
    expect(mail).toMatchObject({ status: 'down', failingRoutes: [{ route: 'provider', reason: 'auth-failure' }] });
  });
  expect((await indicator.check('mail')).mail.status).toBe('up');
});

it('health is down where mail waits too long', async () => {
  const { app } = await started(moduleOf({ imports: [MailRelayModule.forRoot(IN_MEMORY)] }));
  const relay = app.get(MailRelayService);
  const health = await relay.health();
  vi.spyOn(relay, 'health').mockResolvedValue({ ...health, queue: { waiting: 3, sending: 0, oldestMs: 20 * 60_000 } });
  expect(await app.get(MailRelayHealthIndicator).check('post')).toMatchObject({
    post: { status: 'down', message: 'mail waits for 1200000 ms' },
  });
});

it('the log of the relay is in that of Nest, which can be replaced', async () => {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (message: unknown, ...rest: unknown[]) =>
      void lines.push([level, message, ...rest].join(' '));
  const logger = { log: write('log'), warn: write('warn'), error: write('error'), debug: write('debug') };
  const routes = [smtp({ host: '127.0.0.1', port: 1, connectionTimeoutMs: 1000 }, { name: 'nowhere' })];
  const imports = [MailRelayModule.forRoot({ ...IN_MEMORY, name: 'billing', routes, stop: { drain: false } })];
  const { app } = await started(moduleOf({ imports }), undefined, () => {}, { logger });
  onTestFinished(() => Logger.overrideLogger(false));
  await app.get<MailRelayService>('MailRelay:billing').send(hello);
  await eventually(() => expect(lines.join('\n')).toContain('a route does not work'));
  const line = lines.find((one) => one.includes('a route does not work'));
  expect(line).toMatch(
    /^warn a route does not work; .* route=nowhere .*reason=\S+ .*delivery=dlv_\w+ MailRelay:billing$/,
  );
});
