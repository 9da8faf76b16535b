import type { Clock } from '../clock.ts';

/** What somebody waits for who may be woken. */
export interface Bell {
  ring(): void;
  /** Resolves when it rings, or has rung since the last time; else after so many ms of the machine, or when a time of the clock has come. */
  next(ms: number, at: number | undefined): Promise<void>;
}

/** A bell that has not rung. Waiting keeps no process alive. */
export function createBell(clock: Pick<Clock, 'alarm'>): Bell {
  let rung = false;
  let wake = (): void => {};
  return {
    ring() {
      rung = true;
      wake();
    },
    async next(ms, at) {
      if (!rung) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(resolve, ms).unref();
        const off = at === undefined ? () => {} : clock.alarm(at, resolve);
        await promise;
        clearTimeout(timer);
        off();
        wake = () => {};
      }
      rung = false;
    },
  };
}
