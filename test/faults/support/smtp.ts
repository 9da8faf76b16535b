import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { freePort } from '../../support/programs.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';
import type { Mode, Seen } from './smtp-log.ts';

const PROGRAM = fileURLToPath(new URL('./smtp-process.ts', import.meta.url));

/** An SMTP server in another process, until the test ends. */
export interface RemoteSmtp {
  readonly port: number;
  /** Everything that it saw, in order, over all its lives. */
  seen(): readonly Seen[];
  of(what: Seen['what']): readonly Seen[];
  behave(mode: Mode): Promise<void>;
  connections(): Promise<number>;
  /** How many pairs of garbage and step it has said. */
  garbage(): Promise<number>;
  /** SIGKILL. */
  die(): Promise<void>;
  /** Starts again, on the same port. */
  revive(): Promise<void>;
  /** Connections stay open, and nothing answers, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

/** Starts a server that takes everything. */
export async function remoteSmtp(folder: string): Promise<RemoteSmtp> {
  const log = join(folder, 'smtp.log');
  const frozen = join(folder, 'frozen');
  closeSync(openSync(log, 'a'));
  const read = follower(log);
  // It is to be there again after the server was gone for a while.
  const port = await freePort();
  let child: ChildProcess | undefined;
  onTestFinished(() => void child?.kill('SIGKILL'));

  async function ask<T>(question: object): Promise<T> {
    const answered = once(child as ChildProcess, 'message', { signal: AbortSignal.timeout(20_000) });
    child?.send(question);
    return ((await answered) as [T])[0];
  }

  async function revive(): Promise<void> {
    child = fork(PROGRAM, [log, String(port)], { execArgv: [...SOURCE_ARGUMENTS] });
    await once(child, 'message', { signal: AbortSignal.timeout(20_000) });
  }

  await revive();
  return {
    port,
    seen: read,
    of: (what) => read().filter((one) => one.what === what),
    behave: async (mode) => expect(await ask({ mode })).toEqual({ mode }),
    connections: async () => (await ask<{ connections: number }>({ connections: true })).connections,
    garbage: async () => (await ask<{ garbage: number }>({ garbage: true })).garbage,
    async die() {
      const gone = once(child as ChildProcess, 'exit');
      child?.kill('SIGKILL');
      await gone;
    },
    revive,
    freeze() {
      writeFileSync(frozen, '');
      child?.send({ freeze: frozen });
    },
    thaw: () => rmSync(frozen, { force: true }),
  };
}

/** Reads a log as it grows. */
function follower(log: string): () => readonly Seen[] {
  const seen: Seen[] = [];
  const buffer = Buffer.alloc(1 << 20);
  let at = 0;
  let rest = '';
  return () => {
    const file = openSync(log, 'r');
    for (let length = -1; length !== 0; ) {
      length = readSync(file, buffer, 0, buffer.length, at);
      at += length;
      const lines = (rest + buffer.toString('utf8', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) seen.push(JSON.parse(line) as Seen);
    }
    closeSync(file);
    return seen;
  };
}
