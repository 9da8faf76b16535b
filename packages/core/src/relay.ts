/** The facade on the host's thread. */
import { createUnsubscribePage } from './consent/page.ts';
import { directMx } from './deliver/mx/route.ts';
import { smtpOfProvider } from './deliver/providers/route.ts';
import { capture, smtp } from './deliver/routes.ts';
import type { EngineOptions } from './engine.ts';
import { messageOf } from './errors.ts';
import type { EventType, RelayEvents, SubscribedType } from './events.ts';
import { configureWebhooks } from './feedback/providers/configure.ts';
import { createRouter, type HttpEngine, type Router } from './http/router.ts';
import type { Accepted } from './message.ts';
import { checkNodeVersion } from './node-version.ts';
import { noticeOptions, noticeStart } from './notices.ts';
import type { MailRelayOptions, ResolvedOptions } from './options.ts';
import { createDomains, type Domains } from './relay/domains.ts';
import { createFeedbackTools, type FeedbackTools } from './relay/feedback.ts';
import { createLifecycle, type StopOptions } from './relay/lifecycle.ts';
import { createListeners, type Listener } from './relay/listeners.ts';
import {
  createLanes,
  createMessages,
  createReports,
  createRoutes,
  createSuppressions,
  createTemplates,
  type Lanes,
  type Messages,
  type Reports,
  type Routes,
  type Suppressions,
  type Templates,
} from './relay/parts.ts';
import { createReadings } from './relay/readings.ts';
import { createSubscribing, type EventHandler, type SubscribeOptions, type Subscription } from './relay/subscribing.ts';
import { createSubscriptions, type Subscriptions } from './relay/subscriptions.ts';
import { createWebhooksOut, type WebhooksOut } from './relay/webhooks-out.ts';
import { resolveOptions } from './resolve-options.ts';
import { createReceiverNamer } from './route/sites/known.ts';
import { RECEIVERS } from './route/sites/receivers.ts';
import { signingSecrets } from './secret.ts';
import { type BulkSend, bulkSend } from './submit/bulk-send.ts';
import type { BulkOptions, BulkRecipient, SendMessage, TemplateInput } from './submit/input.ts';
import { createNodemailerTransport, type NodemailerTransport } from './submit/nodemailer.ts';
import { createSubmitter } from './submit/submitter.ts';
import { createTemplateBook } from './submit/templates.ts';
import type { DataOf } from './template.ts';
import type { EngineApi, Health, HostApi } from './thread/port.ts';
import { createTokens } from './token.ts';

