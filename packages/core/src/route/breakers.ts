import { type Breaker, createBreaker, type Passage } from './breaker.ts';

/** The breakers of this process's routes. */
export interface Breakers {
  of(route: string): Breaker;
  look(route: string, now: number): Passage;
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
    look: (route, now) => of(route).look(now),
  };
}
