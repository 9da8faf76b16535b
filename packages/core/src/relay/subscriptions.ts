import { MailRelayError } from '../errors.ts';
import { decodeId } from '../message.ts';
import { check, date, group, rule, text, textUpTo, whole } from '../rules.ts';
import type { FailedEvent, Page, ReplaySelection, SubscriptionView, WebhookAttempt } from '../store/port.ts';
import { SUBSCRIPTION_NAME } from '../subscription-name.ts';
import type { EngineApi } from '../thread/port.ts';

/** Which page. */
export interface SubscriptionPageQuery {
  /** 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/**
 * Subscriptions of the store, whichever process has them, and endpoints of `webhooksOut`. All but `list()` throw
 * `SUBSCRIPTION_NOT_FOUND` for a name that is not there.
 */
export interface Subscriptions {
  /** All of them, by name: how far each is, and what it fails with. */
  list(): Promise<SubscriptionView[]>;
  /** Hands out nothing more until `resume()`, in no process; its events wait. */
  pause(name: string, options?: { readonly reason?: string | undefined }): Promise<void>;
  /** Goes on where it was, also after an endpoint was paused since it took nothing. */
  resume(name: string): Promise<void>;
  /** Forgets it, with what waits for it. A process that declares it again begins with the events from then on. */
  remove(name: string): Promise<void>;
  /** Events that were given up, newest first. They stay until they are replayed and handled. */
  failures(name: string, query?: SubscriptionPageQuery): Promise<Page<FailedEvent>>;
  /**
   * Handles events once more: one by its id, all that were given up, or those that were stored from a time to another. Events
   * can be replayed for 7 days, and those that were given up always.
   *
   * @returns how many
   * @throws MailRelayError `EVENT_NOT_FOUND`
   * @example
   * await relay.subscriptions.replay('crm', { from: new Date(Date.now() - 3_600_000) });
   */
  replay(name: string, which: ReplaySelection): Promise<number>;
  /** What an endpoint answered, newest first; kept for 30 days, at most 100,000. Empty for a handler. */
  attempts(name: string, query?: SubscriptionPageQuery): Promise<Page<WebhookAttempt>>;
}

const PAGE = group<SubscriptionPageQuery>({ limit: whole(1, 1000), after: text });
const PAUSE = group<{ reason: string }>({ reason: textUpTo(1000) });
const WHICH = group<{ event: string; failures: true; from: Date; to: Date }>({
  event: text,
  failures: rule((value) => value === true, 'must be true'),
  from: date,
  to: date,
});

/** `relay.subscriptions` */
export function createSubscriptions(engine: () => Promise<EngineApi>): Subscriptions {
  const page = (query: SubscriptionPageQuery, call: string) => {
    check(PAGE, query, call);
    return { limit: query.limit ?? 100, after: query.after };
  };
  async function on(name: string): Promise<EngineApi> {
    check(SUBSCRIPTION_NAME, name, 'name');
    return engine();
  }
  return {
    list: async () => (await engine()).listSubscriptions(),
    async pause(name, options = {}) {
      check(PAUSE, options, 'pause()');
      return (await on(name)).pauseSubscription(name, options.reason);
    },
    resume: async (name) => (await on(name)).resumeSubscription(name),
    remove: async (name) => (await on(name)).dropSubscription(name),
    async failures(name, query = {}) {
      const wanted = page(query, 'failures()');
      return (await on(name)).failedEvents(name, wanted);
    },
    async replay(name, which) {
      checkWhich(which);
      return (await on(name)).replayEvents(name, which);
    },
    async attempts(name, query = {}) {
      const wanted = page(query, 'attempts()');
      return (await on(name)).webhookAttempts(name, wanted);
    },
  };
}

function checkWhich(which: ReplaySelection): void {
  check(WHICH, which, 'replay()');
  const { event, failures, from, to } = which as Partial<Record<'event' | 'failures', unknown>> & {
    from?: Date;
    to?: Date;
  };
  const ways = [event, failures, from].filter((way) => way !== undefined);
  const reason =
    ways.length !== 1
      ? '`replay()` takes one of `event`, `failures` and `from`'
      : to !== undefined && (from === undefined || from > to)
        ? '`replay().to` must not be before `from`'
        : event !== undefined && decodeId('evt', String(event)) === undefined
          ? '`replay().event` must be the id of an event'
          : undefined;
  if (reason !== undefined) throw new MailRelayError('OPTIONS_INVALID', { option: 'replay()', reason });
}
