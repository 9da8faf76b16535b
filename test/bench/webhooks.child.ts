/** An Express application in a process of its own: the relay's webhooks, and a bare route that parses a body and waits for the disk. */
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { capture, createMailRelay, type MailRelay, sqlite } from '@mailrelay/core';
import { mailRelay } from '@mailrelay/express';
import express from 'express';
import { serveCalls } from './child.ts';
import { scratchFolder } from './figures.ts';
import { MAILS, RELAY, recipient } from './mails.ts';

/** What this process is asked. */
export interface WebhooksProcess {
  /** Starts the application with sent mails behind it; answers where it is, and the ids of the deliveries. */
  start(mails: number, publicKey: string): Promise<{ readonly port: number; readonly deliveries: readonly string[] }>;
  /** How many events of the mails are stored. */
  stored(): Promise<number>;
  stop(): Promise<void>;
}

const folder = scratchFolder();
const app = express();
app.disable('x-powered-by');
app.set('etag', false);
const server = createServer(app);
let relay: MailRelay | undefined;

async function deliveriesOf(made: MailRelay, mails: number): Promise<string[]> {
  const { id } = await made.sendMany(
    Array.from({ length: mails }, (_, index) => recipient(index)),
    { campaign: 'bench', template: 'mail' },
  );
  while ((await made.reports.campaign('bench')).pending > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const deliveries: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await made.messages.list({ message: id, limit: 1000, ...(after === undefined ? {} : { after }) });
    deliveries.push(...page.items.map((delivery) => delivery.id));
    if (page.next === undefined) return deliveries;
    after = page.next;
  }
}

serveCalls({
  async start(mails, publicKey) {
    relay = createMailRelay({
      ...RELAY,
      environment: 'production',
      store: sqlite(`${folder.path}/relay.db`),
      templates: [MAILS['1 KB']],
      routes: [capture({ keep: 10 })],
      webhooks: { sendgrid: { publicKey } },
    });
    app.use(mailRelay(relay));
    const file = await open(`${folder.path}/bare`, 'a');
    app.post('/bare', express.json({ limit: '5mb' }), async (req, res) => {
      await file.write(JSON.stringify((req.body as unknown[]).length));
      await file.sync();
      res.send('OK');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { port, deliveries: await deliveriesOf(relay, mails) };
  },
  async stored() {
    const { opens } = await (relay as MailRelay).reports.campaign('bench');
    return opens.total;
  },
  async stop() {
    server.closeAllConnections();
    server.close();
    await relay?.stop();
  },
} satisfies WebhooksProcess);
