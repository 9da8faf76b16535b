import type { Inbox, MailQuery, TestKit, TestMail } from '@mailrelay/core/testing';
import { type INestApplicationContext, Inject, Injectable } from '@nestjs/common';
import { TestRelays } from './test-relays.ts';

/** The mail that the relay without a name has sent. */
@Injectable()
export class MailRelayInbox implements Inbox {
  readonly #relays: TestRelays;

  constructor(@Inject(TestRelays) relays: TestRelays) {
    this.#relays = relays;
  }

  /** The newest mail. @throws Error where there is none */
  async last(query?: MailQuery): Promise<TestMail> {
    return this.#relays.kit().inbox.last(query);
  }

  /** The newest mail that fits; undefined where none does. */
  async find(query: MailQuery): Promise<TestMail | undefined> {
    return this.#relays.kit().inbox.find(query);
  }

  /** Every mail that fits, oldest first. */
  async all(query?: MailQuery): Promise<readonly TestMail[]> {
    return this.#relays.kit().inbox.all(query);
  }

  /** Forgets what came until now. */
  async clear(): Promise<void> {
    await this.#relays.kit().inbox.clear();
  }
}

/**
 * All that a test does with a relay: its inbox, its clock, and what recipients do.
 *
 * @param app - the testing module, or the application that it made
 * @param name - the relay's name; none for the one without a name.
 * @throws Error where no test relay of the name is there
 * @example
 * const { inbox, clock, click } = mailRelayKit(module, 'billing');
 */
export function mailRelayKit(app: INestApplicationContext, name?: string): TestKit {
  return app.get(TestRelays, { strict: false }).kit(name);
}
