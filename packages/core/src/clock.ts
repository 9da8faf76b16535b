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

/** What a timer can wait, ms; it fires at once for more, and warns of what is below 0. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  alarm(at, task) {
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const left = at - Date.now();
      timer = setTimeout(left > LONGEST_MS ? wait : () => void task(), Math.min(Math.max(left, 0), LONGEST_MS)).unref();
    };
    wait();
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
