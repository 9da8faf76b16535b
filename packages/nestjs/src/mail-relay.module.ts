import type { Logger } from '@mailrelay/core';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import { MailEventHandlers } from './event-handlers.ts';
import { featureModule, type MailRelayFeatureOptions } from './feature.ts';
import { MailRelayHealthIndicator } from './health-indicator.ts';
import { nestLogger } from './logger.ts';
import type { MailRelayService } from './mail-relay.service.ts';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, NAMED, type OPTIONS_TYPE, RELAY } from './module-definition.ts';
import { checkAlone, mount } from './mount.ts';
import { type MailRelayModuleOptions, pathOf } from './options.ts';

/**
 * The mail relay of a Nest application: starts and stops with it, and serves `/mail/…` before the body parsers.
 *
 * @example
 * @Module({ imports: [MailRelayModule.forRoot({ from: 'Acme <hello@acme.example>', templates: 'emails' })] })
 * export class AppModule {}
 */
@Module({ imports: [DiscoveryModule], providers: [MailEventHandlers, MailRelayHealthIndicator] })
export class MailRelayModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  readonly #relay: MailRelayService;
  readonly #options: MailRelayModuleOptions;
  readonly #name: string | undefined;
  readonly #handlers: MailEventHandlers;
  readonly #host: HttpAdapterHost;

  constructor(
    @Inject(RELAY) relay: MailRelayService,
    @Inject(MODULE_OPTIONS_TOKEN) options: MailRelayModuleOptions,
    @Inject(NAMED) { name }: { readonly name: string | undefined },
    @Inject(MailEventHandlers) handlers: MailEventHandlers,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
  ) {
    super();
    this.#relay = relay;
    this.#options = options;
    this.#name = name;
    this.#handlers = handlers;
    this.#host = host;
    if (options.autoMount ?? true) mount(relay, host);
  }

  /** Makes a relay. All options have defaults in development. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    // biome-ignore lint/complexity/noThisInStatic: the method it extends names its class, which must be this one
    return super.forRoot(options);
  }

  /** Gives the relay the templates of a feature module. */
  static forFeature(options: MailRelayFeatureOptions): DynamicModule {
    return featureModule(options);
  }

  /** Every provider is there, and none has been called yet: no event can be missed. */
  onModuleInit(): void {
    checkAlone(this.#relay, pathOf(this.#options, this.#name), this.#host);
    const logger: Logger = this.#options.logger ?? nestLogger(this.#name);
    if (isWhole(this.#relay)) this.#handlers.connect(this.#relay, this.#name, logger);
  }

  /** Opens the store and compiles every template before the application is ready. */
  async onApplicationBootstrap(): Promise<void> {
    if (isWhole(this.#relay)) await this.#relay.start();
  }

  /** The HTTP server has closed by now, so that nothing more is handed in. */
  async onApplicationShutdown(): Promise<void> {
    if (isWhole(this.#relay)) await this.#relay.stop({ drain: true, ...this.#options.stop });
  }
}

/** Whether it is a relay, and no stand-in of a test that has only what the test needs. */
function isWhole(relay: Partial<MailRelayService>): boolean {
  return [relay.start, relay.stop, relay.on].every((method) => typeof method === 'function');
}
