import { startChild } from './child.ts';
import type { DistanceProcess } from './distance.child.ts';
import { type Benchmark, inRounds, median, medianRatio, type Size } from './figures.ts';
import { CONNECTIONS, usualMail } from './mails.ts';
import type { PoolProcess } from './pool.child.ts';
import type { RelayProcess } from './relay.child.ts';
import { startSink } from './sinks.ts';

const SIZES: Readonly<Record<Size, { recipients: number; peer: number; warmUp: number; rounds: number }>> = {
  full: { recipients: 4000, peer: 1000, warmUp: 200, rounds: 3 },
  tiny: { recipients: 60, peer: 20, warmUp: 0, rounds: 1 },
};
const LONGEST_SECONDS = 60;
const ROUND_TRIP_MS = 20;

/** How often a server that is far away is waited for, with the same connections. */
export const distant: Benchmark = {
  name: 'distant',
  title: `a campaign over ${CONNECTIONS} connections to a server that is ${ROUND_TRIP_MS} ms away, beside nodemailer's pool`,
  async run(size) {
    const { recipients, peer, warmUp, rounds } = SIZES[size];
    const mail = usualMail(size);
    const sink = await startSink();
    const distance = startChild<DistanceProcess>('./distance.child.ts');
    const speeds: Record<'ours' | 'pool', number[]> = { ours: [], pool: [] };
    try {
      const port = await distance.ask('listen', sink.port, ROUND_TRIP_MS);
      const sampler = startChild<RelayProcess>('./relay.child.ts');
      const { html, text } = await sampler.ask('sample', mail).finally(sampler.stop);
      const ours = async (): Promise<void> => {
        const child = startChild<RelayProcess>('./relay.child.ts');
        const run = await child
          .ask('campaign', { mail, recipients, warmUp, port, longestSeconds: 120 })
          .finally(child.stop);
        speeds.ours.push(run.sent / run.seconds);
      };
      const pool = async (): Promise<void> => {
        const child = startChild<PoolProcess>('./pool.child.ts');
        const run = await child.ask('send', { port, messages: peer, warmUp, html, text }).finally(child.stop);
        speeds.pool.push(peer / run.seconds);
      };
      await inRounds(rounds, LONGEST_SECONDS, async (round) => {
        for (const turn of round % 2 === 0 ? [ours, pool] : [pool, ours]) await turn();
      });
      return [
        { name: 'mail relay', value: median(speeds.ours), unit: 'messages/s' },
        { name: "nodemailer's pool", value: median(speeds.pool), unit: 'messages/s' },
        { name: 'ratio', value: medianRatio(speeds.ours, speeds.pool), unit: 'times', target: 1.6 },
      ];
    } finally {
      await Promise.all([distance.stop(), sink.stop()]);
    }
  },
};
