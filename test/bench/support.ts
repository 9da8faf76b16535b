import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** A benchmark: figures out of one run, peers measured beside it. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  run(): Promise<readonly Figure[]>;
}

/** Starts the sink in a process of its own. */
export async function startSink(): Promise<{ port: number; stop: () => void }> {
  const child = fork(fileURLToPath(new URL('./sink.ts', import.meta.url)), [], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.once('data', (data: Buffer) => resolve(Number(data.toString().trim())));
    child.once('exit', () => reject(new Error('the sink ended')));
  });
  return { port, stop: () => void child.kill() };
}

/** A folder that goes away with `remove()`. */
export function scratchFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'mail-relay-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Milliseconds that a task takes. */
export async function elapsedMs(task: () => unknown): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
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

/** The median. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
