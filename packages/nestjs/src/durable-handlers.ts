import { type EventType, MailRelayError } from '@mailrelay/core';
import type { FoundHandler } from './event-handlers.ts';
import type { MailRelayService } from './mail-relay.service.ts';

/**
 * Methods with the name of a subscription: those of one name are one subscription, and are called one after the other. Where
 * one of them throws, all of them are called again with the event.
 *
 * @throws MailRelayError `OPTIONS_INVALID`
 */
export function subscribeHandlers(relay: MailRelayService, handlers: readonly FoundHandler[]): void {
  const byName = Map.groupBy(handlers, ({ subscription = '' }) => subscription);
  for (const [name, ofName] of byName) {
    const all = ofName.some(({ type }) => type === 'event');
    const types = [...new Set(ofName.map(({ type, place }) => typeOf(type, place)))].flat();
    relay.subscribe(name, all ? {} : { types }, async (event) => {
      const called = new Set<string>();
      for (const { type, instance, method, place } of ofName) {
        if ((type !== 'event' && type !== event.type) || called.has(place)) continue;
        called.add(place);
        await instance[method]?.(event);
      }
    });
  }
}

/** What is no event of a mail is not stored. */
function typeOf(type: FoundHandler['type'], place: string): EventType | [] {
  if (type === 'error' || type === 'alert' || type === 'warning')
    throw new MailRelayError('OPTIONS_INVALID', {
      option: '@OnMailEvent',
      reason: `${place} handles \`${type}\`, which no subscription keeps: leave \`subscription\` out`,
    });
  return type === 'event' ? [] : type;
}
