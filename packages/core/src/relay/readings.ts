import type { EngineApi, Reading } from '../thread/port.ts';

/**
 * Opens and clicks cross to the engine together, those of one turn of the event loop in one call: each waits for its answer,
 * and the calls would cost more than what they say.
 *
 * @returns resolves when the reading is durable
 */
export function createReadings(engine: () => Promise<Pick<EngineApi, 'readAll'>>): (reading: Reading) => Promise<void> {
  let readings: Reading[] = [];
  let written: Promise<void> | undefined;

  async function write(): Promise<void> {
    await new Promise(setImmediate);
    const batch = readings;
    readings = [];
    written = undefined;
    await (await engine()).readAll(batch);
  }

  return (reading) => {
    readings.push(reading);
    written ??= write();
    return written;
  };
}
