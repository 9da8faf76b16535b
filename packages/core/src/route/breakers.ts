import { type Breaker, createBreaker, type Passage } from './breaker.ts';
import type { RouteHealth } from './port.ts';

/** The breakers of this process's routes. */
export interface Breakers {
  of(route: string): Breaker;
  look(route: string, now: number): Passage;
  /** Of the routes that have one. */
  health(): Readonly<Record<string, RouteHealth>>;
}

/** One breaker for each route, made when it is first asked for. */
export function createBreakers(clock: { now(): number }): Breakers {
  const breakers = new Map<string, Breaker>();
  const of = (route: string): Breaker => {
    const known = breakers.get(route) ?? createBreaker(clock.now());
    breakers.set(route, known);
    return known;
  };
  return {
    of,
    look: (route, now) => breakers.get(route)?.look(now) ?? 'closed',
    health: () => Object.fromEntries([...breakers].map(([route, breaker]) => [route, breaker.health()])),
  };
}
