/**
 * The time as the relay sees it: of accepting, of being due, of what readers do. Waiting for connections, leases and the
 * batches of the store go by the machine's time, whatever this says.
 */
export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  /** Calls once, when a time (ms since the epoch) has come. Answers a function that calls it off; keeps no process alive. */
  alarm(at: number, task: () => void | Promise<void>): () => void;
  /** Calls again and again, every so many ms or whenever the time moves. Answers a function that ends it. */
  every(ms: number, task: () => void): () => void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  alarm(at, task) {
    const timer = setTimeout(() => void task(), at - Date.now());
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms);
    return () => clearInterval(timer);
  },
};

/** Whether a value can be used as a clock. */
export function isClock(value: unknown): value is Clock {
  const methods = ['now', 'alarm', 'every'] as const;
  return (
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Clock)[method] === 'function')
  );
}
