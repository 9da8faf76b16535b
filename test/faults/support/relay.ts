import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { MailRelay, SendMessage } from '../../../packages/core/src/index.ts';
import { SOURCE_ARGUMENTS } from '../../support/source.ts';
import type { ThreadUsage } from './engine-usage.ts';
import type { Answer, RelaySettings } from './relay-calls.ts';
import type { Spree } from './spree.ts';

const PROGRAM = fileURLToPath(new URL('./relay-process.ts', import.meta.url));
const START_MS = 30_000;

/** Memory of a process, bytes, and what its main thread has in its hands. */
export interface Usage extends ThreadUsage {
  readonly rss: number;
}

/** A relay in another process. */
export interface RemoteRelay {
  readonly pid: number;
  /** Port of its routes, where they are served. */
  readonly port: number;
  /** What it logged as errors. */
  readonly errors: Readonly<Record<string, unknown>>[];
  readonly send: MailRelay['send'];
  sendMany(
    ...parameters: Parameters<MailRelay['sendMany']>
  ): Promise<{ readonly accepted: number; readonly rejected: number }>;
  readonly stop: MailRelay['stop'];
  readonly start: MailRelay['start'];
  usage(): Promise<Usage>;
  /** Of its engine, which has to be preloaded with `engine-usage.ts`. */
  engineUsage(): Promise<ThreadUsage>;
  /** Sends one mail after the other until it is killed. Rejects where it is not. */
  sendUntilKilled(spree: Spree<SendMessage>): Promise<void>;
  /** The same with URLs of its routes, which readers ask for. */
  readUntilKilled(spree: Spree<string>): Promise<void>;
  /** SIGKILL. Calls that wait for an answer never get one. */
  kill(): Promise<void>;
}

/** Starts a process with a relay that delivers, until the test ends. Rejects where the relay does not start. */
export async function remoteRelay(
  settings: RelaySettings,
  preload: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<RemoteRelay> {
  const child = fork(PROGRAM, [JSON.stringify(settings)], {
    execArgv: [...SOURCE_ARGUMENTS, '--expose-gc', ...preload],
    env: { ...process.env, ...environment },
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const errors: Readonly<Record<string, unknown>>[] = [];
  const calls = new Map<number, (answer: Answer) => void>();
  const started = Promise.withResolvers<number>();
  child.on('message', (message) => {
    const said = message as Partial<Answer> & {
      started?: true;
      port?: number;
      log?: Record<string, unknown>;
      failed?: object;
    };
    if (said.log !== undefined) errors.push(said.log);
    else if (said.started) started.resolve(said.port ?? 0);
    else if (said.failed !== undefined)
      started.reject(Object.assign(new Error('the relay did not start'), said.failed));
    else calls.get(said.n as number)?.(said as Answer);
  });
  exited.then(() => started.reject(new Error('the process ended before it started'))).catch(() => {});
  const timer = setTimeout(() => started.reject(new Error('the process did not start in time')), START_MS);
  const port = await started.promise.finally(() => clearTimeout(timer));
  const call = caller(child, calls);
  const untilKilled = async (name: string, spree: Spree<unknown>): Promise<void> => {
    const over = call(name, spree).then(() => Promise.reject(new Error('the process was not killed')));
    await Promise.race([exited, over]);
  };
  return {
    pid: child.pid as number,
    port,
    errors,
    send: (message) => call('send', message),
    sendMany: (recipients, options) => call('sendMany', recipients, options),
    stop: (options) => call('stop', options),
    start: () => call('start'),
    usage: () => call('usage'),
    engineUsage: () => call('engineUsage'),
    sendUntilKilled: (spree) => untilKilled('sendUntilKilled', spree),
    readUntilKilled: (spree) => untilKilled('readUntilKilled', spree),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function caller(child: ChildProcess, calls: Map<number, (answer: Answer) => void>) {
  let n = 0;
  return <T>(name: string, ...parameters: readonly unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = n++;
      calls.set(id, ({ value, error }) => {
        calls.delete(id);
        if (error === undefined) resolve(value as T);
        else reject(Object.assign(new Error(error.message), { code: error.code }));
      });
      // A process that was killed does not take the call, which then never ends: nobody knows what became of it.
      child.send({ n: id, name, parameters }, () => {});
    });
}
