import type { RelayEvents } from '@mailrelay/core';
import { SetMetadata } from '@nestjs/common';

/** Which events a method handles. */
export interface MailEventHandler {
  readonly type: keyof RelayEvents;
  readonly relay: string | undefined;
  readonly subscription: string | undefined;
}

/** How a method handles events. */
export interface OnMailEventOptions {
  /** Name of the relay. @default the one without a name */
  readonly relay?: string;
  /**
   * Name of a durable subscription, as of `relay.subscribe()`: the method is called at least once for every event, also after
   * a restart, and again where it throws. Methods with one name are one subscription. @default only while the process runs
   */
  readonly subscription?: string;
}

const MAIL_EVENT_HANDLERS: unique symbol = Symbol('MailRelay event handlers');

/**
 * Calls the method with each event of a type; `event` stands for every type. What it throws is logged, and stops nothing; with
 * a `subscription` it is called again.
 *
 * @example
 * @OnMailEvent('bounced')
 * async disable({ recipient, kind }: EventOf<'bounced'>) {}
 *
 * @OnMailEvent('complained', { subscription: 'crm' })
 * async flag({ recipient }: EventOf<'complained'>) {}
 */
export function OnMailEvent<K extends keyof RelayEvents>(type: K, options: OnMailEventOptions = {}) {
  return function decorateMailEventHandler<T extends (event: RelayEvents[K]) => unknown>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): void {
    const method = descriptor.value as T;
    const earlier = mailEventsOf(method);
    SetMetadata(MAIL_EVENT_HANDLERS, [...earlier, { type, relay: options.relay, subscription: options.subscription }])(
      target,
      key,
      descriptor,
    );
  };
}

/** What a method was decorated with. */
export function mailEventsOf(method: object): readonly MailEventHandler[] {
  const found: unknown = Reflect.getMetadata(MAIL_EVENT_HANDLERS, method);
  return (found ?? []) as readonly MailEventHandler[];
}
