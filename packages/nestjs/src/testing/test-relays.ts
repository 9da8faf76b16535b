import type { MailRelay, MailRelayOptions } from '@mailrelay/core';
import { createTestRelay, type TestKit, type TestRelayOptions } from '@mailrelay/core/testing';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { refuse } from '../options.ts';
import { NAMED, type Named, type RelayMaker } from '../relay-maker.ts';

/** What a test says of one relay. */
export interface Wanted {
  readonly name: string | undefined;
  readonly options: TestRelayOptions;
}

export const WANTED: unique symbol = Symbol('MailRelay test options');

/** Makes test relays in place of those of the application, and keeps what a test does with them. */
@Injectable()
export class TestRelays implements RelayMaker, OnApplicationShutdown {
  readonly #discovery: DiscoveryService;
  readonly #promises = new Map<string | undefined, PromiseWithResolvers<TestKit>>();
  readonly #begun = new Set<string | undefined>();
  readonly #made = new Map<string | undefined, TestKit>();

  constructor(@Inject(DiscoveryService) discovery: DiscoveryService) {
    this.#discovery = discovery;
  }

  /** @throws Error where no relay of the name was made */
  kit(name?: string): TestKit {
    const kit = this.#made.get(name);
    if (kit !== undefined) return kit;
    const names = [...this.#made.keys()].map((one) => one ?? 'one without a name');
    const relay = name === undefined ? 'relay without a name' : `relay ${name}`;
    throw new Error(
      `there is no test ${relay}: no module makes it, or the test overrides it; there is ${names.join(', ') || 'none'}`,
    );
  }

  optionsFor(name: string | undefined): MailRelayOptions {
    const { now: _now, ...options } = this.#wanted(name);
    return options;
  }

  givesWay({ name, givesWay = false }: Named): boolean {
    return givesWay && this.#all<Named>(NAMED).some((other) => other.name === name && other.givesWay !== true);
  }

  /** @throws MailRelayError `OPTIONS_INVALID` where two modules make a relay of one name, and what `createTestRelay()` throws */
  async make(options: MailRelayOptions, named: Named): Promise<MailRelay> {
    const { name } = named;
    if (this.givesWay(named)) return (await this.#promised(name).promise).relay;
    if (this.#begun.has(name)) refuse('name', `is ${name ?? 'missing'} for two relays: give one of them another`);
    this.#begun.add(name);
    const { now } = this.#wanted(name);
    const kit = await createTestRelay({ ...withinTest(options), ...(now === undefined ? {} : { now }) });
    this.#made.set(name, kit);
    this.#promised(name).resolve(kit);
    return kit.relay;
  }

  async onApplicationShutdown(): Promise<void> {
    for (const { relay, stop } of this.#made.values()) {
      await relay.settled();
      await stop();
    }
  }

  /** Modules come in no order: who needs a kit may come before who makes it. */
  #promised(name: string | undefined): PromiseWithResolvers<TestKit> {
    const promised = this.#promises.get(name) ?? Promise.withResolvers<TestKit>();
    this.#promises.set(name, promised);
    return promised;
  }

  #wanted(name: string | undefined): TestRelayOptions {
    const those = this.#all<Wanted>(WANTED).filter((one) => one.name === name);
    return Object.assign({}, ...those.map(({ options }) => options)) as TestRelayOptions;
  }

  #all<T>(token: symbol): T[] {
    const providers = this.#discovery.getProviders().filter((wrapper) => wrapper.token === token);
    return providers.map((wrapper) => wrapper.instance as T);
  }
}

/** What would reach outside of the test is the kit's. */
function withinTest(options: MailRelayOptions): TestRelayOptions {
  const { store: _s, thread: _t, clock: _c, environment: _e, secret: _x, queue, ...rest } = options;
  const { deliver: _d, leaseMs: _l, ...timing } = queue ?? {};
  return { ...rest, queue: timing };
}
