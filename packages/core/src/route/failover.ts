import type { Passage } from './breaker.ts';

/** Where a delivery goes on after its route failed it. */
export interface Failover {
  /**
   * The next route in the mail's order after this one that works; undefined where there is none. Routes before it were
   * tried, or did not work: going back to them at once would send the mail round in circles. Routes that share a place by
   * weight follow each other, so that they share what one of them cannot send.
   */
  next(taking: readonly string[], route: string, now: number): string | undefined;
  /** The route that a later attempt begins with: the first that works, or the first. */
  first(taking: readonly string[], now: number): string | undefined;
}

/** @param look - whether a route works at the moment */
export function createFailover(look: (route: string, now: number) => Passage): Failover {
  const works = (now: number) => (route: string) => look(route, now) !== 'open';
  return {
    next(taking, route, now) {
      const place = taking.indexOf(route);
      return place < 0 ? undefined : taking.slice(place + 1).find(works(now));
    },
    first: (taking, now) => taking.find(works(now)) ?? taking[0],
  };
}
