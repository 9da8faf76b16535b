/** Processes beside the benchmark: each takes calls over IPC, and ends with the benchmark, however that ends. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a process of its own is asked. */
export interface Child<Api extends CallsOf<Api>> {
  ask<Name extends keyof Api>(
    name: Name,
    ...parameters: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>>;
  /** Lets it end, and waits for that. */
  stop(): Promise<void>;
}

type CallsOf<Api> = { [Name in keyof Api]: (...parameters: never[]) => unknown };
type Answer = { id: number; value?: unknown; error?: string };

/** Starts a file of this folder in a process of its own; `execArgv` comes on top of this process's options. */
export function startChild<Api extends CallsOf<Api>>(file: string, execArgv: readonly string[] = []): Child<Api> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, [], { execArgv: [...process.execArgv, ...execArgv], serialization: 'advanced' });
  const calls = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  child.on('message', ({ id, value, error }: Answer) => {
    const call = calls.get(id);
    calls.delete(id);
    if (error === undefined) call?.resolve(value as never);
    else call?.reject(new Error(`${file}: ${error}`));
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      for (const { reject } of calls.values()) reject(new Error(`${file} ended with ${signal ?? code}`));
      resolve();
    });
  });
  return {
    ask: (name, ...parameters) =>
      new Promise((resolve, reject) => {
        last += 1;
        calls.set(last, { resolve, reject });
        child.send({ id: last, name, parameters });
      }),
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** The other side: answers calls until the benchmark lets go, or is gone. */
export function serveCalls(api: object): void {
  const calls = api as Record<string, (...parameters: unknown[]) => unknown>;
  process.on('message', async ({ id, name, parameters }: { id: number; name: string; parameters: unknown[] }) => {
    let answer: Answer;
    try {
      answer = { id, value: await calls[name]?.(...parameters) };
    } catch (error) {
      answer = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    if (process.connected) process.send?.(answer);
  });
  process.on('disconnect', () => process.exit(0));
}
