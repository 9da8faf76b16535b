import type { MailRelay, MailRelayOptions } from '@mailrelay/core';

/** Under which a module says what its relay is called. */
export const NAMED: unique symbol = Symbol('MailRelay name');

/** What a relay module goes by. */
export interface Named {
  readonly name: string | undefined;
  /** It gives way where the application itself has a relay of the name: the modules of tests. */
  readonly givesWay?: boolean;
}

/** Makes the relays of an application in place of `createMailRelay()`: those of a test. */
export interface RelayMaker {
  /** Options that go over those of the application. */
  optionsFor(name: string | undefined): MailRelayOptions;
  make(options: MailRelayOptions, named: Named): Promise<MailRelay>;
  /** Whether this module has to leave the relay of its name to another. */
  givesWay(named: Named): boolean;
}

/** Under which a module of tests provides its maker. */
export const RELAY_MAKER: unique symbol = Symbol('MailRelay maker');
