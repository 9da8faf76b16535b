import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { featureModule, type MailRelayFeatureOptions } from './feature.ts';
import type { ASYNC_OPTIONS_TYPE, OPTIONS_TYPE } from './module-definition.ts';
import { checkObject, refuse } from './options.ts';
import { RelayModule } from './relay.module.ts';
import { NAMED } from './relay-maker.ts';

/**
 * The mail relay of a Nest application: starts and stops with it, and serves `/mail/…` before the body parsers.
 *
 * @example
 * @Module({ imports: [MailRelayModule.forRoot({ from: 'Acme <hello@acme.example>', templates: 'emails' })] })
 * export class AppModule {}
 */
@Module({ imports: [DiscoveryModule] })
export class MailRelayModule {
  /** @throws MailRelayError `OPTIONS_INVALID` where the class itself was imported, without `forRoot()` */
  constructor(@Inject(DiscoveryService) discovery: DiscoveryService) {
    if (!discovery.getProviders().some(({ token }) => token === NAMED))
      refuse('imports', 'has MailRelayModule without options: import MailRelayModule.forRoot()');
  }

  /** Makes a relay. All options have defaults in development. */
  static forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    checkObject(options, 'options');
    return replaceable(RelayModule.forRoot(options));
  }

  /** Makes a relay with options from `useFactory`, `useClass` or `useExisting`. */
  static forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    checkObject(options, 'options');
    return replaceable(RelayModule.forRootAsync(options));
  }

  /** Gives the relay the templates of a feature module. */
  static forFeature(options: MailRelayFeatureOptions): DynamicModule {
    checkObject(options, 'options');
    return featureModule(options);
  }
}

/**
 * Nest's `overrideModule()` finds a module by what stands in `imports`, which for a dynamic module is an object that no test
 * has. The class stands there, too, so that `overrideModule(MailRelayModule)` finds something.
 */
function replaceable(definition: DynamicModule): DynamicModule {
  return { ...definition, imports: [...(definition.imports ?? []), MailRelayModule] };
}
