import { capture, type Logger, type MailRelay, type MailRelayOptions, smtp, sqlite } from '../index.ts';
import { makeRelay } from '../relay.ts';
import { check, date, object } from '../rules.ts';
import { createTestClock, type TestClock } from './clock.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createReader, type Reader } from './reader.ts';
import { createWaiting, type Waiting } from './waiting.ts';

/** Options of the relay under test. What would reach outside of the test is set by the kit. */
export interface TestRelayOptions
  extends Omit<MailRelayOptions, 'store' | 'thread' | 'clock' | 'environment' | 'secret' | 'queue'> {
  readonly queue?: Omit<NonNullable<MailRelayOptions['queue']>, 'deliver' | 'leaseMs'>;
  /** Where the clock stands at first. @default now */
  readonly now?: Date;
}

/** The relay under test: to be handed to the application in place of its own. */
export interface TestRelay extends MailRelay, Pick<Waiting, 'when' | 'settled'> {}

/** A relay for tests, and what a test does with it. */
export interface TestKit extends Reader {
  /** An application that stops it ends nothing: only `stop()` of the kit does. */
  readonly relay: TestRelay;
  readonly inbox: Inbox;
  readonly clock: TestClock;
  /** Ends the relay; what it had is gone. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Quiet, but for what goes wrong. */
const LOGGER: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields, message) => console.error(`mail-relay: ${message}`, fields),
};
const KEEP = 1_000_000;

/**
 * Starts a relay for tests: everything in memory and in this thread, mail is captured instead of sent, and time moves when
 * the test says so. Routes keep their names, without their rates.
 *
 * @throws MailRelayError as `createMailRelay()` and `start()` do
 * @example
 * const { relay, inbox, click, stop } = await createTestRelay({ templates: './emails' });
 * await relay.send({ to: 'ada@example.com', template: 'welcome', data: { name: 'Ada' } });
 * const url = await click(await inbox.last(), 'Confirm');
 * await stop();
 */
export async function createTestRelay(given: TestRelayOptions = {}): Promise<TestKit> {
  check(object, given, 'options');
  const { now = new Date(), ...options } = given;
  check(date, now, 'now');
  // The clock asks the relay what is due, and the relay asks the clock for the time.
  let waiting: Waiting;
  const clock = createTestClock(now.getTime(), () => waiting);
  const { relay, told } = makeRelay({
    from: 'Test <test@example.com>',
    publicUrl: 'http://localhost:3000',
    logger: LOGGER,
    ...options,
    templates: unwatched(options.templates),
    routes: (options.routes ?? ['capture']).map(captured),
    secret: 'the secret of a test relay',
    store: sqlite(':memory:'),
    environment: 'development',
    thread: false,
    clock,
  });
  waiting = createWaiting(relay, told, clock.now);
  const { when, settled } = waiting;
  const inbox = createInbox({ relay, settled, source: (id) => sourceOf(relay, options.path ?? '/mail', id) });
  let stopped = false;
  const stop = (): Promise<void> => {
    stopped = true;
    return relay.stop({ timeoutMs: 1000 });
  };
  await relay.start();
  return {
    relay: { ...relay, when, settled, stop: async () => (stopped ? undefined : settled()) },
    inbox,
    clock,
    ...createReader(relay, clock),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Route = NonNullable<MailRelayOptions['routes']>[number] | 'capture';

/** The same route, as one that sends nothing. */
function captured(route: Route): ReturnType<typeof capture> {
  const name = route === 'capture' ? route : (typeof route === 'string' ? smtp(route) : route).name;
  return capture({ name, keep: KEEP });
}

function unwatched(templates: MailRelayOptions['templates']): NonNullable<MailRelayOptions['templates']> {
  if (templates === undefined) return [];
  if (typeof templates === 'string') return { folder: templates, watch: false };
  return 'length' in templates ? templates : { ...templates, watch: false };
}

/** By the development inbox, where everybody can see it, too. */
async function sourceOf(relay: MailRelay, path: string, id: string): Promise<Uint8Array> {
  const response = await relay.handle(new Request(`${relay.publicUrl}${path}/inbox/${id}/source`));
  if (response?.status !== 200) throw new Error(`the mail ${id} is not kept any more`);
  return new Uint8Array(await response.arrayBuffer());
}
