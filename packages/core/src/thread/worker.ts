/** Entry of the engine's thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { createEngine, type EngineOptions } from '../engine.ts';
import { giveWay, NICENESS } from '../thread-priority.ts';
import { batchedChannel } from './channel.ts';
import type { EngineApi, HostApi } from './port.ts';

/** So long calls are taken, ms, until commits and answers have their turn. */
const TURN_MS = 0.25;

if (parentPort) {
  const port = parentPort;
  giveWay(NICENESS.engine);
  const rpc = createBirpc<HostApi, Partial<EngineApi>>(
    {},
    // Without its port a stopped engine has nothing left to wait for, and the thread ends.
    {
      ...batchedChannel(port, { turnMs: TURN_MS, onEnd: () => port.close() }),
      timeout: -1,
      eventNames: ['publish', 'wake', 'warn', 'log'],
    },
  );
  const engine = createEngine(workerData as EngineOptions, {
    publish: (events) => void rpc.publish.asEvent(events),
    wake: () => void rpc.wake.asEvent(),
    alert: (alerts) => rpc.alert(alerts),
    warn: (warnings) => void rpc.warn.asEvent(warnings),
    log: (level, fields, message) => void rpc.log.asEvent(level, fields, message),
  });
  Object.assign(rpc.$functions, engine);
}
