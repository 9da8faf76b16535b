import type { RouteSpec } from './deliver/port.ts';
import { refuse } from './rules.ts';
import { OWN_SITES, type ResolvedShaping } from './shaping-options.ts';

/**
 * Checks the sites that rules of routes name. Sites that the DNS tells have a dot in their name; others are receivers that
 * are known.
 *
 * @param receivers - names of the receivers of the data
 * @throws MailRelayError `OPTIONS_INVALID`
 */
export function checkSites(routes: readonly RouteSpec[], shaping: ResolvedShaping, receivers: readonly string[]): void {
  const known = new Set([...receivers, ...Object.keys(shaping.sites)]);
  for (const [index, { takes }] of routes.entries()) {
    const sites = (takes === undefined ? [] : [takes].flat()).flatMap(({ site }) =>
      site === undefined ? [] : [site].flat(),
    );
    for (const site of sites) checkSite(site.toLowerCase(), `routes[${index}].takes.site`, known);
  }
}

function checkSite(site: string, place: string, known: ReadonlySet<string>): void {
  if (Object.values(OWN_SITES).some((own) => own === site))
    refuse(place, `is no receiver: ${site} is a lane of shaping`);
  if (site.startsWith('@')) refuse(place, 'is a domain: use recipientDomain');
  if (!known.has(site) && !/[.:*]/.test(site))
    refuse(
      place,
      `has no site ${site}; known are ${[...known].join(', ')}, those of shaping.sites, and names such as example.org`,
    );
}
