import { startChild } from './child.ts';
import type { Benchmark, Figure, Size } from './figures.ts';
import { type Cell, type PeerCell, performanceTables, writeTables } from './growth-page.ts';
import { type MailSize, usualMail } from './mails.ts';
import type { PoolProcess } from './pool.child.ts';
import { sourceToSink, throughPostfix, whyNoPostfix } from './postfix.ts';
import { profileCampaign } from './profile.ts';
import type { RelayProcess } from './relay.child.ts';
import { type Sink, startSink } from './sinks.ts';

interface Plan {
  readonly mails: readonly MailSize[];
  readonly deliveries: readonly number[];
  /** Messages that each peer is measured with, by size of mail. */
  readonly peers: Readonly<Record<MailSize, { pool: number; postfix: number; source: number }>>;
  readonly profiled: number;
  /** Of one cell; a campaign that takes longer is given up, and its cell says so. */
  longestSeconds(mail: MailSize, deliveries: number): number;
}

const FEW = { pool: 20, postfix: 20, source: 20 };
const PLANS: Readonly<Record<Size, Plan>> = {
  full: {
    mails: ['1 KB', '10 KB', '100 KB'],
    deliveries: [1000, 100_000, 1_000_000],
    peers: {
      '1 KB': { pool: 20_000, postfix: 5000, source: 50_000 },
      '10 KB': { pool: 20_000, postfix: 5000, source: 50_000 },
      '100 KB': { pool: 2000, postfix: 2000, source: 10_000 },
    },
    profiled: 20_000,
    longestSeconds: (mail, deliveries) => (deliveries < 1_000_000 ? 60 : mail === '100 KB' ? 540 : 240),
  },
  tiny: {
    mails: ['1 KB'],
    deliveries: [50],
    peers: { '1 KB': FEW, '10 KB': FEW, '100 KB': FEW },
    profiled: 0,
    longestSeconds: () => 60,
  },
};

/** How speed and costs change with the number of deliveries and the size of mails; writes docs/performance.md. */
export const growth: Benchmark = {
  name: 'growth',
  title: 'messages per second, CPU, memory and database by deliveries and size of mail, beside peers',
  durable: true,
  onDemand: true,
  async run(size) {
    const plan = PLANS[size];
    const cells: Cell[] = [];
    const peers: PeerCell[] = [];
    const sink = await startSink();
    try {
      for (const mail of plan.mails) {
        peers.push(...(await measurePeers(mail, plan, sink)));
        for (const deliveries of plan.deliveries) {
          const longestSeconds = plan.longestSeconds(mail, deliveries);
          cells.push({ mail, deliveries, run: await measureCell(mail, deliveries, longestSeconds, sink) });
        }
      }
    } finally {
      await sink.stop();
    }
    const threads = plan.profiled === 0 ? [] : await profileCampaign(plan.profiled, usualMail(size));
    const tables = performanceTables({ cells, peers, engine: threads[0]?.entries ?? [] });
    if (size === 'full') writeTables(tables);
    return [...cells.flatMap(figuresOf), ...peers.map(figureOf)];
  },
};

async function measureCell(
  mail: MailSize,
  recipients: number,
  longestSeconds: number,
  { port }: Sink,
): Promise<Cell['run']> {
  const child = startChild<RelayProcess>('./relay.child.ts');
  const warmUp = Math.min(500, recipients);
  return child.ask('campaign', { mail, recipients, warmUp, port, longestSeconds }).finally(child.stop);
}

async function measurePeers(mail: MailSize, plan: Plan, { port }: Sink): Promise<PeerCell[]> {
  const sampler = startChild<RelayProcess>('./relay.child.ts');
  const { html, text, bytes } = await sampler.ask('sample', mail).finally(sampler.stop);
  const counts = plan.peers[mail];
  const child = startChild<PoolProcess>('./pool.child.ts');
  const task = { port, html, text, messages: counts.pool, warmUp: Math.min(500, counts.pool) };
  const pool = await child.ask('send', task).finally(child.stop);
  const cells: PeerCell[] = [
    { mail, bytes, peer: "nodemailer's pool", messages: counts.pool, run: { ...pool, memoryPeak: pool.rssPeak } },
  ];
  const reason = whyNoPostfix();
  const postfix = reason ?? (await throughPostfix(counts.postfix, bytes));
  const source = reason ?? (await sourceToSink(counts.source, bytes));
  cells.push(
    { mail, bytes, peer: 'Postfix as a relay', messages: counts.postfix, run: postfix },
    { mail, bytes, peer: 'smtp-source to smtp-sink', messages: counts.source, run: source },
  );
  return cells;
}

function figuresOf({ mail, deliveries, run }: Cell): Figure[] {
  const name = `${mail}, ${deliveries.toLocaleString('en')}`;
  return [
    { name: `${name}: speed`, value: run.sent / run.seconds, unit: 'messages/s' },
    { name: `${name}: CPU of 1,000`, value: (run.cpuSeconds / run.sent) * 1000, unit: 's' },
    { name: `${name}: resident memory`, value: run.rssPeak / (1 << 20), unit: 'MB' },
    // A campaign that was given up has rows of mails that were not sent.
    ...(run.sent < deliveries
      ? []
      : [{ name: `${name}: database`, value: run.bytesPerDelivery, unit: 'bytes/delivery' }]),
  ];
}

function figureOf({ mail, peer, messages, run }: PeerCell): Figure {
  const value = typeof run === 'string' ? 0 : messages / run.seconds;
  return { name: `${mail}, ${peer}`, value, unit: 'messages/s' };
}
