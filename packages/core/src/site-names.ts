import type { RouteSpec } from './deliver/port.ts';
import { nearest } from './nearest.ts';
import { refuse } from './rules.ts';
import { OWN_SITES, type ResolvedShaping } from './shaping-options.ts';

/** A receiver, as far as its name is asked for. */
interface Named {
  readonly name: string;
  readonly mx: readonly string[];
  readonly domains: readonly string[];
}

/** What is known of the names of sites. */
export interface SiteNaming {
  /** Those of the data. */
  readonly receivers: readonly Named[];
  /**
   * Answers the site that a domain, or a mail host, belongs to; undefined where only the engine knows.
   *
   * @param own - receivers that come before those of the data
   */
  namer(own: readonly Named[]): (name: string) => string | undefined;
  /** Whether names below a name are those of others each, so that no mail is of the name itself; false where only the engine knows. */
  isShared(name: string): boolean;
}

/** What names are held against. */
interface Names {
  readonly receivers: readonly Named[];
  readonly known: ReadonlySet<string>;
  /** Lanes of `shaping.domains`. */
  readonly domains: ReadonlySet<string>;
  /** There is a lane for all that no receiver is known for. */
  readonly hasOther: boolean;
  siteOf(name: string): string | undefined;
  isShared(name: string): boolean;
}

/**
 * Checks the sites that options name: a name that no site has would do nothing. Sites that the DNS tells have a dot in their
 * name; others are receivers that are known.
 *
 * @throws MailRelayError `OPTIONS_INVALID`
 */
export function checkSites(routes: readonly RouteSpec[], shaping: ResolvedShaping, naming: SiteNaming): void {
  const given = Object.entries(shaping.sites).map(([name, { mx = [], domains = [] }]) => ({ name, mx, domains }));
  const own = given.filter(({ mx, domains }) => mx.length + domains.length > 0);
  const receivers = [...own, ...naming.receivers];
  const names: Names = {
    receivers,
    known: new Set(receivers.map(({ name }) => name)),
    domains: new Set(Object.keys(shaping.domains).map((domain) => `@${domain}`)),
    hasOther: routes.some((route) => route.kind !== 'mx'),
    siteOf: naming.namer(own),
    isShared: naming.isShared,
  };
  for (const { name } of given) checkSite(name, `shaping.sites.${name}`, names);
  for (const [index, { site }] of shaping.rules.entries())
    for (const one of site === undefined ? [] : [site].flat()) checkLane(one, `shaping.rules[${index}].site`, names);
  for (const [index, route] of routes.entries()) {
    checkTakes(route, `routes[${index}].takes.site`, names);
    checkWarmUp(route, `routes[${index}].warmUp.perSite`, names);
  }
}

function checkTakes({ takes }: RouteSpec, place: string, names: Names): void {
  for (const { site } of takes === undefined ? [] : [takes].flat()) {
    for (const one of site === undefined ? [] : [site].flat()) {
      const name = one.toLowerCase();
      if (name.startsWith('@')) refuse(place, 'is a domain: use recipientDomain');
      if (isLane(name)) refuse(place, `is no receiver: ${name} is a lane of shaping`);
      if (!name.includes('*')) checkSite(name, place, names);
    }
  }
}

function checkWarmUp(route: RouteSpec, place: string, names: Names): void {
  const bySite = Object.keys(route.warmUp?.perSite ?? {});
  if (bySite.length > 0 && !(route.shaping ?? route.kind === 'mx')) refuse(place, 'needs `shaping: true`');
  const direct = route.kind === 'mx';
  for (const name of bySite) {
    checkLane(name, `${place}.${name}`, { ...names, hasOther: !direct });
    const isReached = direct || /^@|:/.test(name) || isLane(name) || isByDomain(name, names);
    if (!isReached)
      refuse(
        `${place}.${name}`,
        `has no mail on this route, which looks up no MX: name its domains in \`shaping.sites.${name}.domains\``,
      );
  }
}

/** Whether a route that looks up no MX can know it. */
function isByDomain(name: string, { receivers }: Names): boolean {
  return receivers.some((one) => one.name === name && one.domains.length > 0);
}

/** Checks the name of a lane: of a site, of a domain with limits of its own, or of all others. */
function checkLane(name: string, place: string, names: Names): void {
  if (names.domains.has(name) || (name === OWN_SITES.other && names.hasOther)) return;
  if (name.startsWith('@')) refuse(place, `has no lane ${name}: \`shaping.domains\` does not have the domain`);
  if (isLane(name)) refuse(place, `is no receiver: ${name} is a lane of shaping`);
  if (name !== name.toLowerCase()) refuse(place, `must be in lower case: ${name.toLowerCase()}`);
  checkSite(name, place, names);
}

function checkSite(name: string, place: string, { receivers, known, siteOf, isShared }: Names): void {
  if (known.has(name)) return;
  if (/[.:]/.test(name)) {
    const site = siteOf(name);
    if (site !== undefined && site !== name) refuse(place, `is no site: mail for ${name} is of the site ${site}`);
    if (isShared(name))
      refuse(
        place,
        `is no site: each name below ${name} is one; \`shaping.sites\` makes them one with \`mx: ['${name}']\``,
      );
    return;
  }
  const meant = meantBy(name, receivers);
  const asked = meant === undefined ? '.' : `; did you mean ${meant}?`;
  refuse(
    place,
    `has no site ${name}${asked} Known are ${[...known].join(', ')}, those that \`shaping.sites\` gives \`mx\` or \`domains\`, and names such as example.org`,
  );
}

function isLane(name: string): boolean {
  return Object.values(OWN_SITES).some((own) => own === name);
}

/** `microsoft` for `microsoft-365`, `gmail` for `google`. */
function meantBy(name: string, receivers: readonly Named[]): string | undefined {
  const ofDomain = receivers.find(({ domains }) => domains.some((domain) => domain.startsWith(`${name}.`)));
  const names = receivers.map((one) => one.name);
  return ofDomain?.name ?? nearest(name, names);
}
