import { startChild } from './child.ts';
import { type Benchmark, type Figure, inRounds, median, medianRatio, type Size } from './figures.ts';
import type { Usage } from './load.ts';
import { signingKey, usualMail } from './mails.ts';
import type { PoolProcess } from './pool.child.ts';
import { throughPostfix, whyNoPostfix } from './postfix.ts';
import type { RelayProcess } from './relay.child.ts';
import { startSink } from './sinks.ts';

/** Peers send fewer, as long as their speed does not depend on that, so that all fit into the time. */
const SIZES: Readonly<Record<Size, { recipients: number; peers: number; warmUp: number; rounds: number }>> = {
  full: { recipients: 20_000, peers: 4000, warmUp: 1000, rounds: 3 },
  tiny: { recipients: 60, peers: 30, warmUp: 0, rounds: 1 },
};

const LONGEST_SECONDS = 150;

/** A signed campaign at full speed, beside nodemailer's pool that signs, too, and Postfix that relays without signing. */
export const signed: Benchmark = {
  name: 'signed',
  title:
    "20,000 template mails of about 10 KB, signed with RSA of 2048 bits: beside nodemailer's pool that signs, and Postfix as a relay that does not",
  durable: true,
  onDemand: true,
  async run(size) {
    const { recipients, peers, warmUp, rounds } = SIZES[size];
    const mail = usualMail(size);
    const privateKey = signingKey();
    const sink = await startSink();
    const speeds: Speeds = { ours: [], pool: [], postfix: [] };
    const cpu: number[] = [];
    const noPostfix = whyNoPostfix();
    if (noPostfix !== undefined) console.error(`bench: ${noPostfix}: there is no figure of it`);
    try {
      const sampler = startChild<RelayProcess>('./relay.child.ts');
      const { html, text, bytes } = await sampler.ask('sample', mail).finally(sampler.stop);
      const ours = async (): Promise<void> => {
        const child = startChild<RelayProcess>('./relay.child.ts');
        const task = { mail, recipients, warmUp, port: sink.port, longestSeconds: 300, privateKey } as const;
        const run = await child.ask('campaign', task).finally(child.stop);
        speeds.ours.push(run.sent / run.seconds);
        cpu.push(cpuOf(run, recipients));
      };
      const pool = async (): Promise<void> => {
        const child = startChild<PoolProcess>('./pool.child.ts');
        const task = { port: sink.port, messages: peers, warmUp: Math.min(warmUp, peers), html, text, privateKey };
        const run = await child.ask('send', task).finally(child.stop);
        speeds.pool.push(peers / run.seconds);
      };
      const postfix = async (): Promise<void> => {
        if (noPostfix === undefined) speeds.postfix.push(peers / (await throughPostfix(peers, bytes)).seconds);
      };
      await inRounds(rounds, LONGEST_SECONDS, async (round) => {
        // Who goes first changes, so that none always follows the other.
        for (const turn of round % 2 === 0 ? [ours, pool, postfix] : [postfix, pool, ours]) await turn();
      });
      return figures(speeds, cpu, bytes);
    } finally {
      await sink.stop();
    }
  },
};

type Speeds = Readonly<Record<'ours' | 'pool' | 'postfix', number[]>>;

function cpuOf({ cpuSeconds }: Usage, recipients: number): number {
  return (cpuSeconds / recipients) * 1000;
}

function figures({ ours, pool, postfix }: Speeds, cpu: readonly number[], bytes: number): Figure[] {
  const unit = 'messages/s';
  return [
    { name: 'one mail, without its signature', value: bytes / 1024, unit: 'KB' },
    { name: 'mail relay, signed', value: median(ours), unit },
    { name: "nodemailer's pool, signed", value: median(pool), unit },
    { name: "ratio to nodemailer's pool", value: medianRatio(ours, pool), unit: 'times', target: 4 },
    ...(postfix.length === 0
      ? []
      : [
          { name: 'Postfix as a relay, unsigned', value: median(postfix), unit },
          { name: 'ratio to Postfix', value: medianRatio(ours, postfix), unit: 'times', target: 2 },
        ]),
    { name: 'mail relay: CPU of 1,000 messages', value: median(cpu), unit: 's' },
  ];
}
