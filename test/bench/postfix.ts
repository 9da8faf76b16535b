/** Postfix beside the relay: its test programs back to back, and an instance of its own as a relay between them. */
import { execFile } from 'node:child_process';
import { startPostfix } from '../support/postfix.ts';
import { findProgram, freePort, listening } from '../support/programs.ts';
import { elapsedMs, scratchFolder } from './figures.ts';
import { CONNECTIONS } from './mails.ts';
import { measuredTree, type TreeUsage } from './process-tree.ts';
import { asNobody, startDaemon, startSink } from './sinks.ts';

/** How fast mail went from `smtp-source` to `smtp-sink`, and what the programs used that are measured. */
export interface SourceRun extends TreeUsage {
  readonly seconds: number;
}

/** Why Postfix cannot be measured here; undefined where it can. */
export function whyNoPostfix(): string | undefined {
  if (findProgram('smtp-source') === undefined) return 'Postfix is not installed';
  if (process.platform !== 'linux') return 'Postfix is measured on Linux only';
  return process.getuid?.() === 0 ? undefined : 'Postfix starts as root only';
}

/** What the test programs reach, and use, without anything between them. Nothing else may run below this process. */
export async function sourceToSink(messages: number, bytes: number): Promise<SourceRun> {
  const sink = await startSink();
  try {
    return await timed(process.pid, () => pump(sink.port, messages, bytes));
  } finally {
    await sink.stop();
  }
}

/** An instance of Postfix with its own queue, until the last mail has left it. */
export async function throughPostfix(messages: number, bytes: number): Promise<SourceRun> {
  const folder = scratchFolder();
  const sink = await countingSink(messages);
  const port = await freePort();
  const postfix = startPostfix({
    folder: folder.path,
    listeners: [{ address: '127.0.0.1', port }],
    settings: {
      myhostname: 'bench.example.com',
      mynetworks: '127.0.0.0/8',
      relayhost: `[127.0.0.1]:${sink.port}`,
    },
  });
  try {
    await listening(port);
    return await timed(postfix.pid(), () => Promise.all([pump(port, messages, bytes), sink.ended]));
  } finally {
    await postfix.stop();
    await sink.stop();
    folder.remove();
  }
}

async function timed(root: number, task: () => Promise<unknown>): Promise<SourceRun> {
  let ms = 0;
  const usage = await measuredTree(root, async () => {
    ms = await elapsedMs(task);
  });
  return { seconds: ms / 1000, ...usage };
}

/** A sink that ends with the last message. */
async function countingSink(
  messages: number,
): Promise<{ port: number; ended: Promise<void>; stop: () => Promise<void> }> {
  const port = await freePort();
  const program = findProgram('smtp-sink') as string;
  const daemon = startDaemon(program, [...asNobody(), '-M', `${messages}`, `127.0.0.1:${port}`, '1000']);
  await listening(port);
  return { port, ...daemon };
}

/** Hands messages in, over connections that stay open. */
function pump(port: number, messages: number, bytes: number): Promise<void> {
  const count = ['-m', `${messages}`, '-l', `${bytes}`, '-s', `${CONNECTIONS}`];
  const envelope = ['-f', 'news@example.com', '-t', 'reader@example.com'];
  const parameters = ['-d', '-4', ...count, ...envelope, `127.0.0.1:${port}`];
  return new Promise((resolve, reject) => {
    const program = findProgram('smtp-source') as string;
    execFile(program, parameters, { timeout: 600_000 }, (error) => (error ? reject(error) : resolve()));
  });
}
