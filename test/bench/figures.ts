import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One figure of a benchmark. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the figure has to reach, where there is such a thing. */
  readonly target?: number;
  /** Whether smaller is better. */
  readonly atMost?: boolean;
}

/** `full` measures; `tiny` shows in seconds that a benchmark works, and its figures mean nothing. */
export type Size = 'full' | 'tiny';

/** A benchmark: figures out of one run, peers measured beside it. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** Its targets are for mail that is on a disk: where that is in memory it has none. */
  readonly durable?: boolean;
  /** Runs only where it is named. */
  readonly onDemand?: boolean;
  /** @param alone - nothing else runs, so that it may take the time that it needs. */
  run(size: Size, alone: boolean): Promise<readonly Figure[]>;
}

/** A folder that goes away with `remove()`, and with the process. */
export function scratchFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'mail-relay-bench-'));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}

/** On a tmpfs, where nothing is ever written to a disk. */
export function isInMemory(path: string): boolean {
  return statfsSync(path).type === 0x01021994;
}

/** Milliseconds that a task takes. */
export async function elapsedMs(task: () => unknown): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}

/** Rounds one after another; no further one begins after a time, so that a slow machine only makes fewer of them. */
export async function inRounds(
  rounds: number,
  longestSeconds: number,
  task: (round: number) => Promise<void>,
): Promise<void> {
  const end = performance.now() + longestSeconds * 1000;
  for (let round = 0; round < rounds && (round < 2 || performance.now() < end); round++) await task(round);
}

/** The value below which a share of the values lies; 0.5 is the median. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The median. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The median of what stands beside each other in time: rounds are compared, so that the noise of the machine falls out. */
export function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, round) => value / (others[round] as number)));
}

/**
 * Times rivals in turns, so that the noise of the machine falls on all of them: median ms per call.
 */
export async function rivals<K extends string>(
  tasks: Record<K, { calls: number; call: (index: number) => unknown }>,
  rounds = 7,
): Promise<Record<K, number>> {
  const samples = new Map<string, number[]>();
  const entries = Object.entries(tasks) as [K, { calls: number; call: (index: number) => unknown }][];
  for (let round = 0; round <= rounds; round++) {
    for (const [name, { calls, call }] of entries) {
      const ms = await elapsedMs(async () => {
        for (let index = 0; index < calls; index++) await call(index);
      });
      // The first round warms up.
      if (round > 0) samples.set(name, [...(samples.get(name) ?? []), ms / calls]);
    }
  }
  return Object.fromEntries(entries.map(([name]) => [name, median(samples.get(name) ?? [])])) as Record<K, number>;
}
