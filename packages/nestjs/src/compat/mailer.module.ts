import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { MailRelayModule } from '../mail-relay.module.ts';
import { checkObject, type MailRelayModuleOptions } from '../options.ts';
import { checkOptions } from './check-options.ts';
import { MAILER_OPTIONS, MailerService } from './mailer.service.ts';
import type { MailerAsyncOptions, MailerOptions, MailerOptionsFactory } from './options.ts';
import { routesOf } from './transports.ts';
import { unsupported } from './unsupported.ts';

/**
 * `MailerModule` of @nestjs-modules/mailer, over a relay of its own, which `MailRelayService` injects as well.
 *
 * @example
 * @Module({ imports: [MailerModule.forRoot({ transport: 'smtp://localhost:1025', template: { dir: 'templates' } })] })
 * export class AppModule {}
 */
@Module({})
export class MailerModule {
  /** @throws MailRelayError `OPTION_UNSUPPORTED`, with what to do instead */
  static forRoot(options: MailerOptions): DynamicModule {
    return moduleOf(MailRelayModule.forRoot(relayOptions(options)), { provide: MAILER_OPTIONS, useValue: options }, []);
  }

  /** The same with options from a factory, which may inject. */
  static forRootAsync(options: MailerAsyncOptions): DynamicModule {
    const { imports = [] } = options;
    const factory = factoryOf(options);
    const provided = { provide: MAILER_OPTIONS, ...factory };
    const optionsModule: DynamicModule = {
      module: MailerOptionsModule,
      imports,
      providers: [provided, ...(options.useClass === undefined ? [] : [options.useClass])],
      exports: [MAILER_OPTIONS],
    };
    const relay = MailRelayModule.forRootAsync({
      imports: [optionsModule],
      inject: [MAILER_OPTIONS],
      useFactory: relayOptions,
    });
    return moduleOf(relay, undefined, [optionsModule]);
  }
}

@Module({})
class MailerOptionsModule {}

function moduleOf(
  relay: DynamicModule,
  options: Provider | undefined,
  imports: readonly DynamicModule[],
): DynamicModule {
  return {
    module: MailerModule,
    global: true,
    imports: [relay, ...imports],
    providers: [MailerService, ...(options === undefined ? [] : [options])],
    exports: [MailerService],
  };
}

function factoryOf({ useFactory, inject = [], useClass, useExisting }: MailerAsyncOptions) {
  if (useFactory !== undefined) return { useFactory, inject };
  const from = useExisting ?? useClass;
  if (from === undefined) return unsupported('forRootAsync', 'give one of useFactory, useClass and useExisting');
  return { useFactory: (factory: MailerOptionsFactory) => factory.createMailerOptions(), inject: [from] };
}

function relayOptions(options: MailerOptions): MailRelayModuleOptions {
  checkObject(options, 'options');
  checkOptions(options);
  const folder = [options.template?.dir ?? [], options.template?.dirs ?? []].flat();
  const routes = routesOf(options);
  const { from } = options.defaults ?? {};
  return {
    ...(from === undefined ? {} : { from }),
    ...options.relay,
    ...(routes === undefined ? {} : { routes }),
    ...(folder.length === 0 ? {} : { templates: { folder } }),
  };
}
