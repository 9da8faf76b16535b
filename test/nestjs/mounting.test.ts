import type { MailRelayOptions } from '@mailrelay/core';
import { MailRelayModule, MailRelayService, mailRelayHandler } from '@mailrelay/nestjs';
import { type ArgumentsHost, Body, Controller, type ExceptionFilter, Get, Post, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import express from 'express';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually, IN_MEMORY, moduleOf, PLATFORMS, started } from './support.ts';

@Controller('orders')
class OrdersController {
  @Post()
  take(@Body() body: unknown): unknown {
    return { took: body };
  }

  @Get('mailing')
  mailing(): string {
    return 'mailing of the application';
  }
}

const relayModule = (options: MailRelayOptions & { autoMount?: boolean } = {}) =>
  MailRelayModule.forRoot({ ...IN_MEMORY, ...options });
const order = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' };

/** The path of the unsubscribe link in a mail that was just sent. */
async function unsubscribePath(relay: MailRelayService): Promise<string> {
  const message = { to: 'ada@example.com', subject: 'News', text: 'News', stream: 'broadcast' } as const;
  await relay.send(message);
  const base = relay.publicUrl;
  return eventually(async () => {
    const list = await (await relay.handle(new Request(`${base}/mail/`)))?.text();
    const id = /href="inbox\/([\w-]+)"/.exec(list ?? '')?.[1];
    const source = await (await relay.handle(new Request(`${base}/mail/inbox/${id}/source`)))?.text();
    const url = /List-Unsubscribe: <([^>]+)>/i.exec((source ?? '').replace(/\r\n\s+/g, ''))?.[1];
    return new URL(url ?? expect.unreachable('no link yet')).pathname;
  });
}

const oneClick = () => ({ method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });

describe.each(PLATFORMS)('MailRelayModule on %s', (_name, adapter) => {
  it('mounts itself before the body parsers, which still parse for the application', async () => {
    const { app, url } = await started(
      moduleOf({ imports: [relayModule()], controllers: [OrdersController] }),
      adapter(),
    );
    const relay = app.get(MailRelayService);
    expect((await fetch(url + (await unsubscribePath(relay)), oneClick())).status).toBe(200);
    expect(await relay.suppressions.has('ada@example.com', { stream: 'broadcast' })).toBe(true);
    expect(await (await fetch(`${url}/orders`, order)).json()).toEqual({ took: { a: 1 } });
    expect((await fetch(`${url}/mail/nothing`)).status).toBe(404);
  });

  it('is untouched by prefix, versions, guards, pipes, interceptors and middleware', async () => {
    const never = vi.fn(() => false);
    const { app, url } = await started(
      moduleOf({ imports: [relayModule()], controllers: [OrdersController] }),
      adapter(),
      (made) => {
        made.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        made.useGlobalGuards({ canActivate: never });
        made.useGlobalPipes(new PipeThatFails());
        made.useGlobalInterceptors({ intercept: () => expect.unreachable('an interceptor ran') });
      },
    );
    expect(await (await fetch(`${url}/mail/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(url + (await unsubscribePath(app.get(MailRelayService))), oneClick())).status).toBe(200);
    expect(never).not.toHaveBeenCalled();
    expect((await fetch(`${url}/api/v1/orders`, order)).status).toBe(403);
    expect((await fetch(`${url}/api/mail/health`)).status).toBe(404);
  });

  it('serves under another path by option, and leaves /mail to the application', async () => {
    @Controller('mail')
    class MailController {
      @Get('health')
      health(): string {
        return 'of the application';
      }
    }
    const { app, url } = await started(
      moduleOf({ imports: [relayModule({ path: '/api/post' })], controllers: [MailController] }),
      adapter(),
    );
    expect(await (await fetch(`${url}/api/post/health`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/mail/health`)).text()).toBe('of the application');
    expect(app.get(MailRelayService).matches('/mail/health')).toBe(false);
  });

  it('is mounted by hand where autoMount is off', async () => {
    const module = moduleOf({ imports: [relayModule({ autoMount: false })] });
    const without = await started(module, adapter());
    expect((await fetch(`${without.url}/mail/health`)).status).toBe(404);
    const { app, url } = await started(module, adapter(), (made) => made.use(mailRelayHandler(made)));
    expect((await fetch(url + (await unsubscribePath(app.get(MailRelayService))), oneClick())).status).toBe(200);
  });

  it('mounts in an application of Test.createTestingModule()', async () => {
    const module = await Test.createTestingModule({ imports: [relayModule()] }).compile();
    const app = module.createNestApplication(adapter());
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const path = await unsubscribePath(app.get(MailRelayService));
    expect((await fetch((await app.getUrl()) + path, oneClick())).status).toBe(200);
  });

  it('gives its failures to the exception filters of the application', async () => {
    const seen: unknown[] = [];
    const filter: ExceptionFilter = {
      catch(error: unknown, host: ArgumentsHost) {
        seen.push(error);
        const response = host.switchToHttp().getResponse<{ status(code: number): { send(text: string): void } }>();
        response.status(503).send('no mail');
      },
    };
    const { app, url } = await started(moduleOf({ imports: [relayModule()] }), adapter(), (made) =>
      made.useGlobalFilters(filter),
    );
    await app.get(MailRelayService).stop();
    const response = await fetch(`${url}/mail/`);
    expect([response.status, await response.text()]).toEqual([503, 'no mail']);
    expect(seen).toMatchObject([{ code: 'RELAY_STOPPED' }]);
  });
});

class PipeThatFails {
  transform(): never {
    return expect.unreachable('a pipe ran');
  }
}

it('says once and clearly, with what to do in Nest, where something else has eaten the body', async () => {
  const server = express().use((req, _res, next) => void req.resume().once('end', next));
  const error = vi.fn();
  const logger = { log() {}, warn() {}, debug() {}, verbose() {}, fatal() {}, error };
  const { app, url } = await started(moduleOf({ imports: [relayModule()] }), new ExpressAdapter(server), () => {}, {
    logger,
  });
  const response = await fetch(url + (await unsubscribePath(app.get(MailRelayService))), oneClick());
  expect(response.status).toBe(500);
  expect(error).toHaveBeenCalledTimes(1);
  const said = error.mock.calls[0]
    ?.map((part: unknown) => (part instanceof Error ? part.message : String(part)))
    .join(' ');
  expect(said).toContain('mount the relay before body parsers');
  expect(said).toContain('app.use(mailRelayHandler(app))');
});

it('takes the bytes that rawBody: true keeps', async () => {
  const server = express().use(
    express.urlencoded({ verify: (req, _res, bytes) => void Object.assign(req, { rawBody: bytes }) }),
  );
  const { app, url } = await started(moduleOf({ imports: [relayModule()] }), new ExpressAdapter(server), () => {}, {
    rawBody: true,
  });
  expect((await fetch(url + (await unsubscribePath(app.get(MailRelayService))), oneClick())).status).toBe(200);
});

it('works without HTTP, as worker processes do', async () => {
  const app = await NestFactory.createApplicationContext(moduleOf({ imports: [relayModule()] }), { logger: false });
  onTestFinished(() => app.close());
  const relay = app.get(MailRelayService);
  const { id } = await relay.send({ to: 'ada@example.com', subject: 'Hello', text: 'Hello' });
  await eventually(async () => expect((await relay.messages.get(id))?.deliveries).toMatchObject([{ state: 'sent' }]));
});
