import type { Alert, Warning } from '../alerts.ts';
import { MailRelayError, messageOf } from '../errors.ts';
import { EVENT_TYPES, type MessageEvent, type RelayEvents } from '../events.ts';
import type { Logger } from '../logger.ts';

/** What listens to one type of event. */
export type Listener<K extends keyof RelayEvents> = (event: RelayEvents[K]) => void | Promise<void>;

/** What can be listened to. */
const LISTENED: readonly (keyof RelayEvents)[] = [...EVENT_TYPES, 'alert', 'warning', 'event', 'error'];

/** Listeners of the host; a listener that fails never stops the relay. */
export interface Listeners {
  readonly size: number;
  add<K extends keyof RelayEvents>(type: K, listener: Listener<K>): () => void;
  publish(events: readonly MessageEvent[]): void;
  alert(alerts: readonly Alert[]): void;
  warn(warnings: readonly Warning[]): void;
  fail(error: Error): void;
}

/** Keeps listeners by type, and calls them in the order in which they came. */
export function createListeners(logger: Logger): Listeners {
  const byType = new Map<keyof RelayEvents, Set<(event: never) => void | Promise<void>>>();

  function call(type: keyof RelayEvents, event: MessageEvent | Alert | Warning | Error): void {
    for (const listener of byType.get(type) ?? []) {
      const failed = (error: unknown): void =>
        logger.error({ event: type, error: messageOf(error) }, 'a listener failed');
      try {
        Promise.resolve(listener(event as never)).catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }

  return {
    get size() {
      return [...byType.values()].reduce((sum, listeners) => sum + listeners.size, 0);
    },
    add(type, listener) {
      if (!LISTENED.includes(type))
        throw new MailRelayError('OPTIONS_INVALID', {
          option: 'event',
          event: type,
          reason: `there is no event ${String(type)}; known are ${LISTENED.join(', ')}`,
        });
      if (typeof listener !== 'function')
        throw new MailRelayError('OPTIONS_INVALID', {
          option: 'listener',
          event: type,
          reason: `the listener of ${type} must be a function`,
        });
      const listeners = byType.get(type) ?? new Set();
      byType.set(type, listeners.add(listener));
      return () => void listeners.delete(listener);
    },
    publish(events) {
      for (const event of events) {
        call(event.type, event);
        call('event', event);
      }
    },
    alert(alerts) {
      for (const alert of alerts) call('alert', alert);
    },
    warn(warnings) {
      for (const warning of warnings) call('warning', warning);
    },
    fail: (error) => call('error', error),
  };
}
