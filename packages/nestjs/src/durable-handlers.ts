import { MailRelayError, type SubscribedEvent, type SubscribedType } from '@mailrelay/core';
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
    const types = [...new Set(ofName.map(({ type, place }) => typeOf(type, place, all)))].flat();
    relay.subscribe(name, all ? {} : { types }, async (event) => {
      const called = new Set<string>();
      for (const { type, instance, method, place } of ofName) {
        if ((type !== 'event' && type !== event.type) || called.has(place)) continue;
        called.add(place);
        await instance[method]?.(told(event));
      }
    });
  }
}

/** Methods get of alerts and warnings what they get without a subscription. */
function told(event: SubscribedEvent): unknown {
  return event.type === 'alert' ? event.alert : event.type === 'warning' ? event.warning : event;
}

/** Errors are not stored, and `event` has every type, but those that are of no mail. */
function typeOf(type: FoundHandler['type'], place: string, all: boolean): SubscribedType | [] {
  const reason =
    type === 'error'
      ? `${place} handles \`error\`, which no subscription keeps: leave \`subscription\` out`
      : all && (type === 'alert' || type === 'warning')
        ? `${place} handles \`${type}\` beside \`event\`, which does not have it: give it a subscription of its own`
        : undefined;
  if (reason !== undefined) throw new MailRelayError('OPTIONS_INVALID', { option: '@OnMailEvent', reason });
  return type === 'event' || type === 'error' ? [] : type;
}
