import type { Logger, RelayEvents } from '@mailrelay/core';
import { MailRelayError } from '@mailrelay/core';
import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { subscribeHandlers } from './durable-handlers.ts';
import { getMailRelayToken } from './inject-mail-relay.ts';
import type { MailRelayService } from './mail-relay.service.ts';
import { type MailEventHandler, mailEventsOf } from './on-mail-event.ts';

/** A method with what it handles. */
export interface FoundHandler extends MailEventHandler {
  readonly instance: Readonly<Record<string, (event: unknown) => unknown>>;
  readonly method: string;
  readonly place: string;
}

/** Finds the methods that `@OnMailEvent()` decorates, and lets a relay call them. */
@Injectable()
export class MailEventHandlers {
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;

  constructor(
    @Inject(DiscoveryService) discovery: DiscoveryService,
    @Inject(MetadataScanner) scanner: MetadataScanner,
  ) {
    this.#discovery = discovery;
    this.#scanner = scanner;
  }

  /** @throws MailRelayError `OPTIONS_INVALID` for a handler that could never be called. */
  connect(relay: MailRelayService, name: string | undefined, logger: Logger): void {
    const found = this.#find();
    for (const { relay: wanted, place } of found) if (wanted !== name) this.#checkKnown(wanted, place);
    const own = found.filter((handler) => handler.relay === name);
    subscribeHandlers(
      relay,
      own.filter(({ subscription }) => subscription !== undefined),
    );
    for (const { type, subscription, instance, method, place } of own) {
      if (subscription !== undefined) continue;
      relay.on(type, async (event: RelayEvents[typeof type]) => {
        try {
          await instance[method]?.(event);
        } catch (error) {
          const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
          const { deliveryId } = event as { deliveryId?: string };
          logger.error(
            { event: type, handler: place, deliveryId, error: message, stack },
            'a mail event handler failed',
          );
        }
      });
    }
  }

  #find(): FoundHandler[] {
    const found: FoundHandler[] = [];
    const seen = new Set<unknown>();
    for (const wrapper of [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]) {
      const shared = wrapper.isDependencyTreeStatic();
      const prototype: unknown = shared ? Object.getPrototypeOf(Object(wrapper.instance)) : wrapper.metatype?.prototype;
      // What another token leads to as well is one instance.
      if (typeof prototype !== 'object' || prototype === null || seen.has(shared ? wrapper.instance : prototype))
        continue;
      seen.add(shared ? wrapper.instance : prototype);
      for (const method of this.#scanner.getAllMethodNames(prototype)) {
        const body: unknown = (prototype as Record<string, unknown>)[method];
        if (typeof body !== 'function') continue;
        const handlers = mailEventsOf(body);
        const place = `${prototype.constructor.name}.${method}`;
        if (handlers.length > 0 && !shared)
          throw invalid(
            `${place} handles mail events, but its class is made anew for each request: no event would reach it`,
          );
        for (const handler of handlers) found.push({ ...handler, instance: wrapper.instance, method, place });
      }
    }
    return found;
  }

  #checkKnown(name: string | undefined, place: string): void {
    const token = getMailRelayToken(name);
    if (this.#discovery.getProviders().some((wrapper) => wrapper.token === token)) return;
    const relay = name === undefined ? 'the relay without a name' : `the relay ${name}`;
    throw invalid(`${place} handles mail events of ${relay}, which no MailRelayModule makes`);
  }
}

function invalid(reason: string): MailRelayError {
  return new MailRelayError('OPTIONS_INVALID', { option: '@OnMailEvent', reason });
}
