import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';
import { cachedResolver } from '../deliver/mx/cached-resolver.ts';
import { createResolver, type Resolver } from '../deliver/mx/resolver.ts';
import { filled } from '../deliver/mx/settings.ts';
import { poolOf } from '../deliver/mx/source-address.ts';
import { connectionsOf, placesOf } from '../deliver/places.ts';
import type { Attempt, ReceiverBounds, RouteSpec } from '../deliver/port.ts';
import { messageOf } from '../errors.ts';
import { avoidedBy, connectionsLeft, factorOf } from '../lane-rule.ts';
import type { Stream } from '../message.ts';
import { createActingRules } from '../queue/acting-rules.ts';
import type { SiteQueueOptions } from '../queue/local-options.ts';
import type { ClaimedDelivery, LaneRule } from '../queue/port.ts';
import { createFitting } from '../route/rules.ts';
import { createAutomation } from '../route/sites/automation.ts';
import { addressesOf, type Bounds, createBounds, isShaped, type RouteBounds } from '../route/sites/bounds.ts';
import { RECEIVERS } from '../route/sites/receivers.ts';
import { createNamer, createRollUp, isShared } from '../route/sites/roll-up.ts';
import { RULES } from '../route/sites/rules.ts';
import type { ResolvedShaping } from '../shaping-options.ts';
import { checkSites } from '../site-names.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import { calendarsOf, type WarmUp } from '../warm-up.ts';
import { createSiteAnswers, type SiteAnswers } from './site-answers.ts';
import { createSiteFinder } from './sites.ts';

/** What holds routes to what receivers take. */
export interface Shaping {
  /**
   * Checks the sites that options name once more: the host's thread knows the names of receivers only.
   *
   * @throws MailRelayError `OPTIONS_INVALID`
   */
  checkNames(): void;
  /** For the queue; undefined where no route has limits by site. */
  readonly queue: SiteQueueOptions | undefined;
  boundsOf(route: string, site: string): Bounds | undefined;
  warmUpOf(route: string): WarmUp | undefined;
  /** What the connection has to know; undefined for mail that was not sorted. */
  receiverOf(route: string, claimed: ClaimedDelivery): ReceiverBounds | undefined;
  /** Learns from an attempt. Answers whether the next one is to come from another local address, by a rule. */
  note(route: string, claimed: ClaimedDelivery, stream: Stream, attempt: Attempt): boolean;
  /** What the DNS of a route has said is kept here, for its transport, too. */
  resolverOf(route: string): Resolver | undefined;
  /** Who hosts domains, as rules of routes ask; undefined where none does. */
  readonly answers: SiteAnswers | undefined;
}

