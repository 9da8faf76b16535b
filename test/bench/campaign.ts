import { startChild } from './child.ts';
import { type Benchmark, type Figure, inRounds, median, medianRatio, type Size } from './figures.ts';
import type { Usage } from './load.ts';
import { recipient, usualMail } from './mails.ts';
import type { PoolProcess, PoolRun } from './pool.child.ts';
import type { CampaignRun, RelayProcess } from './relay.child.ts';
import { startSink } from './sinks.ts';

const SIZES: Readonly<Record<Size, { recipients: number; warmUp: number; rounds: number }>> = {
  full: { recipients: 20_000, warmUp: 1000, rounds: 3 },
  tiny: { recipients: 60, warmUp: 0, rounds: 1 },
};

const LONGEST_SECONDS = 150;

/** A campaign at full speed, beside nodemailer's pool that sends messages of the same size, rendered before. */
export const campaign: Benchmark = {
  name: 'campaign',
  title:
    "20,000 template mails of about 10 KB: rendered, tracked and durable, beside nodemailer's pool with messages that are rendered already",
  durable: true,
  async run(size) {
    const { recipients, warmUp, rounds } = SIZES[size];
    const mail = usualMail(size);
    const sink = await startSink();
    const runs: Runs = { ours: [], peer: [] };
    const sampler = startChild<RelayProcess>('./relay.child.ts');
    try {
      const sample = await sampler.ask('sample', mail);
      const ours = async (): Promise<void> => {
        const child = startChild<RelayProcess>('./relay.child.ts');
        const task = { mail, recipients, warmUp, port: sink.port, longestSeconds: 300 } as const;
        const run = await child.ask('campaign', task);
        await child.stop();
        runs.ours.push(run);
      };
      const peer = async (): Promise<void> => {
        const child = startChild<PoolProcess>('./pool.child.ts');
        const task = { port: sink.port, messages: recipients, warmUp, html: sample.html, text: sample.text };
        const run = await child.ask('send', task);
        await child.stop();
        runs.peer.push(run);
      };
      await inRounds(rounds, LONGEST_SECONDS, async (round) => {
        // Who goes first changes, so that neither always follows the other.
        for (const turn of round % 2 === 0 ? [ours, peer] : [peer, ours]) await turn();
      });
      return figures(sample.bytes, runs, recipients);
    } finally {
      await sampler.stop();
      await sink.stop();
    }
  },
};

interface Runs {
  readonly ours: CampaignRun[];
  readonly peer: PoolRun[];
}

function figures(sampleBytes: number, { ours, peer }: Runs, recipients: number): Figure[] {
  const data = JSON.stringify({ data: recipient(10_000).data }).length;
  if (ours.some(({ sent }) => sent < recipients)) throw new Error('the time was over before all mail was sent');
  const speeds = (runs: readonly Usage[]): number[] => runs.map(({ seconds }) => recipients / seconds);
  const cpu = (runs: readonly Usage[]): number[] => runs.map(({ cpuSeconds }) => (cpuSeconds / recipients) * 1000);
  return [
    { name: 'one mail of ours', value: sampleBytes / 1024, unit: 'KB' },
    { name: 'one mail of the pool', value: (peer[0] as PoolRun).bytes / 1024, unit: 'KB' },
    { name: 'mail relay', value: median(speeds(ours)), unit: 'messages/s' },
    { name: "nodemailer's pool", value: median(speeds(peer)), unit: 'messages/s' },
    { name: 'ratio', value: medianRatio(speeds(ours), speeds(peer)), unit: 'times', target: 3 },
    { name: 'mail relay: CPU of 1,000 messages', value: median(cpu(ours)), unit: 's' },
    { name: "nodemailer's pool: CPU of 1,000 messages", value: median(cpu(peer)), unit: 's' },
    {
      name: 'database, without the data of recipients',
      value: median(ours.map(({ bytesPerDelivery }) => bytesPerDelivery)) - data,
      unit: 'bytes/delivery',
      target: 400,
      atMost: true,
    },
  ];
}
