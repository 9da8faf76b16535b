import { randomBytes } from 'node:crypto';
import { getPriority, setPriority } from 'node:os';

/**
 * What the relay's threads leave to others (nice values of Linux, where the host's thread has 0): a request that the host
 * answers is not to wait for a mail, and a mail not for signatures, of which the engine decides what there is to sign next.
 * Alone on the machine they lose nothing by it.
 */
export const NICENESS = { engine: 5, signatures: 15 } as const;

/** This thread takes what more urgent ones leave. Never the other way: what the host's process gives way to stays. */
export function giveWay(niceness: number): void {
  // On Linux the number 0 is this thread; elsewhere it is the process of the host, which is left alone.
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.max(getPriority(0), niceness));
  } catch {
    // A host that may not do that works all the same.
  }
}

/**
 * Starts the thread pool of Node, which all threads of the process share, where nothing has used it yet. Its threads take
 * after the one that starts them, and those that work for the host are not to give way.
 */
export function startThreadPool(): void {
  randomBytes(1, () => {});
}
