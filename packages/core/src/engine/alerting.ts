import type { AlertPolicy } from '../alert-options.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { MessageEvent } from '../events.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';

/** Looks for rates that are too high. */
export interface Alerting {
  start(): void;
  /** Ends after the look that is running. */
  stop(): Promise<void>;
  /** What happened may have raised a rate: there will be a look soon. */
  note(events: readonly MessageEvent[]): void;
}

/** Without anything new there is a look so often, ms: windows move on, and other processes may have ended. */
const AGAIN_MS = 60_000;
/** Bad news comes in batches: it is looked at together, ms. */
const SOON_MS = 1000;
/** A process that has taken what is to be told, and has not told it in so long, has ended, ms. */
const HOLD_MS = 15_000;

/**
 * Alerts are found by the store, so that of several processes one tells of each, and a restart tells of none again. What was
 * found stays there until the listeners were called: where the process ends in between, another tells of it.
 */
export function createAlerting(context: {
  readonly store: Pick<Store, 'alerts'>;
  readonly clock: Clock;
  readonly policy: AlertPolicy;
  readonly host: Pick<HostApi, 'alert' | 'log'>;
  /** A subscription may have to be told. */
  wake(): void;
}): Alerting {
  const { store, clock, policy, host, wake } = context;
  let looking: Promise<void> | undefined;
  let ends: (() => void)[] = [];
  let planned = false;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<void> {
    lookedAt = clock.now();
    try {
      const { rules, windowMs } = policy;
      const alerts = await store.alerts.check({ now: lookedAt, windowMs, rules });
      for (const { state, kind, threshold, rate, count, of, stream, campaign } of alerts) {
        const fields = { alert: kind, threshold, rate, count, of, stream, campaign };
        if (state === 'raised') host.log('warn', fields, 'a rate has passed its threshold');
        else host.log('info', fields, 'a rate is under its threshold again');
      }
      if (alerts.length > 0) wake();
      await tell();
    } catch (error) {
      host.log('error', { error: messageOf(error) }, 'rates cannot be looked at');
    }
  }

  async function tell(): Promise<void> {
    const { notices, nextAt } = await store.alerts.untold({ now: clock.now(), holdMs: HOLD_MS });
    const alerts = notices.flatMap((notice) => (notice.type === 'alert' ? [notice.alert] : []));
    if (alerts.length > 0) {
      await host.alert(alerts);
      await store.alerts.told(notices.map(({ id }) => id));
    }
    ends[2]?.();
    if (nextAt !== undefined && ends.length > 0) ends[2] = clock.alarm(nextAt + 1, lookNow);
  }

  function lookNow(): Promise<void> {
    // What is noted during a look is seen by the one after it.
    looking = (looking ?? Promise.resolve()).then(look);
    return looking;
  }

  return {
    start() {
      if (policy.rules.length === 0) return;
      ends = [
        clock.every(AGAIN_MS, () => {
          if (clock.now() - lookedAt >= AGAIN_MS) void lookNow();
        }),
        () => {},
        () => {},
      ];
      void lookNow();
    },
    async stop() {
      for (const end of ends) end();
      ends = [];
      planned = true;
      await looking;
    },
    note(events) {
      if (planned || ends.length === 0) return;
      if (!events.some((event) => event.type === 'complained' || (event.type === 'bounced' && event.kind === 'hard')))
        return;
      planned = true;
      ends[1] = clock.alarm(clock.now() + SOON_MS, () => {
        planned = false;
        return lookNow();
      });
    },
  };
}
