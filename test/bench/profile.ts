import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from './child.ts';
import { type Benchmark, type Figure, type Size, scratchFolder } from './figures.ts';
import { type MailSize, usualMail } from './mails.ts';
import type { RelayProcess } from './relay.child.ts';
import { startSink } from './sinks.ts';

/** Part of a V8 CPU profile. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  }[];
  /** µs, on a clock that nobody sets. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A function and its own share of the time in which a thread worked. */
export interface Entry {
  readonly where: string;
  readonly percent: number;
}

const SIZES: Readonly<Record<Size, number>> = { full: 20_000, tiny: 60 };
/** What programs take to start is over then. */
const WARM_UP = 1000;
const SHOWN = 25;

/** Where the time of a campaign goes. */
export const profile: Benchmark = {
  name: 'profile',
  title: "functions of the engine's thread and of the host's, by their own share of a campaign of mails of 10 KB",
  onDemand: true,
  async run(size) {
    const threads = await profileCampaign(SIZES[size], usualMail(size));
    return threads.flatMap(({ thread, entries }): Figure[] =>
      entries.map(({ where, percent }) => ({ name: `${thread}: ${where}`, value: percent, unit: '%' })),
    );
  },
};

/** Runs a campaign under V8's profiler: the busiest functions of each thread, from the end of a warm-up on. */
export async function profileCampaign(
  recipients: number,
  mail: MailSize,
): Promise<{ readonly thread: 'engine' | 'host'; readonly entries: readonly Entry[] }[]> {
  const folder = scratchFolder();
  const sink = await startSink();
  const child = startChild<RelayProcess>('./relay.child.ts', ['--cpu-prof', `--cpu-prof-dir=${folder.path}`]);
  try {
    const task = {
      mail,
      recipients,
      warmUp: Math.min(WARM_UP, recipients),
      port: sink.port,
      longestSeconds: 120,
    } as const;
    const { startedUs } = await child.ask('campaign', task).finally(child.stop);
    const threads = readdirSync(folder.path)
      .filter((name) => name.endsWith('.cpuprofile'))
      // CPU.<day>.<time>.<process>.<thread>.<number>.cpuprofile
      .map((name) => ({ host: name.split('.')[4] === '0', ...readProfile(join(folder.path, name), startedUs) }))
      .sort((one, other) => other.busyMs - one.busyMs);
    const engine = threads.find(({ host }) => !host);
    const host = threads.find(({ host }) => host);
    return [
      { thread: 'engine', entries: engine?.entries ?? [] },
      { thread: 'host', entries: host?.entries ?? [] },
    ];
  } finally {
    await sink.stop();
    folder.remove();
  }
}

/** @param sinceUs - what was before does not count */
function readProfile(path: string, sinceUs: number): { busyMs: number; entries: Entry[] } {
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let at = startTime;
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? '?';
    const time = timeDeltas[index] ?? 0;
    at += time;
    if (name === '(idle)' || at < sinceUs) continue;
    busy += time;
    times.set(name, (times.get(name) ?? 0) + time);
  }
  const entries = [...times]
    .sort(([, one], [, other]) => other - one)
    .slice(0, SHOWN)
    .map(([where, time]) => ({ where, percent: (100 * time) / busy }));
  return { busyMs: busy / 1000, entries };
}

/** `settle (store/sqlite/queue.ts:120)`, `writev (native)`. */
function nameOf({ functionName, url, lineNumber, columnNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (functionName.startsWith('(')) return functionName;
  const origin = sourceMapOf(url)?.findOrigin(lineNumber + 1, columnNumber + 1);
  const place = origin && 'fileName' in origin ? origin : { fileName: url, lineNumber: lineNumber + 1 };
  const file = place.fileName
    .replace(/^.*(?:packages\/core|\.\.)\/(?:dist|src)\//, '')
    .replace(/^.*\/node_modules\//, '');
  return `${functionName || 'anonymous'} (${file === '' ? 'native' : `${file}:${place.lineNumber}`})`;
}

const sourceMaps = new Map<string, SourceMap | undefined>();

/** How a file was packed from its sources, where it was. */
function sourceMapOf(url: string): SourceMap | undefined {
  if (!sourceMaps.has(url)) sourceMaps.set(url, readSourceMap(url));
  return sourceMaps.get(url);
}

function readSourceMap(url: string): SourceMap | undefined {
  const path = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : '';
  return existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}
