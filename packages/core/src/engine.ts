/** Joins the stages in order: compose -> queue -> route -> deliver -> feedback -> report. Runs in the engine's thread. */
import { hostname } from 'node:os';
import type { AlertPolicy } from './alert-options.ts';
import type { ResolvedBounces } from './bounce-options.ts';
import { type Clock, systemClock } from './clock.ts';
import { createComposer } from './compose/composer.ts';
import { createMessageIds } from './compose/message-id.ts';
import type { Composer, DeclaredTemplate } from './compose/port.ts';
import { headOf, readCaptured } from './deliver/capture.ts';
import { placesOf } from './deliver/places.ts';
import type { RouteSpec, Transport } from './deliver/port.ts';
import { createTransport } from './deliver/transport.ts';
import type { ResolvedDkim } from './dkim-options.ts';
import { createAlerting } from './engine/alerting.ts';
import { createBounceMails } from './engine/bounce-mails.ts';
import { createConsent } from './engine/consent.ts';
import { createDelivering } from './engine/delivering.ts';
import { createExplaining } from './engine/explaining.ts';
import { createFeedback } from './engine/feedback.ts';
import { createHealth } from './engine/health.ts';
import { createLaneViews } from './engine/lanes.ts';
import { createNotifying } from './engine/notifying.ts';
import { createReading } from './engine/reading.ts';
import { createRecords } from './engine/records.ts';
import { createReporting } from './engine/reporting.ts';
import { createReturnPaths } from './engine/return-paths.ts';
import { createRouteFaults } from './engine/route-faults.ts';
import { createRouting } from './engine/routing.ts';
import { createShaping } from './engine/shaping.ts';
import { createSubmitting } from './engine/submitting.ts';
import { createVerifying, noSuchRoute } from './engine/verifying.ts';
import { createWarnings } from './engine/warnings.ts';
import { createWayNames } from './engine/way-names.ts';
import { MailRelayError, messageOf } from './errors.ts';
import type { MessageEvent } from './events.ts';
import type { ResolvedEndpoint } from './notify/port.ts';
import { createLocalQueue } from './queue/local.ts';
import type { LocalQueue } from './queue/local-options.ts';
import { retrySchedule } from './queue/retry.ts';
import { parseRates } from './rate.ts';
import { createBreakers } from './route/breakers.ts';
import { createSeal } from './seal.ts';
import type { ResolvedShaping } from './shaping-options.ts';
import type { Cursor, StoreSpec } from './store/port.ts';
import { createSqliteStore } from './store/sqlite/store.ts';
import type { SuppressionPolicy } from './suppression-policy.ts';
import type { EngineApi, HostApi } from './thread/port.ts';
import { createTokens } from './token.ts';

/** What the engine needs to know; plain data and keys, so that it can cross into a thread. */
export interface EngineOptions {
  readonly store: StoreSpec;
  readonly templates: {
    readonly folders: readonly string[];
    readonly declared: readonly DeclaredTemplate[];
    readonly watch: boolean;
  };
  readonly secrets: readonly string[];
  readonly linkBase: string;
  readonly routes: readonly RouteSpec[];
  readonly dkim: ResolvedDkim;
  readonly shaping: ResolvedShaping;
  readonly maxMessageBytes: number;
  readonly suppression: SuppressionPolicy;
  readonly alerts: AlertPolicy;
  readonly bounceDomain: ResolvedBounces;
  readonly webhooksOut: readonly ResolvedEndpoint[];
  readonly queue: {
    readonly deliver: boolean;
    readonly leaseMs: number;
    readonly retryFirstMs: number;
    readonly retryMaxMs: number;
    readonly maxAgeMs: number;
  };
}

