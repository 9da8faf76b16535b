import type { Clock } from '../clock.ts';
import type { SubscriptionStore } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';

/** Events that wait for longer than this are waited for by nobody, ms. */
const NEGLECTED_MS = 86_400_000;
const LOOK_MS = 3_600_000;

/** Warns of subscriptions whose events pile up: paused ones, and those that no process has any more. */
export function createNeglect(context: {
  readonly subscriptions: Pick<SubscriptionStore, 'list'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: HostApi['log'];
}): { start(): void; stop(): void } {
  const { subscriptions, clock, log } = context;
  const warned = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const now = clock.now();
    for (const { name, waitingSince, waiting, state, reason } of await subscriptions.list()) {
      if (waitingSince === undefined || now - waitingSince.getTime() < NEGLECTED_MS) continue;
      if (now - (warned.get(name) ?? 0) < NEGLECTED_MS) continue;
      warned.set(name, now);
      log(
        'warn',
        { subscription: name, state, reason, waiting, since: waitingSince },
        'events of a subscription wait for over a day: resume or remove it, or start a process that has it',
      );
    }
  }

  const guarded = (): void => void look().catch(() => {});
  return {
    start() {
      guarded();
      timer = setInterval(guarded, LOOK_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}
