import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import type { EngineOptions } from '../engine.ts';
import { MailRelayError } from '../errors.ts';
import { batchedChannel } from './channel.ts';
import type { EngineApi, HostApi } from './port.ts';

/** An engine in a thread of its own. */
export interface EngineThread {
  readonly api: EngineApi;
  /** Whether the thread keeps the process alive. */
  hold(on: boolean): void;
  /** Ends the thread; what was accepted is in the store. */
  terminate(): Promise<void>;
}

/**
 * Starts the engine in a worker thread.
 *
 * @param onEnd - called when the thread ends although nobody asked for it.
 * @throws MailRelayError `WORKER_UNAVAILABLE` where the file of the worker is not there, as after bundling.
 */
export function spawnEngine(
  options: EngineOptions,
  host: HostApi,
  onEnd: (error: MailRelayError) => void,
): EngineThread {
  const file = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
  if (file.protocol !== 'file:' || !existsSync(fileURLToPath(file))) {
    throw new MailRelayError('WORKER_UNAVAILABLE', {
      file: file.href,
      reason:
        `its file ${file.href} is not there, as happens when a bundler packs the application; ` +
        'keep @mailrelay/core external to the bundle, or set `thread: false`',
    });
  }
  const worker = new Worker(file, { workerData: options, name: 'mail-relay' });
  let ending = false;
  let failure: unknown;
  const rpc = createBirpc<EngineApi, HostApi>(host, { ...batchedChannel(worker), timeout: -1 });
  worker.on('error', (error) => {
    failure = error;
  });
  worker.on('exit', (code) => {
    const error = new MailRelayError('ENGINE_CRASHED', { exitCode: code }, { cause: failure });
    void rpc.$rejectPendingCalls(({ reject }) => reject(error));
    if (!ending) onEnd(error);
  });
  return {
    api: rpc,
    hold: (on) => void (on ? worker.ref() : worker.unref()),
    async terminate(): Promise<void> {
      ending = true;
      await worker.terminate();
    },
  };
}