/** Makes the engine; nothing happens before `start()`. */
export function createEngine(options: EngineOptions, host: HostApi, clock: Clock = systemClock): EngineApi {
  const tokens = createTokens(options.secrets);
  const messageIdOf = createMessageIds(tokens);
  const names = createWayNames(options.routes, options.shaping);
  const store = createSqliteStore({
    path: options.store.path,
    messageIdOf,
    policy: options.suppression,
    log: host.log,
    ...names,
  });
  const composer: Composer = createComposer({
    ...options.templates,
    tokens,
    messageIdOf,
    linkBase: options.linkBase,
    maxMessageBytes: options.maxMessageBytes,
    bounceDomain: options.bounceDomain,
    dkim: options.dkim,
    clock,
    blobs: store.blobs,
    log: host.log,
  });
  const transports = new Map<string, Transport>();
  const breakers = createBreakers(clock);
  const faults = createRouteFaults(host.log, options.routes, breakers);
  const shaping = createShaping({ routes: options.routes, shaping: options.shaping, store, clock, log: host.log });
  const { ways, siteOf, siteWays, siteMoves } = createRouting({
    routes: options.routes,
    breakers,
    answers: shaping.answers,
    store,
    clock,
    log: host.log,
    onMoved: () => queue?.wake(),
  });
  const views = createLaneViews({ store, routes: options.routes, shaping, ways, clock });
  let queue: LocalQueue | undefined;
  let listening = false;
  const notifying = createNotifying({
    store,
    endpoints: options.webhooksOut,
    seal: createSeal(options.secrets),
    // Where nothing is sent, nothing is posted.
    posts: options.queue.deliver,
    leaseMs: options.queue.leaseMs,
    clock,
    host,
  });
  const { wake: notify } = notifying;
  const alerting = createAlerting({ store, clock, policy: options.alerts, host, wake: notify });
  const warnings = createWarnings({
    clock,
    everyMs: options.alerts.warnEveryMs,
    host,
    alerts: store.alerts,
    wake: notify,
  });
  const publish = (events: readonly MessageEvent[]): void => {
    if (events.length === 0) return;
    notifying.wake();
    if (listening) host.publish(events);
    alerting.note(events);
  };
  const wake = (): void => queue?.wake();
  const routeNames = options.routes.map((route) => route.name);
  const submitting = createSubmitting({ store, composer, routes: options.routes, siteOf, clock, publish, wake });
  const reading = createReading({ store, composer, publish });
  const coming = createFeedback({ store, clock, policy: options.suppression, publish, warnings, log: host.log });

  function transportOf(route: RouteSpec): Transport {
    const known = transports.get(route.name);
    if (known !== undefined) return known;
    const made = createTransport(route, {
      blobs: store.blobs,
      clock,
      onFeedback: coming.feedback,
      resolver: shaping.resolverOf(route.name),
    });
    transports.set(route.name, made);
    return made;
  }

  /** A process that only accepts has the routes, too, but no lanes. */
  function openQueue(): LocalQueue {
    const routes = options.queue.deliver ? options.routes : [];
    routes.forEach(transportOf);
    return createLocalQueue({
      store: store.queue,
      sites: shaping.queue && { ...shaping.queue, divert: siteMoves?.divert },
      routes: routeNames,
      onMoved: (moved) =>
        host.log('warn', { moved, route: routeNames[0] }, 'mail of routes that are gone moved to the first route'),
      lanes: routes.flatMap((route) => {
        const rates = parseRates(route.rate);
        const concurrency = placesOf(route);
        return (['transactional', 'broadcast'] as const).map((stream) => ({
          key: { route: route.name, stream },
          concurrency,
          rates,
          warmUp: shaping.warmUpOf(route.name),
        }));
      }),
      deliver: createDelivering({
        store,
        composer,
        transports,
        routes: options.routes,
        schedule: retrySchedule(options.queue),
        faults,
        warnings,
        returnPaths: createReturnPaths(options.routes, host.log),
        siteOf: names.siteOf,
        ways,
        siteWays,
        shaping,
        log: host.log,
        clock,
      }),
      isFed: (route) => ways.isFed(route, clock.now()),
      onEvents: publish,
      onError: (error) => host.log('error', { error: messageOf(error) }, 'the queue failed'),
      leaseMs: options.queue.leaseMs,
      pid: process.pid,
      host: hostname(),
      clock,
    });
  }

  return {
    async start(): Promise<void> {
      shaping.checkNames();
      await store.open();
      await composer.start();
      await notifying.start();
      queue = openQueue();
      await queue.start();
      if (options.queue.deliver) siteMoves?.start();
      warnings.start();
      alerting.start();
    },
    async stop(stopOptions): Promise<void> {
      await Promise.all([store.posted(), siteMoves?.stop()]);
      await queue?.stop(stopOptions);
      await notifying.stop(stopOptions.timeoutMs);
      await alerting.stop();
      await warnings.stop();
      await Promise.all([...transports.values()].map((transport) => transport.close()));
      await composer.close();
      await store.close();
    },
    ...submitting,
    ...reading,
    ...createConsent({ store, clock, publish }),
    ...coming,
    ...createBounceMails({ clock, tokens, receive: coming.receive }),
    hasBlob: (kind, key) => store.blobs.has(kind, key),
    render: (name, data, renderOptions) => composer.render(name, data, renderOptions),
    templateVersion: async (name) => composer.version(name),
    ...createRecords({ store, composer }),
    ...createExplaining({
      store,
      views,
      breakers,
      ways,
      routes: options.routes,
      inHand: (deliveryId) => queue?.inHand(deliveryId),
      clock,
    }),
    async apply(selection, by, reason): Promise<number> {
      let changed = 0;
      let after: Cursor | undefined;
      do {
        const now = clock.now();
        const said = { ...(reason === undefined ? {} : { reason }), ...(after === undefined ? {} : { after }) };
        const { events, next } = await store.log.apply(selection, by, { now, ...said });
        publish(events);
        changed += events.length;
        after = next;
      } while (after !== undefined);
      wake();
      return changed;
    },
    addSuppression: async (entry) => publish(await store.suppressions.add(entry, clock.now())),
    removeSuppression: (address, scope) => store.suppressions.remove(address, scope),
    findSuppression: async (address, scopes) => store.suppressions.find(address, scopes, clock.now()),
    liftSuppression: (address, scope, note) => store.suppressions.lift({ address, scope, note }, clock.now()),
    listSuppressions: (query) => store.suppressions.list(query),
    ...createReporting(store),
    lanes: async (query) => views.views(await store.queue.lanes(query), queue),
    async pauseLane(lane, paused): Promise<void> {
      if (!routeNames.includes(lane.route)) throw noSuchRoute(lane.route, routeNames);
      if (lane.site !== undefined && shaping.boundsOf(lane.route, lane.site) === undefined) {
        const reason = `the route ${lane.route} has no lanes by site: give it \`shaping: true\`, or leave \`site\` out`;
        throw new MailRelayError('OPTIONS_INVALID', { option: 'site', reason });
      }
      await store.queue.pause(lane, paused, clock.now());
      wake();
    },
    captured: async (limit) =>
      (await store.blobs.list('captured', limit)).map(({ key, at, bytes }) => ({ id: key, at, bytes })),
    async capturedHead(id) {
      const bytes = await store.blobs.get('captured', id);
      return bytes && headOf(readCaptured(bytes));
    },
    clearCaptured: () => store.blobs.trim('captured', 0),
    async capturedSource(id) {
      const bytes = await store.blobs.get('captured', id);
      return bytes && readCaptured(bytes).raw;
    },
    ...notifying.api,
    async webhooksSettled(): Promise<void> {
      await warnings.stored();
      await notifying.settled();
    },
    health: createHealth({ store, faults, warnings, breakers, clock }),
    ...createVerifying({ routes: options.routes, clock, transport: transportOf }),
    async listen(on): Promise<void> {
      listening = on;
    },
  };
}
