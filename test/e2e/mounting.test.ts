import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMailRelay, type MailRelay, type MailRelayOptions } from '@mailrelay/core';
import { toNodeHandler } from '@mailrelay/core/node';
import { mailRelay } from '@mailrelay/express';
import { MailRelayModule, MailRelayService } from '@mailrelay/nestjs';
import { Body, Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import { describeMounting, type Host } from './mounting-contract.ts';

describeMounting({
  name: 'on node:http',
  async start(options) {
    const relay = createMailRelay(options);
    await relay.start();
    const serve = toNodeHandler(relay);
    return listen(relay, '', (req, res) =>
      serve(req, res, async (error) => {
        if (error !== undefined) return res.writeHead(500).end('failed');
        if (req.url === '/mail/settings') return res.end('settings of the host');
        if (req.url === '/orders') return res.end(Buffer.concat(await req.toArray()));
        return res.writeHead(404).end();
      }),
    );
  },
});

const showNothing: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).send('failed');

/** An Express application whose own routes stand on `router`. */
async function inExpress(
  options: MailRelayOptions,
  prefix: string,
  build: (app: Express, relay: ReturnType<typeof mailRelay>) => Router,
): Promise<Host> {
  const app = express();
  const mail = mailRelay(options);
  await mail.ready;
  const routes = build(app, mail);
  routes.get('/mail/settings', (_req, res) => void res.send('settings of the host'));
  routes.post('/orders', express.json(), (req, res) => void res.json(req.body));
  app.use(showNothing);
  return listen(mail.relay, prefix, app);
}

describeMounting({ name: 'in Express', start: (options) => inExpress(options, '', (app, mail) => app.use(mail)) });

describeMounting({
  name: 'in Express under a prefix',
  prefix: '/shop',
  start: (options) =>
    inExpress(options, '/shop', (app, mail) => {
      const shop = express.Router().use(mail);
      app.use('/shop', shop);
      return shop;
    }),
});

describeMounting({
  name: 'in Express behind express.json()',
  start: (options) => inExpress(options, '', (app, mail) => app.use(express.json(), express.urlencoded(), mail)),
});

@Controller()
class HostController {
  @Get('mail/settings')
  settings(): string {
    return 'settings of the host';
  }

  @Post('orders')
  @HttpCode(200)
  order(@Body() body: unknown): unknown {
    return body;
  }
}

async function inNest(options: MailRelayOptions, adapter: AbstractHttpAdapter): Promise<Host> {
  class HostModule {}
  Module({ imports: [MailRelayModule.forRoot(options)], controllers: [HostController] })(HostModule);
  const app = await NestFactory.create(HostModule, adapter, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), relay: app.get(MailRelayService), close: () => app.close() };
}

describeMounting({ name: 'in Nest on Express', start: (options) => inNest(options, new ExpressAdapter()) });
describeMounting({ name: 'in Nest on Fastify', start: (options) => inNest(options, new FastifyAdapter()) });

async function listen(relay: MailRelay, prefix: string, listener: RequestListener): Promise<Host> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    relay,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await relay.stop();
    },
  };
}
