import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * What the relay's threads leave to others (nice values of Linux, where the host's thread has 0): a request that the host
 * answers is not to wait for a mail, and a mail not for signatures, of which the engine decides what there is to sign next.
 * Alone on the machine they lose nothing by it. V8's helpers, which all threads of the process share, are busy with the
 * engine's garbage while mail goes out; higher than this, the host's own garbage would wait where others use all cores.
 */
export const NICENESS = { engine: 5, v8Helpers: 7, signatures: 15 } as const;

/**
 * This thread, or the one of that number, takes what more urgent ones leave. Never the other way: what the host's process
 * gives way to stays.
 */
export function giveWay(niceness: number, thread = 0): void {
  // On Linux the number 0 is this thread; elsewhere it is the process of the host, which is left alone.
  if (process.platform !== 'linux') return;
  try {
    setPriority(thread, Math.max(getPriority(thread), niceness));
  } catch {
    // A host that may not do that works all the same.
  }
}

/** V8's helpers, which collect garbage and compile for all threads of the process, let its threads go first. */
export function letV8HelpersGiveWay(): void {
  if (process.platform !== 'linux') return;
  for (const thread of threadsNamed('V8Worker')) giveWay(NICENESS.v8Helpers, thread);
}

/** Numbers of this process's threads of a name, see proc(5). */
function threadsNamed(name: string): number[] {
  try {
    const threads = readdirSync('/proc/self/task');
    return threads.filter((thread) => nameOf(thread) === name).map(Number);
  } catch {
    return [];
  }
}

function nameOf(thread: string): string | undefined {
  try {
    return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim();
  } catch {
    return undefined; // It has ended since.
  }
}

/**
 * Starts the thread pool of Node, which all threads of the process share, where nothing has used it yet. Its threads take
 * after the one that starts them, and those that work for the host are not to give way.
 */
export function startThreadPool(): void {
  randomBytes(1, () => {});
}
