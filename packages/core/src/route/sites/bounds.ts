import type { DirectMxOptions, RouteSpec } from '../../deliver/port.ts';
import type { SiteBounds } from '../../queue/port.ts';
import { parseRates } from '../../rate.ts';
import { OWN_SITES, type ResolvedShaping, type SiteLimits } from '../../shaping-options.ts';
import type { WarmUp } from '../../warm-up.ts';
import type { Receiver } from './receivers.ts';

/** What set a limit. */
export type SetBy = 'route' | 'receiver' | 'host';

/** Bounds of a site, and where they come from. */
export interface Bounds extends SiteBounds {
  /** Connections from one local address. */
  readonly perAddress: number;
  readonly messagesPerConnection: number;
  /** The rates as they were written. */
  readonly rate: readonly string[];
  readonly setBy: { readonly connections: SetBy; readonly rate: SetBy | undefined };
}

/** What a route says of sites that nothing else is known of. */
export interface RouteBounds {
  /** Mails on their way at once, to all sites. */
  readonly places: number;
  readonly connections: number;
  readonly messagesPerConnection: number;
  /** Connections are counted from each of so many local addresses. */
  readonly addresses: number;
  /** Whether it reaches the receivers itself, and has to find out whether they answer. */
  readonly direct: boolean;
  /** The host said itself how many connections a site gets, so that no preset gives more. */
  readonly capped: boolean;
}

/** Domains that the DNS does not answer for wait in one lane with this share of the places, so that they hold up nothing else. */
const UNRESOLVED_SHARE = 1 / 8;

/** @param routes - the routes that have limits by site */
export function createBounds(
  routes: ReadonlyMap<string, RouteBounds>,
  receivers: readonly Receiver[],
  shaping: ResolvedShaping,
  warmUpOf: (route: string, site: string) => WarmUp | undefined,
): (route: string, site: string) => Bounds | undefined {
  const presets = new Map<string, SiteLimits>(receivers.map((receiver) => [receiver.name, receiver]));
  const known = new Map<string, Bounds>();

  function make(name: string, route: RouteBounds, site: string): Bounds {
    const preset = presets.get(site) ?? {};
    const host = (isOfDomain(site) ? shaping.domains[site.slice(1)] : shaping.sites[site]) ?? {};
    const rate = host.rate ?? preset.rate;
    const capped = route.capped ? Math.min(route.connections, preset.connections ?? route.connections) : undefined;
    const standard = capped ?? preset.connections ?? route.connections;
    const unresolved = site === OWN_SITES.unresolved;
    const connections = unresolved
      ? Math.max(1, Math.floor(route.places * UNRESOLVED_SHARE))
      : (host.connections ?? standard) * route.addresses;
    const all = site === OWN_SITES.other || unresolved || !route.direct;
    return {
      connections,
      perAddress: host.connections ?? standard,
      unproven: all ? connections : 1,
      messagesPerConnection: host.messagesPerConnection ?? preset.messagesPerConnection ?? route.messagesPerConnection,
      rates: parseRates(rate),
      warmUp: warmUpOf(name, site),
      rate: rate === undefined ? [] : [rate].flat(),
      setBy: {
        connections: setBy(host.connections, standard === preset.connections ? standard : undefined) ?? 'route',
        rate: setBy(host.rate, preset.rate),
      },
    };
  }

  return (name, site) => {
    const route = routes.get(name);
    if (route === undefined) return undefined;
    const key = `${name}\t${site}`;
    const bounds = known.get(key) ?? make(name, route, site);
    // Sites without limits of their own are many, and all alike: made anew they cost little.
    if (presets.has(site) || isOfDomain(site) || shaping.sites[site] !== undefined || bounds.warmUp !== undefined)
      known.set(key, bounds);
    return bounds;
  };
}

function setBy(host: unknown, preset: unknown): SetBy | undefined {
  if (host !== undefined) return 'host';
  return preset === undefined ? undefined : 'receiver';
}

/** A domain that the host gave limits of its own; no receiver has such a name. */
export function siteOfDomain(domain: string): string {
  return `@${domain}`;
}

function isOfDomain(site: string): boolean {
  return site.startsWith('@');
}

/** Local addresses that a site sees at once. */
export function addressesOf(localAddresses: DirectMxOptions['localAddresses']): number {
  if (localAddresses === undefined) return 1;
  if (Array.isArray(localAddresses)) return Math.max(1, localAddresses.length);
  const pools = localAddresses as {
    readonly transactional?: readonly string[];
    readonly broadcast?: readonly string[];
  };
  return Math.max(1, new Set([...(pools.transactional ?? []), ...(pools.broadcast ?? [])]).size);
}

/** Whether a route is held to limits by site. */
export function isShaped(route: RouteSpec): boolean {
  return route.shaping ?? route.kind === 'mx';
}
