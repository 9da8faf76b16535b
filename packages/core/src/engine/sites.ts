import type { Clock } from '../clock.ts';
import { findDestination } from '../deliver/mx/destination.ts';
import type { Resolver } from '../deliver/mx/resolver.ts';
import type { RouteSpec } from '../deliver/port.ts';
import type { FindSites } from '../queue/sorter.ts';
import { siteOfDomain } from '../route/sites/bounds.ts';
import type { RollUp } from '../route/sites/roll-up.ts';
import { OWN_SITES, type ResolvedShaping } from '../shaping-options.ts';
import type { Store } from '../store/port.ts';

/** A domain keeps its site for so long, ms; one that has none, or whose name servers do not answer, for less. */
export const KEPT_MS: number = 6 * 3_600_000;
export const NOWHERE_MS = 300_000;
const TROUBLE_MS = 60_000;
/** Mail does not wait longer for the DNS before it is sorted, ms. */
const PATIENCE_MS = 2000;
/** Domains that are kept in memory. */
export const NAMES = 50_000;

interface Found {
  readonly domain: string;
  readonly site: string;
  readonly until: number;
}

/** @param resolverOf - undefined for routes that look up no MX */
export function createFindSites(context: {
  readonly store: Pick<Store, 'sites'>;
  readonly rollUp: RollUp;
  readonly shaping: ResolvedShaping;
  readonly clock: Pick<Clock, 'now'>;
  resolverOf(route: string): Resolver | undefined;
  specOf(route: string): RouteSpec | undefined;
}): FindSites {
  const { store, rollUp, shaping, clock, resolverOf, specOf } = context;
  const memory = new Map<string, Found>();

  function remember(found: Found): void {
    if (memory.size >= NAMES) memory.clear();
    memory.set(found.domain, found);
  }

  /** Known without the DNS. */
  function given(domain: string): string | undefined {
    if (shaping.domains[domain] !== undefined) return siteOfDomain(domain);
    if (domain.startsWith('[')) return domain.slice(1, -1).replace(/^IPv6:/i, '');
    return rollUp.ofDomain(domain);
  }

  async function lookUp(domain: string, resolver: Resolver): Promise<Found> {
    const hostname = '';
    const answer = await findDestination(domain, { resolver, settings: { hostname }, random: Math.random });
    const now = clock.now();
    if (answer.type === 'hosts')
      return { domain, site: rollUp.ofHosts(answer.hosts.map(({ name }) => name)), until: now + KEPT_MS };
    const trouble = answer.outcome.type === 'deferred';
    return { domain, site: OWN_SITES.unresolved, until: now + (trouble ? TROUBLE_MS : NOWHERE_MS) };
  }

  /** Those that the DNS answers in time for. */
  async function lookUpAll(domains: readonly string[], resolver: Resolver): Promise<readonly Found[]> {
    const late = (domain: string): Found => ({ domain, site: OWN_SITES.unresolved, until: clock.now() + TROUBLE_MS });
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    const found = await Promise.all(
      domains.map((domain) => Promise.race([lookUp(domain, resolver), patience.then(() => late(domain))])),
    );
    clearTimeout(timer);
    return found;
  }

  async function looked(
    domains: readonly string[],
    resolver: Resolver,
  ): Promise<readonly (readonly [string, string])[]> {
    const now = clock.now();
    const fresh = domains.filter((domain) => (memory.get(domain)?.until ?? 0) <= now);
    const stored = fresh.length === 0 ? new Map<string, string>() : store.sites.sitesOf(fresh, now);
    // How long the store still keeps it is not asked: a minute is enough to spare most questions.
    for (const [domain, site] of stored) remember({ domain, site, until: now + TROUBLE_MS });
    const unknown = fresh.filter((domain) => !stored.has(domain));
    if (unknown.length > 0) {
      const found = await lookUpAll(unknown, resolver);
      for (const one of found) remember(one);
      await store.sites.keepSites(found, clock.now());
    }
    return domains.map((domain) => [domain, memory.get(domain)?.site ?? OWN_SITES.unresolved] as const);
  }

  return async (route, domains) => {
    const sites = new Map<string, string>();
    const open: string[] = [];
    const resolver = resolverOf(route);
    const direct = specOf(route)?.kind === 'mx';
    for (const domain of domains) {
      const site = given(domain);
      if (site !== undefined) sites.set(domain, site);
      else if (direct && resolver !== undefined) open.push(domain);
      else sites.set(domain, OWN_SITES.other);
    }
    if (open.length > 0 && resolver !== undefined)
      for (const [domain, site] of await looked(open, resolver)) sites.set(domain, site);
    return sites;
  };
}
