import type { Clock } from '../clock.ts';
import { findDestination } from '../deliver/mx/destination.ts';
import { createQuestions } from '../deliver/mx/questions.ts';
import type { Resolver } from '../deliver/mx/resolver.ts';
import { messageOf } from '../errors.ts';
import type { SiteFinder } from '../queue/sorter.ts';
import { siteOfDomain } from '../route/sites/bounds.ts';
import type { RollUp } from '../route/sites/roll-up.ts';
import { OWN_SITES, type ResolvedShaping } from '../shaping-options.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';

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
export function createSiteFinder(context: {
  readonly store: Pick<Store, 'sites'>;
  readonly rollUp: RollUp;
  readonly shaping: ResolvedShaping;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: HostApi['log'];
  resolverOf(route: string): Resolver | undefined;
}): SiteFinder {
  const { store, rollUp, shaping, clock, log, resolverOf } = context;
  const memory = new Map<string, Found>();
  // So that patience begins with the question, and those of mail that is on its way find a turn.
  const inTurn = createQuestions();
  const unkept: Found[] = [];

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
    if (answer.type === 'hosts') return { domain, site: rollUp.ofHosts(answer.hosts), until: now + KEPT_MS };
    const trouble = answer.outcome.type === 'deferred';
    return { domain, site: OWN_SITES.unresolved, until: now + (trouble ? TROUBLE_MS : NOWHERE_MS) };
  }

  /** Of domains that were looked up before. */
  function looked(domains: readonly string[]): ReadonlyMap<string, string> {
    const now = clock.now();
    const sites = new Map<string, string>();
    const others: string[] = [];
    for (const domain of domains) {
      const found = memory.get(domain);
      if (found !== undefined && now < found.until) sites.set(domain, found.site);
      else others.push(domain);
    }
    if (others.length === 0) return sites;
    for (const [domain, site] of store.sites.sitesOf(others, now)) {
      // How long the store still keeps it is not asked: a minute is enough to spare most questions.
      remember({ domain, site, until: now + TROUBLE_MS });
      sites.set(domain, site);
    }
    return sites;
  }

  /** Together with what is found in the same turn. What cannot be kept is asked for again. */
  function keep(found: Found): void {
    remember(found);
    if (unkept.push(found) > 1) return;
    setImmediate(() => {
      store.sites.keepSites(unkept.splice(0), clock.now()).catch((error: unknown) => {
        log('debug', { error: messageOf(error) }, 'the sites of domains could not be kept');
      });
    });
  }

  /** What comes too late is of use for the next mail. */
  async function siteOf(domain: string, resolver: Resolver): Promise<string> {
    const patience = Promise.withResolvers<undefined>();
    const timer = setTimeout(patience.resolve, PATIENCE_MS, undefined);
    const answer = lookUp(domain, resolver);
    const found = await Promise.race([answer, patience.promise]);
    clearTimeout(timer);
    if (found === undefined) {
      remember({ domain, site: OWN_SITES.unresolved, until: clock.now() + TROUBLE_MS });
      void answer.then(keep);
      return OWN_SITES.unresolved;
    }
    keep(found);
    return found.site;
  }

  return {
    known(route, domains) {
      const sites = new Map<string, string>();
      const open: string[] = [];
      const direct = resolverOf(route) !== undefined;
      for (const domain of domains) {
        const site = given(domain);
        if (site !== undefined) sites.set(domain, site);
        else if (direct) open.push(domain);
        else sites.set(domain, OWN_SITES.other);
      }
      for (const [domain, site] of looked(open)) sites.set(domain, site);
      return sites;
    },
    ask(route, domain) {
      const resolver = resolverOf(route);
      if (resolver === undefined) return Promise.resolve(OWN_SITES.other);
      return inTurn(() => siteOf(domain, resolver));
    },
  };
}
