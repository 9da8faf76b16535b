import type { Logger } from '@mailrelay/core';
import {
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import { MailEventHandlers } from './event-handlers.ts';
import { MailRelayHealthIndicator } from './health-indicator.ts';
import { nestLogger } from './logger.ts';
import type { MailRelayService } from './mail-relay.service.ts';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, RELAY } from './module-definition.ts';
import { checkAlone, mount } from './mount.ts';
import { type MailRelayModuleOptions, pathOf } from './options.ts';
import { NAMED, type Named, RELAY_MAKER, type RelayMaker } from './relay-maker.ts';

/** One relay: starts and stops with the application, and serves its routes before the body parsers. */
@Module({ imports: [DiscoveryModule], providers: [MailEventHandlers, MailRelayHealthIndicator] })
export class RelayModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  readonly #relay: MailRelayService;
  readonly #options: MailRelayModuleOptions;
  readonly #name: string | undefined;
  readonly #handlers: MailEventHandlers;
  readonly #host: HttpAdapterHost;
  /** Whether another module has the same relay, and does what is to be done. */
  readonly #idle: boolean;

  constructor(
    @Inject(RELAY) relay: MailRelayService,
    @Inject(MODULE_OPTIONS_TOKEN) options: MailRelayModuleOptions,
    @Inject(NAMED) named: Named,
    @Inject(MailEventHandlers) handlers: MailEventHandlers,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Optional() @Inject(RELAY_MAKER) maker?: RelayMaker,
  ) {
    super();
    this.#relay = relay;
    this.#options = options;
    this.#name = named.name;
    this.#handlers = handlers;
    this.#host = host;
    this.#idle = maker?.givesWay(named) ?? false;
    if (!this.#idle && (options.autoMount ?? true)) mount(relay, host);
  }

  /** Every provider is there, and none has been called yet: no event can be missed. */
  onModuleInit(): void {
    if (this.#idle) return;
    checkAlone(this.#relay, pathOf(this.#options, this.#name), this.#host);
    const logger: Logger = this.#options.logger ?? nestLogger(this.#name);
    if (isWhole(this.#relay)) this.#handlers.connect(this.#relay, this.#name, logger);
  }

  /** Opens the store and compiles every template before the application is ready. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.#idle && isWhole(this.#relay)) await this.#relay.start();
  }

  /** The HTTP server has closed by now, so that nothing more is handed in. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.#idle && isWhole(this.#relay)) await this.#relay.stop({ drain: true, ...this.#options.stop });
  }
}

/** Whether it is a relay, and no stand-in of a test that has only what the test needs. */
function isWhole(relay: Partial<MailRelayService>): boolean {
  return [relay.start, relay.stop, relay.on].every((method) => typeof method === 'function');
}
