import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SOURCE_ARGUMENTS } from '../support/source.ts';
import { type Benchmark, percentile, scratchFolder } from './figures.ts';

interface Start {
  readonly mountedMs: number;
  readonly mountedBytes: number;
  readonly readyMs: number;
  readonly readyBytes: number;
}

const FILE = join(import.meta.dirname, 'coldstart.child.ts');
const DECORATORS = `--import=${join(import.meta.dirname, '../support/decorators.ts')}`;

/** What the relay adds to the start of a Nest application that has nothing else. */
export const coldstart: Benchmark = {
  name: 'coldstart',
  title: 'what the relay adds to an empty Nest application on Express',
  async run(size) {
    const rounds = size === 'full' ? 15 : 1;
    const folder = scratchFolder();
    const store = join(folder.path, 'relay.db');
    const empty: Start[] = [];
    const relay: Start[] = [];
    // In turns, so that a busy moment meets both; the first pair warms the disk.
    for (let round = 0; round <= rounds; round++) {
      const pair = [await start('empty', store), await start('relay', store)] as const;
      if (round === 0 && size === 'full') continue;
      empty.push(pair[0]);
      relay.push(pair[1]);
    }
    folder.remove();
    const added = (key: keyof Start): number =>
      median(relay.map((one) => one[key])) - median(empty.map((one) => one[key]));
    return [
      { name: 'imported and mounted, time', value: added('mountedMs'), unit: 'ms', target: 150, atMost: true },
      {
        name: 'imported and mounted, memory',
        value: added('mountedBytes') / 1e6,
        unit: 'MB',
        target: 40,
        atMost: true,
      },
      { name: 'ready: store open, engine in its thread, time', value: added('readyMs'), unit: 'ms' },
      { name: 'ready, memory', value: added('readyBytes') / 1e6, unit: 'MB' },
      {
        name: 'the empty application, until it listens',
        value: median(empty.map(({ readyMs }) => readyMs)),
        unit: 'ms',
      },
    ];
  },
};

async function start(kind: 'empty' | 'relay', store: string): Promise<Start> {
  // Where the packages are taken from their sources, their decorators have to be compiled, too.
  const fromSource = process.execArgv.includes(SOURCE_ARGUMENTS[0] as string);
  const execArgv = fromSource ? [...process.execArgv, DECORATORS] : process.execArgv;
  const child = fork(FILE, [kind, store], { execArgv: [...execArgv] });
  const [said] = (await once(child, 'message')) as [Start];
  await once(child, 'exit');
  return said;
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
