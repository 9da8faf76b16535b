import { Agent, get } from 'node:http';
import { type Child, startChild } from './child.ts';
import { type Benchmark, median, medianRatio, percentile, type Size } from './figures.ts';
import type { HostProcess, Sending } from './host.child.ts';
import { usualMail } from './mails.ts';
import type { RelayProcess } from './relay.child.ts';
import { startSink } from './sinks.ts';

const PER_SECOND = 200;
/** Of what the pool reached before the first round: the relay is to send as much also where the pool gets faster. */
const OF_THE_POOL = 1.05;
const SIZES: Readonly<Record<Size, { seconds: number; settleMs: number; rounds: number }>> = {
  full: { seconds: 5, settleMs: 1500, rounds: 8 },
  tiny: { seconds: 0.5, settleMs: 0, rounds: 1 },
};

/** What the route of a host application feels while mail is sent. */
export const host: Benchmark = {
  name: 'host',
  title: `99th percentile of an Express route under ${PER_SECOND} requests a second: idle, beside nodemailer's pool, beside the relay`,
  durable: true,
  async run(size) {
    const { seconds, settleMs, rounds } = SIZES[size];
    const mail = usualMail(size);
    const sink = await startSink();
    const child = startChild<HostProcess>('./host.child.ts');
    const sampler = startChild<RelayProcess>('./relay.child.ts');
    try {
      const { html, text } = await sampler.ask('sample', mail);
      await sampler.stop();
      const port = await child.ask('listen');
      const measure = (sending: Sending | undefined): Promise<Measured> =>
        measureRoute({ child, port, sending, settleMs, seconds });
      const relay = { by: 'relay', port: sink.port, mail } as const;
      // V8 compiles in the first seconds of each way to send; an application runs for days.
      const pool = { by: 'pool', port: sink.port, html, text } as const;
      await measure(pool);
      const atPoolsRate = { ...relay, perSecond: Math.max(1, OF_THE_POOL * (await measure(pool)).sentPerSecond) };
      const atFullSpeed = { ...relay, perSecond: undefined };
      for (const sending of [atPoolsRate, atPoolsRate, atFullSpeed, undefined]) await measure(sending);
      const runs: Record<'idle' | 'pool' | 'atRate' | 'atFull', Measured[]> = {
        idle: [],
        pool: [],
        atRate: [],
        atFull: [],
      };
      for (let round = 0; round < rounds; round++) {
        runs.idle.push(await measure(undefined));
        runs.pool.push(await measure(pool));
        runs.atRate.push(await measure(atPoolsRate));
        runs.atFull.push(await measure(atFullSpeed));
      }
      return figures(runs);
    } finally {
      await sampler.stop();
      await child.stop();
      await sink.stop();
    }
  },
};

interface Measured {
  readonly p99Ms: number;
  readonly medianMs: number;
  readonly sentPerSecond: number;
}

async function measureRoute(task: {
  readonly child: Child<HostProcess>;
  readonly port: number;
  readonly sending: Sending | undefined;
  readonly settleMs: number;
  readonly seconds: number;
}): Promise<Measured> {
  const { child, port, sending, settleMs, seconds } = task;
  if (sending !== undefined) await child.ask('begin', sending);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  await child.ask('sent');
  const start = performance.now();
  const times = await askSteadily(port, seconds);
  const sent = await child.ask('sent');
  const sentPerSecond = sent / ((performance.now() - start) / 1000);
  await child.ask('end');
  return { p99Ms: percentile(times, 0.99), medianMs: median(times), sentPerSecond };
}

/** Ms of each answer. Requests are made when they are due, whether or not others wait: a server that stands still is felt by all. */
async function askSteadily(port: number, seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const count = Math.round(PER_SECOND * seconds);
  const start = performance.now();
  const answers: Promise<number>[] = [];
  try {
    while (answers.length < count) {
      const dueAt = start + (answers.length * 1000) / PER_SECOND;
      const wait = dueAt - performance.now();
      if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
      // A late timer of this process is not the server's.
      answers.push(answerMs(agent, port, performance.now()));
    }
    return await Promise.all(answers);
  } finally {
    agent.destroy();
  }
}

function answerMs(agent: Agent, port: number, start: number): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ agent, port, host: '127.0.0.1', path: '/' }, (response) => {
      response.resume();
      response.once('end', () => resolve(performance.now() - start));
    }).once('error', reject);
  });
}

function figures(runs: Record<'idle' | 'pool' | 'atRate' | 'atFull', Measured[]>) {
  const of = (kind: keyof typeof runs, figure: keyof Measured): number[] => runs[kind].map((run) => run[figure]);
  // Ten of a round's requests make its 99th percentile, so that rounds differ by more than the minutes of the machine do.
  const times = (kind: keyof typeof runs): number => median(of(kind, 'p99Ms')) / median(of('idle', 'p99Ms'));
  return [
    { name: 'idle: 99th percentile', value: median(of('idle', 'p99Ms')), unit: 'ms' },
    { name: 'beside the pool: 99th percentile', value: median(of('pool', 'p99Ms')), unit: 'ms' },
    { name: 'beside the pool: mails', value: median(of('pool', 'sentPerSecond')), unit: 'per second' },
    { name: 'beside the pool: times the idle one', value: times('pool'), unit: 'times' },
    { name: "at the pool's rate: 99th percentile", value: median(of('atRate', 'p99Ms')), unit: 'ms' },
    { name: "at the pool's rate: mails", value: median(of('atRate', 'sentPerSecond')), unit: 'per second' },
    {
      name: "at the pool's rate: of the pool's mails",
      value: 100 * medianRatio(of('atRate', 'sentPerSecond'), of('pool', 'sentPerSecond')),
      unit: '%',
      target: 95,
    },
    { name: "at the pool's rate: times the idle one", value: times('atRate'), unit: 'times', target: 2, atMost: true },
    { name: 'at full speed: 99th percentile', value: median(of('atFull', 'p99Ms')), unit: 'ms' },
    { name: 'at full speed: mails', value: median(of('atFull', 'sentPerSecond')), unit: 'per second' },
    { name: 'at full speed: times the idle one', value: times('atFull'), unit: 'times', target: 5, atMost: true },
  ];
}
