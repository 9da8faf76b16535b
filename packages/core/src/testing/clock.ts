import type { Clock } from '../clock.ts';

/** A clock that only the test moves. */
export interface TestClock extends Clock {
  /**
   * Moves the time on, and lets everything happen that is due on the way, each at its time: scheduled mail, retries, what
   * simulated mailboxes send back later. Resolves when that is done.
   *
   * @param ms - more than 0
   */
  advance(ms: number): Promise<void>;
  /** The same up to a time. */
  advanceTo(time: Date): Promise<void>;
}

/** What the clock moves. */
export interface Moved {
  /** Resolves when nothing is left to do at the time as it is. */
  settled(): Promise<void>;
  /** When there is something to do next. */
  nextDueAt(): Promise<number | undefined>;
}

interface Alarm {
  readonly at: number;
  readonly task: () => void | Promise<void>;
}

/** Makes a clock that stands at a time. */
export function createTestClock(start: number, moved: () => Moved): TestClock {
  let time = start;
  let moving: Promise<void> = Promise.resolve();
  const alarms = new Set<Alarm>();
  const watchers = new Set<() => void>();

  async function ring(): Promise<void> {
    const due = [...alarms].filter(({ at }) => at <= time).sort((one, other) => one.at - other.at);
    for (const alarm of due) {
      // One that rings may call off another.
      if (alarms.delete(alarm)) await alarm.task();
    }
    for (const watcher of watchers) watcher();
  }

  async function moveTo(target: number): Promise<void> {
    const { settled, nextDueAt } = moved();
    await settled();
    while (time < target) {
      const stops = [target, (await nextDueAt()) ?? target, ...[...alarms].map(({ at }) => at)];
      time = Math.max(time, Math.min(...stops));
      await ring();
      await settled();
    }
  }

  /** One move after the other. */
  function queued(target: () => number): Promise<void> {
    const next = moving.then(() => moveTo(target()));
    moving = next.catch(() => {});
    return next;
  }

  return {
    now: () => time,
    alarm(at, task) {
      const alarm: Alarm = { at, task };
      alarms.add(alarm);
      return () => void alarms.delete(alarm);
    },
    every(_ms, task) {
      watchers.add(task);
      return () => void watchers.delete(task);
    },
    async advance(ms) {
      if (!(ms > 0)) throw new RangeError(`advance() takes ms over 0, not ${ms}`);
      await queued(() => time + ms);
    },
    async advanceTo(date) {
      if (!(date.getTime() > time))
        throw new RangeError(`advanceTo() takes a time after ${new Date(time).toISOString()}`);
      await queued(() => date.getTime());
    },
  };
}
