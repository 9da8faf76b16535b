import type { RelayEvents } from '@mailrelay/core';
import { SetMetadata } from '@nestjs/common';

/** Which events a method handles. */
export interface MailEventHandler {
  readonly type: keyof RelayEvents;
  readonly relay: string | undefined;
}

const MAIL_EVENT_HANDLERS: unique symbol = Symbol('MailRelay event handlers');

/**
 * Calls the method with each event of a type; `event` stands for every type. What it throws is logged, and stops nothing.
 *
 * @param options - `relay`: name of the relay; none for the one without a name.
 * @example
 * @OnMailEvent('bounced')
 * async disable({ recipient, kind }: EventOf<'bounced'>) {}
 */
export function OnMailEvent<K extends keyof RelayEvents>(type: K, options: { readonly relay?: string } = {}) {
  return function decorateMailEventHandler<T extends (event: RelayEvents[K]) => unknown>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): void {
    const method = descriptor.value as T;
    const earlier = mailEventsOf(method);
    SetMetadata(MAIL_EVENT_HANDLERS, [...earlier, { type, relay: options.relay }])(target, key, descriptor);
  };
}

/** What a method was decorated with. */
export function mailEventsOf(method: object): readonly MailEventHandler[] {
  const found: unknown = Reflect.getMetadata(MAIL_EVENT_HANDLERS, method);
  return (found ?? []) as readonly MailEventHandler[];
}
