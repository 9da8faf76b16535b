import type { RouteSpec } from '../deliver/port.ts';
import { siteOfDomain } from '../route/sites/bounds.ts';
import { createKnownReceivers } from '../route/sites/known.ts';
import { RECEIVERS } from '../route/sites/receivers.ts';
import type { ResolvedShaping } from '../shaping-options.ts';

/** What reports call the ways that mail takes. */
export interface WayNames {
  /** The provider whose preset a route is, else what kind of route it is; empty for a route of another process. */
  providerOf(route: string): string;
  /** The site behind a domain, where that is known without the DNS. */
  siteOf(domain: string): string | undefined;
}

const KINDS: Readonly<Record<RouteSpec['kind'], string>> = {
  smtp: 'smtp',
  mx: 'direct-mx',
  capture: 'capture',
  custom: 'custom',
};

/** Names by what is configured. */
export function createWayNames(routes: readonly RouteSpec[], shaping: ResolvedShaping): WayNames {
  const providers = new Map(
    routes.map((route) => [
      route.name,
      (route.kind === 'smtp' ? route.provider?.name : undefined) ?? KINDS[route.kind],
    ]),
  );
  const own = Object.entries(shaping.sites).map(([name, { mx = [], domains = [] }]) => ({ name, mx, domains }));
  const known = createKnownReceivers([...own, ...RECEIVERS]);
  return {
    providerOf: (route) => providers.get(route) ?? '',
    siteOf: (domain) => (shaping.domains[domain] === undefined ? known.ofDomain(domain) : siteOfDomain(domain)),
  };
}
