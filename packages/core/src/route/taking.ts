import { domainOf } from '../address.ts';
import type { RouteSpec } from '../deliver/port.ts';
import type { KnownSite } from './choose.ts';
import { type Candidate, placesOf, ranked } from './places.ts';
import type { RoutedMail } from './rules.ts';

/**
 * Names of the routes that take a mail to a recipient, in the order in which they get it; one that the host named is the
 * only one, as long as it is there. Routes that share a place stand in the recipient's own order. One that asks for a site
 * that is not known is none of them.
 */
export type TakingRoutes = (named: string | undefined, mail: () => RoutedMail, address: string) => readonly string[];

/** Prepares the rules of the routes. What is asked of the mail is only asked where some route has rules. */
export function createTakingRoutes(routes: readonly RouteSpec[], siteOf: KnownSite = () => undefined): TakingRoutes {
  const names = routes.map(({ name }) => name);
  const places = placesOf(routes);
  const ruled = places.flat().some(({ fitting }) => fitting !== undefined);
  const bySite = places.flat().some(({ fitting }) => fitting?.bySite === true);
  const plain = !ruled && places.length === routes.length;
  return (named, mail, address) => {
    if (named !== undefined && names.includes(named)) return [named];
    if (plain) return names;
    if (!ruled) return places.flatMap((place) => ranked(place, address)).map(({ name }) => name);
    const asked = mail();
    const to = domainOf(address);
    const site = bySite ? siteOf(to) : undefined;
    const takes = ({ fitting }: Candidate): boolean =>
      fitting === undefined || (fitting.mail(asked) && fitting.recipient(asked, to, site) === true);
    return places.flatMap((place) => ranked(place.filter(takes), address)).map(({ name }) => name);
  };
}
