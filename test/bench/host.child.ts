/** An Express application in a process of its own, which sends mail as it is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMailRelay, type MailRelay, smtp, sqlite } from '@mailrelay/core';
import express from 'express';
import { createTransport } from 'nodemailer';
import { serveCalls } from './child.ts';
import { scratchFolder } from './figures.ts';
import { CONNECTIONS, MAILS, MAILS_PER_CONNECTION, type MailSize, RELAY, recipient } from './mails.ts';

/** What this process is asked. */
export interface HostProcess {
  /** Starts the application; answers its port. */
  listen(): Promise<number>;
  /** Begins to send; resolves when mail is on its way. */
  begin(sending: Sending): Promise<void>;
  /** Mails sent since the last call. */
  sent(): Promise<number>;
  end(): Promise<void>;
}

/** Who sends: nodemailer's pool, or the relay at a rate (`undefined`: at full speed). */
export type Sending =
  | { readonly by: 'pool'; readonly port: number; readonly html: string; readonly text: string }
  | { readonly by: 'relay'; readonly port: number; readonly mail: MailSize; readonly perSecond: number | undefined };

interface Sender {
  sent(): Promise<number>;
  end(): Promise<void>;
}

/** Recipients of one campaign at full speed; the next begins when it is sent. */
const CAMPAIGN = 20_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function startPool({ port, html, text }: Sending & { by: 'pool' }): Sender {
  const server = { host: '127.0.0.1', port, ignoreTLS: true };
  const pool = createTransport({
    ...server,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: MAILS_PER_CONNECTION,
  });
  let sent = 0;
  let over = false;
  const sender = async (): Promise<void> => {
    for (let index = 0; !over; index++) {
      const to = `reader${index}@example.com`;
      await pool.sendMail({ from: 'News <news@example.com>', to, subject: `News for Reader ${index}`, html, text });
      sent += 1;
    }
  };
  const senders = Promise.all(Array.from({ length: CONNECTIONS * 2 }, sender));
  return {
    sent: async () => sent,
    async end() {
      over = true;
      await senders;
      pool.close();
    },
  };
}

/** A relay serves all rounds, as an application has one for days; what V8 compiles at first is in none of the figures. */
const relays = new Map<number | undefined, Promise<MailRelay>>();
let campaignsOfProcess = 0;

async function startRelay({ port, mail, perSecond }: Sending & { by: 'relay' }): Promise<MailRelay> {
  const folder = scratchFolder();
  process.once('exit', () => folder.remove());
  const server = { host: '127.0.0.1', port, connections: CONNECTIONS, maxMessagesPerConnection: MAILS_PER_CONNECTION };
  const rate = perSecond === undefined ? {} : { rate: `${Math.round(perSecond)}/s` };
  const relay = createMailRelay({
    ...RELAY,
    store: sqlite(`${folder.path}/relay.db`),
    templates: [MAILS[mail]],
    routes: [smtp(server, { name: 'sink', ...rate })],
  });
  await relay.start();
  return relay;
}

async function sendByRelay(sending: Sending & { by: 'relay' }): Promise<Sender> {
  const starting = relays.get(sending.perSecond) ?? startRelay(sending);
  relays.set(sending.perSecond, starting);
  const relay = await starting;
  let over = false;
  const names: string[] = [];
  const campaigns = async (): Promise<void> => {
    while (!over) {
      const campaign = `bench ${campaignsOfProcess++}`;
      const people = sending.perSecond === undefined ? crowd(() => over) : paced(sending.perSecond, () => over);
      const accepted = relay.sendMany(people, { campaign, template: 'mail' });
      names.push(campaign);
      await accepted;
      // What was accepted is sent before the next round, and in none of its figures.
      while ((await relay.reports.campaign(campaign)).pending > 0) await pause(50);
    }
  };
  const running = campaigns();
  return {
    sent: () => sentBy(relay, names),
    async end() {
      over = true;
      await running;
    },
  };
}

function* crowd(over: () => boolean): Generator<ReturnType<typeof recipient>> {
  for (let index = 0; index < CAMPAIGN && !over(); index++) yield recipient(index);
}

/** Recipients as fast as they are sent, in handfuls. */
async function* paced(perSecond: number, over: () => boolean): AsyncGenerator<ReturnType<typeof recipient>> {
  const start = performance.now();
  for (let index = 0; !over(); index++) {
    while (index > ((performance.now() - start) / 1000) * perSecond && !over()) await pause(20);
    yield recipient(index);
  }
}

async function sentBy(relay: MailRelay, campaigns: readonly string[]): Promise<number> {
  let sum = 0;
  for (const name of campaigns) sum += (await relay.reports.campaign(name).catch(() => ({ sent: 0 }))).sent;
  return sum;
}

let sender: Sender | undefined;
let counted = 0;
const api: HostProcess = {
  listen() {
    const app = express();
    app.get('/', (_req, res) => void res.json({ hello: 'world' }));
    const server = createServer(app);
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    );
  },
  async begin(sending) {
    sender = sending.by === 'pool' ? startPool(sending) : await sendByRelay(sending);
    counted = 0;
    while ((await sender.sent()) === 0) await pause(20);
  },
  async sent() {
    const sum = (await sender?.sent()) ?? 0;
    const since = sum - counted;
    counted = sum;
    return since;
  },
  async end() {
    await sender?.end();
    sender = undefined;
  },
};
serveCalls(api);
