import type { EngineApi, Reading } from '../thread/port.ts';

/** So many are worth a call: while the host takes more requests, the engine begins with them. */
const WORTH_A_CALL = 16;

/**
 * Opens and clicks cross to the engine some at a time: each waits for its answer, and a call for each would cost more than
 * what it says. None waits longer than for the end of its turn of the event loop.
 *
 * @returns resolves when the reading is durable
 */
export function createReadings(engine: () => Promise<Pick<EngineApi, 'readAll'>>): (reading: Reading) => Promise<void> {
  let batch: { readonly readings: Reading[]; readonly written: PromiseWithResolvers<void> } | undefined;

  function write(): void {
    if (batch === undefined) return;
    const { readings, written } = batch;
    batch = undefined;
    engine()
      .then((api) => api.readAll(readings))
      .then(written.resolve, written.reject);
  }

  return (reading) => {
    if (batch === undefined) {
      batch = { readings: [], written: Promise.withResolvers() };
      setImmediate(write);
    }
    const { readings, written } = batch;
    if (readings.push(reading) >= WORTH_A_CALL) write();
    return written.promise;
  };
}