/** The mail engine inside a host application. */
export interface MailRelay {
  readonly messages: Messages;
  readonly suppressions: Suppressions;
  readonly reports: Reports;
  readonly templates: Templates;
  readonly lanes: Lanes;
  readonly domains: Domains;
  readonly routes: Routes;
  /** What became of the mail, as others tell it. */
  readonly feedback: FeedbackTools;
  /** What is told of events, whatever happens: `subscribe()` and the endpoints of `webhooksOut`. */
  readonly subscriptions: Subscriptions;
  /** Endpoints of other systems that events are posted to, also those that are added while the relay runs. */
  readonly webhooksOut: WebhooksOut;
  /** Where recipients reach the application. */
  readonly publicUrl: string;
  /**
   * Accepts a message and answers once it is durable; it is delivered after that.
   *
   * @throws MailRelayError for everything that is wrong with the message, before anything of it is stored.
   * @example
   * await relay.send({ to: 'ada@example.com', template: 'welcome', data: { name: 'Ada' } });
   */
  send<const T extends TemplateInput = undefined>(message: SendMessage<T>): Promise<Accepted>;
  /**
   * Sends one mail to each recipient of a list of any length, in constant memory. A recipient that cannot be accepted is
   * reported with its index, and the rest goes on.
   */
  sendMany<const T extends TemplateInput = undefined, Shared extends keyof DataOf<T> = never>(
    recipients: Iterable<BulkRecipient<T, Shared>> | AsyncIterable<BulkRecipient<T, Shared>>,
    options: BulkOptions<T, Shared>,
  ): BulkSend;
  /**
   * A transport plugin for nodemailer, so that libraries that take a nodemailer transporter send through the relay.
   *
   * @example
   * const transporter = nodemailer.createTransport(relay.transport());
   */
  transport(): NodemailerTransport;
  /** Listens to one type of event, or to all with `event`. Answers a function that stops listening. */
  on<K extends keyof RelayEvents>(type: K, listener: Listener<K>): () => void;
  /**
   * Handles every event after the subscription was first made, at least once: also after a restart, and after a crash in the
   * middle of the handler. An event that fails is tried again, later ones go on meanwhile, but for those of its delivery.
   * Processes on one store that use one name share it: one at a time works on it. More on [events](events.md).
   *
   * @param name - 1 to 200 letters, digits and . : / @ _ -; it stays the same over restarts
   * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`
   * @example
   * relay.subscribe('crm', { types: ['bounced', 'complained'] }, async (event) => crm.flag(event.recipient, event.type));
   */
  subscribe<const T extends SubscribedType = EventType>(
    name: string,
    options: SubscribeOptions<T>,
    handler: EventHandler<T>,
  ): Subscription;
  subscribe(name: string, handler: EventHandler): Subscription;
  /** Answers requests to tracked links, unsubscribe pages and the inbox; `undefined` where the path is not ours. */
  handle(request: Request): Promise<Response | undefined>;
  /** Whether `handle()` would answer for this path. */
  matches(pathname: string): boolean;
  health(): Promise<Health>;
  /**
   * Opens the store, compiles templates and starts to deliver. Everything else calls it where needed.
   *
   * @throws MailRelayError `OPTIONS_INVALID` where an option names a host in place of the site that it is of
   */
  start(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
  /** Whether the engine's thread keeps the process alive. @default true */
  keepAlive(on: boolean): void;
}

/**
 * Makes a relay. Nothing happens before `start()` or the first use.
 *
 * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`, `DKIM_KEY_INVALID`, `SECRET_MISSING`, `PUBLIC_URL_MISSING`, `ROUTE_MISSING`, `NODE_TOO_OLD`.
 * @example
 * const relay = createMailRelay({ from: 'Acme <hello@acme.example>', routes: [smtp('smtp://localhost:1025')] });
 */
export function createMailRelay(options: MailRelayOptions = {}): MailRelay {
  return makeRelay(options).relay;
}

/** A relay, and what only the testing kit asks of it. */
export interface MadeRelay {
  readonly relay: MailRelay;
  /** Resolves when subscriptions and endpoints have been told of everything that is due. */
  told(): Promise<void>;
}

/** The same as {@link createMailRelay}. */
export function makeRelay(options: MailRelayOptions): MadeRelay {
  checkNodeVersion();
  const resolved = resolveOptions(options, process.env, {
    smtp,
    capture,
    directMx,
    provider: smtpOfProvider,
    webhooks: configureWebhooks,
    sites: { receivers: RECEIVERS, namer: createReceiverNamer, isShared: () => false },
  });
  noticeOptions(resolved);
  const secrets = signingSecrets(resolved);
  const book = createTemplateBook(resolved.templates.templates);
  const listeners = createListeners(resolved.logger);
  const host: HostApi = {
    publish: listeners.publish,
    wake: () => subscribing.wake(),
    alert: listeners.alert,
    warn: listeners.warn,
    log: (level, fields, message) => resolved.logger[level](fields, message),
  };
  const lifecycle = createLifecycle({
    options: engineOptions(resolved, secrets, book.compiled),
    threaded: resolved.thread,
    host,
    clock: resolved.clock,
    async onStarted(engine) {
      await engine.listen(listeners.size > 0);
      await subscribing.onStarted(engine);
      noticeStart(resolved);
    },
    onStopping: (timeoutMs) => subscribing.onStopping(timeoutMs),
    onCrash(error) {
      resolved.logger.error({ code: error.code, error: messageOf(error.cause ?? error) }, error.message);
      listeners.fail(error);
    },
  });
  const { engine } = lifecycle;
  const { clock, logger } = resolved;
  const subscribing = createSubscribing({
    engine,
    running: lifecycle.running,
    clock,
    logger,
    leaseMs: resolved.queue.leaseMs,
  });
  const submitter = createSubmitter({ options: resolved, book, engine });
  const router: Router = createRouter({
    engine: whenStarted(engine),
    tokens: createTokens(secrets),
    options: resolved,
    now: resolved.clock.now,
    unsubscribePage: createUnsubscribePage(resolved.unsubscribe),
    onError: (error) => resolved.logger.error({ error: messageOf(error) }, 'a request failed'),
    onRefusal: (fields) => resolved.logger.warn(fields, 'a webhook was refused'),
    onUnknown: (fields) =>
      resolved.logger.info(fields, 'a webhook has a kind of event that is not known: it changes nothing'),
  });

  const relay: MailRelay = {
    messages: createMessages(engine),
    suppressions: createSuppressions(engine, resolved.clock),
    reports: createReports(engine, resolved.clock),
    templates: createTemplates(engine, book),
    lanes: createLanes(engine),
    domains: createDomains(resolved),
    routes: createRoutes(engine),
    feedback: createFeedbackTools(engine),
    subscriptions: createSubscriptions(engine),
    webhooksOut: createWebhooksOut(engine),
    publicUrl: resolved.publicUrl,
    send: (message) => submitter.send(message as SendMessage),
    sendMany: (recipients, bulkOptions) => bulkSend(submitter.sendMany(recipients, bulkOptions as BulkOptions)),
    transport: () =>
      createNodemailerTransport({
        from: resolved.from,
        send: (message) => submitter.send(message as SendMessage),
        check: async () => (await engine()).health(),
      }),
    on(type, listener) {
      const off = listeners.add(type, listener);
      // An engine that is not running yet hears of its listeners when it starts.
      lifecycle
        .running()
        ?.then((api) => api.listen(true))
        .catch(() => {});
      return off;
    },
    subscribe: (name: string, ...given: readonly unknown[]) => subscribing.subscribe(name, ...given),
    handle: router.handle,
    matches: router.matches,
    health: async () => (await engine()).health(),
    start: lifecycle.start,
    stop: lifecycle.stop,
    keepAlive: lifecycle.hold,
  };
  return {
    relay,
    async told() {
      await (await lifecycle.running())?.webhooksSettled();
      await subscribing.settled();
    },
  };
}

/** What the routes ask of the engine, which starts with the first request where nothing started it before. */
function whenStarted(engine: () => Promise<EngineApi>): HttpEngine {
  return {
    read: createReadings(engine),
    unsubscribe: async (claim) => (await engine()).unsubscribe(claim),
    subscription: async (claim) => (await engine()).subscription(claim),
    resubscribe: async (claim) => (await engine()).resubscribe(claim),
    view: async (deliveryId) => (await engine()).view(deliveryId),
    captured: async (limit) => (await engine()).captured(limit),
    capturedHead: async (id) => (await engine()).capturedHead(id),
    clearCaptured: async () => (await engine()).clearCaptured(),
    capturedSource: async (id) => (await engine()).capturedSource(id),
    health: async () => (await engine()).health(),
    receive: async (feedback) => (await engine()).receive(feedback),
    receiveOnce: async (token, feedback) => (await engine()).receiveOnce(token, feedback),
  };
}

function engineOptions(
  options: ResolvedOptions,
  secrets: readonly string[],
  declared: EngineOptions['templates']['declared'],
): EngineOptions {
  const { store, templates, linkBase, routes, dkim, shaping, limits, queue, suppression, alerts } = options;
  const { bounceDomain, webhooksOut } = options;
  return {
    store,
    templates: { folders: templates.folders, declared, watch: templates.watch },
    secrets,
    linkBase,
    routes,
    dkim,
    shaping,
    maxMessageBytes: limits.maxMessageBytes,
    suppression,
    alerts,
    bounceDomain,
    webhooksOut,
    queue,
  };
}
