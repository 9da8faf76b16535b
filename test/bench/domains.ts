import { startChild } from './child.ts';
import type { DnsProcess } from './dns.child.ts';
import { type Benchmark, type Figure, inRounds, median, medianRatio, type Size } from './figures.ts';
import { signingKey, usualMail } from './mails.ts';
import type { CampaignRun, RelayProcess } from './relay.child.ts';
import { startSink } from './sinks.ts';

const SIZES: Readonly<Record<Size, { recipients: number; few: number; many: number; rounds: number }>> = {
  full: { recipients: 20_000, few: 10, many: 10_000, rounds: 6 },
  tiny: { recipients: 60, few: 3, many: 30, rounds: 1 },
};
/** Mail servers of all domains together: most domains have theirs with one of few companies. */
const HOSTS = 10;
const LONGEST_SECONDS = 220;

/**
 * What recipient domains cost in direct MX: for mail that is signed, as receivers ask of all of it, and without what signing
 * takes. The name server and the mail servers are other processes.
 */
export const domains: Benchmark = {
  name: 'domains',
  title:
    '20,000 mails of about 10 KB, signed and not, straight to the mail servers of 10,000 recipient domains, beside 10',
  durable: true,
  onDemand: true,
  async run(size) {
    const { recipients, few, many, rounds } = SIZES[size];
    const sink = await startSink();
    const shared = startChild<DnsProcess>('./dns.child.ts');
    const own = startChild<DnsProcess>('./dns.child.ts');
    const runs: Runs = { few: [], many: [], fewSigned: [], manySigned: [], apart: [] };
    const privateKey = signingKey();
    try {
      const dnsPort = await shared.ask('listen', HOSTS);
      const ownPort = await own.ask('listen', many);
      const turn = async (name: keyof Runs, direct: { dnsPort: number; domains: number }): Promise<void> => {
        const child = startChild<RelayProcess>('./relay.child.ts');
        const key = name === 'fewSigned' || name === 'manySigned' ? { privateKey } : {};
        const mails = { mail: usualMail(size), recipients, warmUp: 0, port: sink.port, longestSeconds: 300 };
        const task = { ...mails, direct, ...key };
        runs[name].push(await child.ask('campaign', task).finally(child.stop));
      };
      const turns = [
        () => turn('few', { dnsPort, domains: few }),
        () => turn('many', { dnsPort, domains: many }),
        () => turn('fewSigned', { dnsPort, domains: few }),
        () => turn('manySigned', { dnsPort, domains: many }),
      ];
      // A shared machine is faster or slower from one minute to the next: many short rounds, and what has no target only once.
      await inRounds(rounds, LONGEST_SECONDS, async (round) => {
        for (const one of round % 2 === 0 ? turns : turns.toReversed()) await one();
      });
      await turn('apart', { dnsPort: ownPort, domains: many });
      return figures(runs, recipients, { few, many });
    } finally {
      await Promise.all([shared.stop(), own.stop(), sink.stop()]);
    }
  },
};

type Runs = Readonly<Record<'few' | 'many' | 'fewSigned' | 'manySigned' | 'apart', CampaignRun[]>>;

function figures(
  { few, many, fewSigned, manySigned, apart }: Runs,
  recipients: number,
  count: { few: number; many: number },
): Figure[] {
  const speeds = (runs: readonly CampaignRun[]): number[] => runs.map(({ sent, seconds }) => sent / seconds);
  const costs = (runs: readonly CampaignRun[]): number[] => runs.map((run) => (run.cpuSeconds / recipients) * 1e6);
  const [fewName, manyName] = [count.few, count.many].map((number) => number.toLocaleString('en'));
  const times = { unit: 'times', target: 1.3, atMost: true } as const;
  return [
    { name: `${fewName} domains`, value: median(speeds(few)), unit: 'messages/s' },
    { name: `${manyName} domains of ${HOSTS} hosts`, value: median(speeds(many)), unit: 'messages/s' },
    { name: `${manyName} domains, each with its host`, value: median(speeds(apart)), unit: 'messages/s' },
    { name: `${fewName} domains, signed`, value: median(speeds(fewSigned)), unit: 'messages/s' },
    { name: `${manyName} domains of ${HOSTS} hosts, signed`, value: median(speeds(manySigned)), unit: 'messages/s' },
    {
      name: `${manyName} domains of ${HOSTS} hosts, signed: speed`,
      value: 100 * medianRatio(speeds(manySigned), speeds(fewSigned)),
      unit: '%',
      target: 90,
    },
    {
      name: `${manyName} domains of ${HOSTS} hosts: speed`,
      value: 100 * medianRatio(speeds(many), speeds(few)),
      unit: '%',
      target: 85,
    },
    { name: `${fewName} domains: CPU of a delivery`, value: median(costs(few)), unit: 'µs' },
    { name: `${manyName} domains of ${HOSTS} hosts: cost`, value: medianRatio(costs(many), costs(few)), ...times },
    {
      name: `${manyName} domains, each with its host: cost`,
      value: median(costs(apart)) / median(costs(few)),
      unit: 'times',
    },
  ];
}