/** Joins sites, bounds and rules. */
export function createShaping(context: {
  readonly routes: readonly RouteSpec[];
  readonly shaping: ResolvedShaping;
  readonly store: Pick<Store, 'sites'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: HostApi['log'];
}): Shaping {
  const { routes, shaping, store, clock, log } = context;
  const own = Object.entries(shaping.sites).map(([name, { mx = [], domains = [] }]) => ({ name, mx, domains }));
  const shaped = routes.filter(isShaped);
  const specs = new Map(shaped.map((route) => [route.name, route]));
  const calendars = calendarsOfRoutes(routes);
  const given = new Map(shaped.map((route) => [route.name, ofRoute(route)] as const));
  const boundsOf = createBounds(given, RECEIVERS, shaping, (route, site) => calendars.get(route)?.sites.get(site));
  const automation = createAutomation([...shaping.rules, ...(shaping.defaultRules ? RULES : [])]);
  const resolvers = new Map<string, Resolver>();
  const rules = createActingRules();

  function resolverOf(name: string): Resolver | undefined {
    const route = specs.get(name);
    if (route?.kind !== 'mx') return undefined;
    const resolver = resolvers.get(name) ?? cachedResolver(createResolver(route.mx.dns), clock);
    resolvers.set(name, resolver);
    return resolver;
  }

  function addresses(name: string, stream: Stream): readonly string[] {
    const route = specs.get(name);
    return route?.kind === 'mx' ? poolOf(route.mx.localAddresses, stream) : [];
  }

  const rollUp = createRollUp([...own, ...RECEIVERS]);
  const finder = createSiteFinder({
    store,
    rollUp,
    shaping,
    clock,
    log,
    resolverOf,
  });

  /** The DNS of the first route that has one of its own, else that of the machine. */
  function anyResolver(): Resolver {
    const direct = routes.find(({ kind }) => kind === 'mx');
    const dns = direct?.kind === 'mx' ? direct.mx.dns : undefined;
    return (direct && resolverOf(direct.name)) ?? cachedResolver(createResolver(dns), clock);
  }

  const bySite = routes.some(({ takes }) => createFitting(takes)?.bySite === true);

  return {
    checkNames: () => checkSites(routes, shaping, { receivers: RECEIVERS, namer: createNamer, isShared }),
    answers: bySite ? createSiteAnswers({ store, rollUp, resolver: anyResolver(), clock, log }) : undefined,
    boundsOf,
    warmUpOf: (route) => calendars.get(route)?.all,
    resolverOf,
    queue:
      shaped.length === 0
        ? undefined
        : {
            store: store.sites,
            shaped: { boundsOf },
            finder,
            rules,
          },
    receiverOf(route, { site }) {
      const bounds = site === undefined ? undefined : boundsOf(route, site);
      if (site === undefined || bounds === undefined) return undefined;
      const { connections, perAddress, messagesPerConnection } = bounds;
      const avoided = avoidedBy(rules.of(route, site, clock.now()), clock.now()).map(({ address }) => address);
      return {
        site,
        messagesPerConnection,
        avoided,
        get connections() {
          const now = clock.now();
          const left = connectionsLeft(connections, factorOf(rules.of(route, site, now), now));
          return left === connections ? perAddress : Math.ceil((perAddress * left) / connections);
        },
      };
    },
    note(route, { site }, stream, { outcome, transcript }) {
      if (site === undefined || (outcome.type !== 'deferred' && outcome.type !== 'bounced')) return false;
      const now = clock.now();
      const { localAddress, startedAt } = transcript;
      const { reply, reason, own = false } = outcome;
      const all = addresses(route, stream);
      const heard = { route, site, reply, reason, own, startedAt, localAddress, addresses: all };
      // Another process may have made one that this one has not met yet.
      const stored = store.sites.lane(route, site, stream)?.rule;
      if (stored !== undefined) rules.note(route, site, stored, now);
      const acting = rules.of(route, site, now);
      const rule = automation.hear(heard, acting, now);
      const free = isFreeAfter(localAddress, all, rule ?? acting, now);
      if (rule === undefined) return free;
      rules.note(route, site, rule, now);
      log(
        'warn',
        { route, site, rule: rule.name, until: new Date(rule.until).toISOString(), reply },
        'a rule of shaping acts',
      );
      store.sites.applyRule(route, site, rule, now).catch((error: unknown) => {
        log('error', { error: messageOf(error) }, 'a rule of shaping could not be kept');
      });
      return free;
    },
  };
}

/** Whether a rule leaves out the local address of an attempt, and not all others of its kind. */
function isFreeAfter(
  from: string | undefined,
  all: readonly string[],
  rule: LaneRule | undefined,
  now: number,
): boolean {
  const avoided = new Set(avoidedBy(rule, now).map(({ address }) => address));
  return (
    from !== undefined &&
    avoided.has(from) &&
    all.some((address) => !avoided.has(address) && isIPv6(address) === isIPv6(from))
  );
}

function calendarsOfRoutes(routes: readonly RouteSpec[]): ReadonlyMap<string, ReturnType<typeof calendarsOf>> {
  return new Map(
    routes.flatMap((route) => (route.warmUp === undefined ? [] : [[route.name, calendarsOf(route.warmUp)] as const])),
  );
}

/** What a route says of sites that nothing else is known of. */
function ofRoute(route: RouteSpec): RouteBounds {
  if (route.kind !== 'mx') {
    const places = placesOf(route);
    const connections = Math.min(places, connectionsOf(route) ?? places);
    return { places, connections, messagesPerConnection: 100, addresses: 1, direct: false, capped: false };
  }
  const { connectionsPerSite, maxMessagesPerConnection } = filled(route.mx);
  return {
    places: placesOf(route),
    connections: connectionsPerSite,
    messagesPerConnection: maxMessagesPerConnection,
    addresses: addressesOf(route.mx.localAddresses),
    direct: true,
    capped: route.mx.connectionsPerSite !== undefined,
  };
}
