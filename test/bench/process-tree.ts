/** What other programs use, with everything that they start. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const SAMPLED_MS = 100;

/** What a program used while it worked. */
export interface TreeUsage {
  readonly cpuSeconds: number;
  /** The most memory of all its processes together, pages that they share counted once, bytes. */
  readonly memoryPeak: number;
}

/** Runs a task and says what all processes below one used for it, that one included unless it is this process. */
export async function measuredTree(root: number, task: () => Promise<unknown>): Promise<TreeUsage> {
  let memoryPeak = 0;
  const look = (): void => {
    memoryPeak = Math.max(memoryPeak, memoryOf(processesBelow(root)));
  };
  const timer = setInterval(look, SAMPLED_MS);
  const before = cpuSecondsOf(root);
  try {
    await task();
  } finally {
    clearInterval(timer);
  }
  look();
  return { cpuSeconds: cpuSecondsOf(root) - before, memoryPeak };
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Of its own. */
  readonly ticks: number;
  /** Of children that have ended. */
  readonly endedTicks: number;
}

function processesBelow(root: number): Stat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
  const byParent = Map.groupBy(all, ({ parent }) => parent);
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...(byParent.get(pid) ?? []));
  return found;
}

/** Undefined where the process has ended meanwhile. */
function statOf(pid: number): Stat | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return { pid, parent: fields[1] ?? 0, ticks: user + system, endedTicks: endedUser + endedSystem };
}

function cpuSecondsOf(root: number): number {
  const ticks = processesBelow(root).map(({ pid, ticks, endedTicks }) =>
    pid === process.pid ? endedTicks : ticks + endedTicks,
  );
  return ticks.reduce((sum, some) => sum + some, 0) / TICKS_PER_SECOND;
}

function memoryOf(processes: readonly Stat[]): number {
  const sizes = processes.map(({ pid }) => {
    const [, kilobytes = '0'] =
      /^Pss:\s+(\d+)/m.exec(pid === process.pid ? '' : (read(`/proc/${pid}/smaps_rollup`) ?? '')) ?? [];
    return Number(kilobytes) * 1024;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
