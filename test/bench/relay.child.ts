/** A relay in a process of its own that runs campaigns. */

import { setTimeout } from 'node:timers/promises';
import {
  type Attempt,
  capture,
  createMailRelay,
  directMx,
  type MailRelay,
  type OutgoingMail,
  type RouteSpec,
  smtp,
  sqlite,
} from '@mailrelay/core';
import { simpleParser } from 'mailparser';
import { serveCalls } from './child.ts';
import { scratchFolder } from './figures.ts';
import { measured, type Usage } from './load.ts';
import { CONNECTIONS, MAILS, MAILS_PER_CONNECTION, type MailSize, RELAY, recipient } from './mails.ts';

/** What this process is asked. */
export interface RelayProcess {
  /** One mail as it goes out, rendered and tracked. */
  sample(mail: MailSize): Promise<Sample>;
  /** One campaign, from `sendMany()` until the last mail is sent. */
  campaign(task: CampaignTask): Promise<CampaignRun>;
}

/** A mail that is rendered and tracked. */
export interface Sample {
  readonly html: string;
  readonly text: string;
  /** On the wire. */
  readonly bytes: number;
}

export interface CampaignTask {
  readonly mail: MailSize;
  readonly recipients: number;
  /** Mails before the clock starts. */
  readonly warmUp: number;
  /** Of the sink; without one the mail is captured. */
  readonly port: number | undefined;
  /** The campaign is given up after this time. */
  readonly longestSeconds: number;
  /** Signs for the sender's domain: a private key, PEM. */
  readonly privateKey?: string;
  /** Straight to the mail servers of so many recipient domains, at the port of the sink. */
  readonly direct?: { readonly dnsPort: number; readonly domains: number };
}

export interface CampaignRun extends Usage {
  /** What the database grew by, with the data of recipients. */
  readonly bytesPerDelivery: number;
  /** Mails that were sent; fewer than recipients where the time was over. */
  readonly sent: number;
  /** When the clock started, after the warm-up: µs of the clock that V8's profiler has, too. */
  readonly startedUs: number;
}

async function sample(mail: MailSize): Promise<Sample> {
  const folder = scratchFolder();
  const taken = Promise.withResolvers<Buffer>();
  const send = async ({ raw }: OutgoingMail): Promise<Attempt> => {
    taken.resolve(raw);
    const transcript = { route: 'sample', startedAt: Date.now(), ms: 0, steps: [] };
    return { outcome: { type: 'sent', reply: '250 Ok' }, transcript };
  };
  const relay = createMailRelay({
    ...RELAY,
    store: sqlite(`${folder.path}/relay.db`),
    templates: [MAILS[mail]],
    thread: false,
    routes: [{ kind: 'custom', name: 'sample', create: () => ({ send, close: async () => {} }) }],
  });
  try {
    await relay.sendMany([recipient(10_000)], { campaign: 'sample', template: 'mail' });
    const raw = await taken.promise;
    const { html, text } = await simpleParser(raw, { skipHtmlToText: true });
    const tracked = [/href="[^"]*\/mail\/c\//, /src="[^"]*\/mail\/o\//];
    if (!tracked.every((mark) => mark.test(html || ''))) throw new Error('the mail is not tracked');
    return { html: html || '', text: text ?? '', bytes: raw.length };
  } finally {
    await relay.stop({ drain: true });
    folder.remove();
  }
}

async function campaign(task: CampaignTask): Promise<CampaignRun> {
  const { mail, recipients, warmUp, longestSeconds, privateKey, direct } = task;
  const folder = scratchFolder();
  const relay = createMailRelay({
    ...RELAY,
    store: sqlite(`${folder.path}/relay.db`),
    templates: [MAILS[mail]],
    routes: [routeOf(task)],
    ...(privateKey === undefined ? {} : { dkim: { keys: [{ domain: 'example.com', selector: 'bench', privateKey }] } }),
  });
  try {
    await relay.start();
    const domains = direct?.domains;
    if (warmUp > 0) await run(relay, { name: 'warm-up', count: warmUp, endAt: Number.POSITIVE_INFINITY, domains });
    const before = (await relay.health()).store.bytes;
    const startedUs = Number(process.hrtime.bigint() / 1000n);
    let sent = 0;
    const usage = await measured(async () => {
      const endAt = performance.now() + longestSeconds * 1000;
      sent = await run(relay, { name: 'bench', count: recipients, endAt, domains });
    });
    // The answer before is kept for a second.
    await setTimeout(1100);
    const after = (await relay.health()).store.bytes;
    return { ...usage, sent, startedUs, bytesPerDelivery: (after - before) / sent };
  } finally {
    await relay.stop();
    folder.remove();
  }
}

function routeOf({ port, direct }: CampaignTask): RouteSpec {
  if (port === undefined) return capture({ keep: 100, concurrency: CONNECTIONS });
  if (direct === undefined) {
    const server = { host: '127.0.0.1', port, connections: CONNECTIONS };
    return smtp({ ...server, maxMessagesPerConnection: MAILS_PER_CONNECTION });
  }
  return directMx({
    hostname: 'bench.example.com',
    ports: { smtp: port },
    dns: { servers: [`127.0.0.1:${direct.dnsPort}`] },
    allowPrivateAddresses: true,
    mtaSts: false,
    connections: CONNECTIONS * 10,
    maxMessagesPerConnection: MAILS_PER_CONNECTION,
  });
}

interface Run {
  readonly name: string;
  readonly count: number;
  readonly endAt: number;
  /** Recipients are spread over so many domains. */
  readonly domains: number | undefined;
}

/** Answers how many were sent by the end. */
async function run(relay: MailRelay, { name, count, endAt, domains }: Run): Promise<number> {
  let failure: unknown;
  let accepted: number | undefined;
  async function* people(): AsyncGenerator<ReturnType<typeof recipient>> {
    for (let index = 0; index < count && performance.now() < endAt; index++) yield recipient(index, domains);
  }
  relay.sendMany(people(), { campaign: name, template: 'mail' }).then(
    (result) => {
      accepted = result.accepted;
    },
    (error) => {
      failure = error;
    },
  );
  for (;;) {
    await setTimeout(50);
    if (failure !== undefined) throw failure;
    const report = await relay.reports.campaign(name).catch(() => undefined);
    if (report === undefined || accepted === undefined) continue;
    if (report.pending > 0 && performance.now() < endAt) continue;
    if (performance.now() < endAt && report.sent !== count) throw new Error(`${report.sent} of ${count} were sent`);
    return report.sent;
  }
}

serveCalls({ sample, campaign } satisfies RelayProcess);
