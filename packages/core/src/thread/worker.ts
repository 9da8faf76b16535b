/** Entry of the engine's thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { createBirpc } from 'birpc';
import { createEngine, type EngineOptions } from '../engine.ts';
import { giveWay, NICENESS } from '../thread-priority.ts';
import { batchedChannel, END } from './channel.ts';
import type { EngineApi, HostApi } from './port.ts';

if (parentPort) {
  giveWay(NICENESS.engine);
  const rpc = createBirpc<HostApi, Partial<EngineApi>>(
    {},
    { ...batchedChannel(parentPort), timeout: -1, eventNames: ['publish', 'wake', 'warn', 'log'] },
  );
  const engine = createEngine(workerData as EngineOptions, {
    publish: (events) => void rpc.publish.asEvent(events),
    wake: () => void rpc.wake.asEvent(),
    alert: (alerts) => rpc.alert(alerts),
    warn: (warnings) => void rpc.warn.asEvent(warnings),
    log: (level, fields, message) => void rpc.log.asEvent(level, fields, message),
  });
  Object.assign(rpc.$functions, engine);
  // Without its port a stopped engine has nothing left to wait for, and the thread ends.
  const port = parentPort;
  port.on('message', (message) => {
    if (message === END) port.close();
  });
}
