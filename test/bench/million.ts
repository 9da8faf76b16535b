import { startChild } from './child.ts';
import { claimCosts } from './claims.ts';
import type { Benchmark, Size } from './figures.ts';
import { usualMail } from './mails.ts';
import type { RelayProcess } from './relay.child.ts';

const MB = 1 << 20;
const SIZES: Readonly<Record<Size, { recipients: number; warmUp: number; fewRows: number; manyRows: number }>> = {
  full: { recipients: 1_000_000, warmUp: 2000, fewRows: 10_000, manyRows: 1_000_000 },
  tiny: { recipients: 300, warmUp: 0, fewRows: 200, manyRows: 1000 },
};
/** For the campaign: as one benchmark of all, and where it is asked for alone. */
const LONGEST_SECONDS = { shared: 540, alone: 960 };

/** Whether size costs: memory of a long campaign, and the cost of one delivery among many. */
export const million: Benchmark = {
  name: 'million',
  title:
    'a campaign of 1,000,000 recipients from an async generator into the capture transport, and the store beneath it',
  durable: true,
  async run(size, alone) {
    const { recipients, warmUp, fewRows, manyRows } = SIZES[size];
    const costs = await claimCosts(fewRows, manyRows);
    const child = startChild<RelayProcess>('./relay.child.ts');
    const longestSeconds = alone ? LONGEST_SECONDS.alone : LONGEST_SECONDS.shared;
    const task = { mail: usualMail(size), recipients, warmUp, port: undefined, longestSeconds } as const;
    const run = await child.ask('campaign', task).finally(child.stop);
    return [
      // Memory of less would say nothing.
      { name: 'deliveries before the time was over', value: run.sent, unit: 'mails', target: recipients },
      { name: 'speed', value: run.sent / run.seconds, unit: 'messages/s' },
      { name: 'resident memory before', value: run.rssBefore / MB, unit: 'MB' },
      {
        name: 'resident memory grows by',
        value: (run.rssPeak - run.rssBefore) / MB,
        unit: 'MB',
        target: 100,
        atMost: true,
      },
      { name: 'claim and finish, few rows', value: costs.few, unit: 'µs/delivery' },
      { name: 'claim and finish, many rows', value: costs.many, unit: 'µs/delivery' },
      { name: 'claim and finish, many to few', value: costs.ratio, unit: 'times', target: 1.3, atMost: true },
    ];
  },
};
