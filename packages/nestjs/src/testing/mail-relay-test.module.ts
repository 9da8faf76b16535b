import type { TestRelayOptions } from '@mailrelay/core/testing';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RelayModule } from '../relay.module.ts';
import { NAMED, RELAY_MAKER } from '../relay-maker.ts';
import { MailRelayInbox } from './inbox.ts';
import { TestRelays, WANTED, type Wanted } from './test-relays.ts';

/** Options of {@link MailRelayTestModule.forRoot}: those of `createTestRelay()`, and the name of the relay. */
export interface MailRelayTestOptions extends TestRelayOptions {
  /** Name of the relay; none for the one without a name. */
  readonly name?: string;
}

/** One for all that a test imports. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [TestRelays, { provide: RELAY_MAKER, useExisting: TestRelays }, MailRelayInbox],
  exports: [RELAY_MAKER, MailRelayInbox],
})
class TestRelaysModule {}

@Module({})
class TestRelayModule {}

/**
 * Turns every relay of an application into a test relay, with the options of the application: in memory, nothing is sent, and
 * time moves when the test says so.
 *
 * @example
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideModule(MailRelayModule)
 *   .useModule(MailRelayTestModule)
 *   .compile();
 * const mail = await module.get(MailRelayInbox).last({ to: 'ada@example.com' });
 */
@Module({ imports: [TestRelaysModule] })
export class MailRelayTestModule {
  /**
   * A test relay for modules that are tested without the application around them. Where the application makes a relay of the
   * name, these options go over its own.
   *
   * @example
   * Test.createTestingModule({ imports: [SignupModule, MailRelayTestModule.forRoot({ templates: 'emails' })] })
   */
  static forRoot({ name, ...options }: MailRelayTestOptions = {}): DynamicModule {
    const relay = RelayModule.forRoot({ name });
    const givesWay = { provide: NAMED, useValue: { name, givesWay: true } };
    return {
      module: TestRelayModule,
      imports: [TestRelaysModule, { ...relay, providers: [...(relay.providers ?? []), givesWay] }],
      providers: [{ provide: WANTED, useValue: { name, options } satisfies Wanted }],
    };
  }
}
