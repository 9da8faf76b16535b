import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { createRelay } from './create-relay.ts';
import { MailRelayHealthIndicator } from './health-indicator.ts';
import { getMailRelayToken } from './inject-mail-relay.ts';
import { type MailRelayModuleExtras, type MailRelayModuleOptions, refuse } from './options.ts';
import { NAMED, type Named, RELAY_MAKER } from './relay-maker.ts';

/** How the module sees its own relay, whatever that is called for others. */
export const RELAY: unique symbol = Symbol('MailRelay');

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<MailRelayModuleOptions>({ moduleName: 'MailRelay' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createMailRelayOptions')
    .setExtras<MailRelayModuleExtras>({ name: undefined, isGlobal: true }, withRelay)
    .build();

/** The relay is provided under its public token, so that a test that overrides the token replaces it everywhere. */
function withRelay(definition: DynamicModule, { name, isGlobal }: MailRelayModuleExtras): DynamicModule {
  const token = getMailRelayToken(name);
  if (isGlobal !== undefined && typeof isGlobal !== 'boolean') refuse('isGlobal', 'must be true or false');
  return {
    ...definition,
    global: isGlobal ?? true,
    providers: [
      ...(definition.providers ?? []),
      { provide: NAMED, useValue: { name: checkedName(name) } satisfies Named },
      {
        provide: token,
        useFactory: createRelay,
        inject: [MODULE_OPTIONS_TOKEN, NAMED, DiscoveryService, { token: RELAY_MAKER, optional: true }],
      },
      { provide: RELAY, useExisting: token },
    ],
    exports: [token, MailRelayHealthIndicator],
  };
}

/** The name becomes part of a path and of a file. */
function checkedName(name: string | undefined): string | undefined {
  if (name !== undefined && !/^[\w-]+$/.test(name)) refuse('name', 'may have letters, digits, `_` and `-` only');
  return name;
}
