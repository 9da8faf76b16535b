import { domainOf } from '../address.ts';
import type { RouteSpec } from '../deliver/port.ts';
import { createFitting } from '../route/rules.ts';
import type { SiteAnswers } from './site-answers.ts';
import type { EnteringMail, Ways } from './ways.ts';

/** What follows from the site of a recipient for a mail on a route. */
export type SiteTurn =
  /** It goes on; the site does not matter here, or fits. */
  | { readonly type: 'stays' }
  /** Its site is not one that the route takes. */
  | { readonly type: 'moves'; readonly to: string }
  /** The same, and no other route takes it. */
  | { readonly type: 'nowhere'; readonly reply: string }
  /** The DNS was asked, and has not answered yet. */
  | { readonly type: 'asked' }
  /** The DNS does not answer. */
  | { readonly type: 'trouble'; readonly reply: string };

/** Decides by the rules of routes that name sites. */
export interface SiteWays {
  /** Whether the rules of a route name sites. */
  isAsked(route: string): boolean;
  /** @param patienceMs - how long to wait for the DNS */
  turn(route: string, mail: EnteringMail, patienceMs: number): Promise<SiteTurn>;
}

const STAYS: SiteTurn = { type: 'stays' };

/**
 * Mail moves away from a route that does not take its site, and only to one that does: it is back only where the DNS has
 * changed its mind. A route that takes a mail whatever its site keeps it, also where another would come first now, since that
 * one has failed it, or has sent what it may.
 */
export function createSiteWays(
  routes: readonly RouteSpec[],
  answers: SiteAnswers,
  ways: Pick<Ways, 'first'>,
  clock: { now(): number },
): SiteWays {
  const fittings = new Map(
    routes.flatMap(({ name, takes }) => {
      const fitting = createFitting(takes);
      return fitting?.bySite === true ? [[name, fitting] as const] : [];
    }),
  );

  const names = new Set(routes.map(({ name }) => name));

  return {
    isAsked: (route) => fittings.has(route),
    async turn(route, mail, patienceMs) {
      const { content, address } = mail;
      const fitting = fittings.get(route);
      if (fitting === undefined || mail.inDoubt === true || names.has(content.route ?? '')) return STAYS;
      const domain = domainOf(address);
      const asked = { ...mail.labels(), stream: content.stream, senderDomain: domainOf(content.from.address) };
      if (fitting.recipient(asked, domain) !== undefined) return STAYS;
      const answer = await answers.ask(domain, patienceMs);
      if (answer === undefined) return { type: 'asked' };
      if (answer.type === 'trouble') return answer;
      const { site } = answer;
      if (fitting.recipient(asked, domain, site) === true) return STAYS;
      const to = ways.first(mail, clock.now());
      if (to !== undefined && to !== route) return { type: 'moves', to };
      const where = site === '' ? 'which takes no mail' : `of the site ${site}`;
      return { type: 'nowhere', reply: `no route takes mail to ${domain}, ${where}` };
    },
  };
}
