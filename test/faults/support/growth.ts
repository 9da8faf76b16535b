import { readdirSync, statSync } from 'node:fs';
import type { RemoteRelay } from './relay.ts';

/** What a relay's process has in its hands at a moment, after garbage was collected. Sizes in bytes. */
export interface Sample {
  readonly rss: number;
  readonly heap: number;
  readonly handles: number;
  /** The same of the engine's thread. */
  readonly engineHeap: number;
  readonly engineExternal: number;
  readonly engineHandles: number;
  /** Descriptors: files and connections. */
  readonly files: number;
  /** Size of the log beside the database. */
  readonly log: number;
}

/** @param relay - preloaded with `engine-usage.ts` */
export async function sampleOf(relay: RemoteRelay, store: string): Promise<Sample> {
  const engine = await relay.engineUsage();
  const host = await relay.usage();
  return {
    rss: host.rss,
    heap: host.heap,
    handles: host.handles.length,
    engineHeap: engine.heap,
    engineExternal: engine.external,
    engineHandles: engine.handles.length,
    files: openFiles(relay),
    log: statSync(`${store}-wal`).size,
  };
}

/** Descriptors of a process. */
export function openFiles({ pid }: RemoteRelay): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** By how much the last third is more than the first one, as a rule; the first third is there to warm up. */
export function growthOf(samples: readonly Sample[]): Sample {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const names = Object.keys(samples[0] as Sample) as (keyof Sample)[];
  const grown = (name: keyof Sample): number =>
    median(samples.slice(-third).map((sample) => sample[name])) -
    median(samples.slice(0, third).map((sample) => sample[name]));
  return Object.fromEntries(names.map((name) => [name, grown(name)])) as Record<keyof Sample, number>;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}
