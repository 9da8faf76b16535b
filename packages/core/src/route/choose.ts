import { domainOf } from '../address.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { MailRelayError } from '../errors.ts';
import { placesOf, ranked } from './places.ts';
import type { RoutedMail } from './rules.ts';

/** The way of one message: of its own, and of each recipient. */
export interface Way {
  /** The route that the message is kept under. */
  readonly route: string;
  /** All recipients leave by it. */
  readonly same: boolean;
  /** @throws MailRelayError `ROUTE_NOT_FOUND` */
  routeTo(address: string): string;
}

/** Chooses routes. */
export type ChooseRoute = (name: string | undefined, mail: RoutedMail) => Way;

/** The site of a recipient's domain, as far as it is known without waiting; undefined where it is not. */
export type KnownSite = (domain: string) => string | undefined;

/**
 * A message leaves by the route that it names, else each of its deliveries by the first that takes it; neighbours that have
 * a weight are one place in that order, and share. Who gets which is decided by a hash of the recipient: restarts and
 * repetitions agree, and the mail of a recipient does not change its way from message to message. A route whose rules ask for
 * a site that is not known yet is taken for one that fits; that is decided before the mail leaves.
 *
 * The function that it answers throws MailRelayError `MESSAGE_INVALID` where no route has the name, and `ROUTE_NOT_FOUND`
 * where none takes the message.
 */
export function createChooseRoute(routes: readonly RouteSpec[], siteOf: KnownSite = () => undefined): ChooseRoute {
  const places = placesOf(routes);
  const first = places[0]?.[0];
  const simple = places[0]?.length === 1 && first?.fitting === undefined;
  const bySite = places.flat().some(({ fitting }) => fitting?.bySite === true);

  return (name, mail) => {
    if (name !== undefined) return always(known(routes, name));
    if (simple && first !== undefined) return always(first.name);
    const fit = places
      .map((place) => place.filter(({ fitting }) => fitting?.mail(mail) ?? true))
      .filter((place) => place.length > 0);
    const route = fit[0]?.[0]?.name;
    if (route === undefined) throw none(routes, mail);
    return {
      route,
      same: false,
      routeTo(address) {
        const domain = domainOf(address);
        const site = bySite ? siteOf(domain) : undefined;
        for (const place of fit) {
          const equals = place.filter(({ fitting }) => fitting?.recipient(mail, domain, site) !== false);
          const [best] = ranked(equals, address);
          if (best !== undefined) return best.name;
        }
        throw none(routes, mail, domain);
      },
    };
  };
}

function always(route: string): Way {
  return { route, same: true, routeTo: () => route };
}

function known(routes: readonly RouteSpec[], name: string): string {
  if (routes.some((route) => route.name === name)) return name;
  const names = routes.map((route) => route.name);
  throw new MailRelayError('MESSAGE_INVALID', {
    field: 'route',
    known: names,
    reason: `there is no route ${name}; known are ${names.join(', ')}`,
  });
}

function none(routes: readonly RouteSpec[], mail: RoutedMail, recipientDomain?: string): MailRelayError {
  const said = recipientDomain === undefined ? '' : ` to ${recipientDomain}`;
  const what = `${mail.stream} mail from ${mail.senderDomain}${said}`;
  const names = routes.map((route) => route.name);
  return new MailRelayError('ROUTE_NOT_FOUND', {
    ...mail,
    recipientDomain,
    routes: names,
    reason: `none of ${names.join(', ')} takes ${what}; a last route without \`takes\` takes the rest`,
  });
}
