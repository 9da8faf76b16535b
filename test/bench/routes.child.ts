/** Two Express applications in a process of their own: one with tracked mails behind it, and a bare one that answers the same bytes. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { capture, createMailRelay, type MailRelay, sqlite } from '@mailrelay/core';
import { mailRelay } from '@mailrelay/express';
import express from 'express';
import { decodeId } from '../../packages/core/src/message.ts';
import { createTokens } from '../../packages/core/src/token.ts';
import { serveCalls } from './child.ts';
import { scratchFolder } from './figures.ts';
import { MAILS, type MailSize, RELAY, recipient } from './mails.ts';

/** What this process is asked. */
export interface RoutesProcess {
  /** Starts the application with sent mails behind it; answers where to ask for what. */
  start(mails: number, mail: MailSize): Promise<Routes>;
  /** Opens and clicks that are stored. */
  recorded(): Promise<{ pixel: number; click: number }>;
  stop(): Promise<void>;
}

/** Paths of the application. */
export interface Routes {
  readonly port: number;
  readonly barePort: number;
  readonly pixels: readonly string[];
  readonly clicks: readonly string[];
  readonly barePixel: string;
  readonly bareClick: string;
}

const TARGET = 'https://example.com/stories/1/more';
const folder = scratchFolder();

const [app, bare] = [application(), application()];
const servers = [createServer(app), createServer(bare)] as const;
let relay: MailRelay | undefined;

function application(): express.Express {
  const made = express();
  made.disable('x-powered-by');
  made.set('etag', false);
  return made;
}

/** Tokens as they stand in the mails that were sent. */
async function pathsOf(relay: MailRelay, mails: number): Promise<Pick<Routes, 'pixels' | 'clicks'>> {
  const { id } = await relay.sendMany(
    Array.from({ length: mails }, (_, index) => recipient(index)),
    {
      campaign: 'bench',
      template: 'mail',
    },
  );
  while ((await relay.reports.campaign('bench')).pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const tokens = createTokens([RELAY.secret]);
  const pixels: string[] = [];
  const clicks: string[] = [];
  const link = tokens.link('bench', 0, TARGET);
  let after: string | undefined;
  do {
    const page = await relay.messages.list({ message: id, limit: 1000, ...(after === undefined ? {} : { after }) });
    for (const delivery of page.items) {
      const number = decodeId('dlv', delivery.id) ?? 0;
      pixels.push(`/mail/o/${tokens.delivery('o', number)}.gif`);
      clicks.push(`/mail/c/${link}.${tokens.clicker('bench', number)}`);
    }
    after = page.next;
  } while (after !== undefined);
  return { pixels, clicks };
}

/** A bare route that answers what another one answered. */
async function copyRoute(port: number, path: string, source: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${source}`, { redirect: 'manual' });
  const body = Buffer.from(await answer.arrayBuffer());
  const added = new Set(['date', 'connection', 'keep-alive', 'content-length']);
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !added.has(name)));
  bare.get(path, (_req, res) => {
    res.status(answer.status).set(headers).send(body);
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

serveCalls({
  async start(mails, mail) {
    relay = createMailRelay({
      ...RELAY,
      environment: 'production',
      store: sqlite(`${folder.path}/relay.db`),
      templates: [MAILS[mail]],
      routes: [capture({ keep: 10 })],
    });
    app.use(mailRelay(relay));
    const [port, barePort] = await Promise.all([listen(servers[0]), listen(servers[1])]);
    const paths = await pathsOf(relay, mails);
    await copyRoute(port, '/bare/pixel.gif', paths.pixels[0] as string);
    await copyRoute(port, '/bare/click', paths.clicks[0] as string);
    return { port, barePort, ...paths, barePixel: '/bare/pixel.gif', bareClick: '/bare/click' };
  },
  async recorded() {
    const { opens, clicks } = await (relay as MailRelay).reports.campaign('bench');
    return { pixel: opens.total, click: clicks.total };
  },
  async stop() {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await relay?.stop();
  },
} satisfies RoutesProcess);
