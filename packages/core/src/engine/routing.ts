import type { Clock } from '../clock.ts';
import type { RouteSpec } from '../deliver/port.ts';
import type { Breakers } from '../route/breakers.ts';
import type { KnownSite } from '../route/choose.ts';
import { isShaped } from '../route/sites/bounds.ts';
import type { Store } from '../store/port.ts';
import type { HostApi } from '../thread/port.ts';
import { knownSite, type SiteAnswers } from './site-answers.ts';
import { createSiteMoves, type SiteMoves } from './site-moves.ts';
import { createSiteWays, type SiteWays } from './site-ways.ts';
import { createWays, type Ways } from './ways.ts';

/** Which way mail goes. What asks for sites is undefined where no route has rules by site. */
export interface Routing {
  readonly ways: Ways;
  readonly siteOf: KnownSite | undefined;
  readonly siteWays: SiteWays | undefined;
  readonly siteMoves: SiteMoves | undefined;
}

/** Joins the order of the routes, their health and their rules by site. */
export function createRouting(context: {
  readonly routes: readonly RouteSpec[];
  readonly breakers: Breakers;
  readonly answers: SiteAnswers | undefined;
  readonly store: Pick<Store, 'log' | 'sites'>;
  readonly clock: Pick<Clock, 'now' | 'every'>;
  readonly log: HostApi['log'];
  onMoved(): void;
}): Routing {
  const { routes, breakers, answers, clock } = context;
  const siteOf = answers && knownSite(answers);
  const ways = createWays(routes, breakers, clock, siteOf);
  if (answers === undefined) return { ways, siteOf, siteWays: undefined, siteMoves: undefined };
  const siteWays = createSiteWays(routes, answers, ways, clock);
  // Mail of the others is looked at as it is sorted into the lanes of its sites.
  const unsorted = routes.filter((route) => siteWays.isAsked(route.name) && !isShaped(route));
  const siteMoves = createSiteMoves({ ...context, siteWays, routes: unsorted.map(({ name }) => name) });
  return { ways, siteOf, siteWays, siteMoves };
}
