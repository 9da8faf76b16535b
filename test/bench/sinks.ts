/** What takes the mail: Postfix's `smtp-sink` where it is installed, else the built-in one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { findProgram, freePort, listening } from '../support/programs.ts';
import { startChild } from './child.ts';
import type { BuiltInSink } from './sink.child.ts';

/** A running sink on this machine. */
export interface Sink {
  readonly port: number;
  stop(): Promise<void>;
}

/** No sink runs longer than this, also when the benchmark is killed. */
const LONGEST = '3600';
let told = false;

/** Starts a sink. */
export async function startSink(): Promise<Sink> {
  const program = findProgram('smtp-sink');
  if (program !== undefined) {
    const port = await freePort();
    const daemon = startDaemon(program, [...asNobody(), `127.0.0.1:${port}`, '1000']);
    await listening(port);
    return { port, stop: daemon.stop };
  }
  if (!told) {
    console.error(
      'bench: smtp-sink is not installed (Debian: DEBIAN_FRONTEND=noninteractive apt-get install -y postfix); the built-in sink takes its place',
    );
  }
  told = true;
  const child = startChild<BuiltInSink>('./sink.child.ts');
  return { port: await child.ask('listen'), stop: child.stop };
}

/** Postfix's test programs do not run as root. */
export function asNobody(): string[] {
  return process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
}

/** Starts a program that ends with the benchmark, and by itself after an hour. */
export function startDaemon(
  program: string,
  parameters: readonly string[],
): { readonly ended: Promise<void>; readonly stop: () => Promise<void> } {
  const child: ChildProcess = spawn('timeout', [LONGEST, program, ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const kill = (): void => void child.kill('SIGTERM');
  process.once('exit', kill);
  return {
    ended,
    async stop() {
      kill();
      await ended;
      process.off('exit', kill);
    },
  };
}
