import type { RouteHealth } from './port.ts';

/** What a route's circuit breaker lets through. */
export type Passage =
  /** Everything goes. */
  | 'closed'
  /** Nothing goes: the route does not work. */
  | 'open'
  /** One mail goes, to see whether the route works again. */
  | 'probe';

/** Stops sending over a route that does not work, and finds out by single mails when it works again. */
export interface Breaker {
  /** Asked before each attempt. Who is answered `probe` has to say how it went. */
  pass(now: number): Passage;
  /** What `pass()` would answer. */
  look(now: number): Passage;
  /** The other side was there and spoke with us, whatever it said of the mail. */
  worked(now: number): void;
  /** It could not be reached, or did not let us in. `final`: trying again soon is of no use (a refused login). */
  failed(now: number, final?: boolean): void;
  /** Nothing came of the attempt, for reasons that have nothing to do with the route. */
  gaveUp(): void;
  health(): RouteHealth;
}

/** So many failures in a row open the breaker; one may be chance. */
const FAILURES = 3;
/** The first wait for a probe, ms; each that fails doubles it. */
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 300_000;

/** A breaker that is closed. */
export function createBreaker(now: number): Breaker {
  let state: RouteHealth['state'] = 'closed';
  let since = now;
  let failures = 0;
  let waitMs = 0;
  let probeAt: number | undefined;

  function enter(next: RouteHealth['state'], at: number): void {
    if (state !== next) since = at;
    state = next;
  }

  function open(at: number): void {
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs === 0 ? FIRST_WAIT_MS : waitMs * 2);
    probeAt = at + waitMs;
    enter('open', at);
  }

  function look(at: number): Passage {
    if (state === 'closed') return 'closed';
    // A clock that was set back does not keep it open.
    if (state === 'open' && (at >= (probeAt ?? 0) || at < since)) return 'probe';
    return 'open';
  }

  return {
    look,
    pass(at) {
      const passage = look(at);
      if (passage === 'probe') {
        // The others wait for this one, and not for a time before the clock was set back.
        probeAt = Math.min(probeAt ?? at, at);
        enter('half-open', at);
      }
      return passage;
    },
    worked(at) {
      failures = 0;
      waitMs = 0;
      probeAt = undefined;
      enter('closed', at);
    },
    failed(at, final = false) {
      failures += 1;
      // Attempts that began before it opened end now, and say nothing new.
      if (state === 'open') return;
      if (state === 'half-open' || final || failures >= FAILURES) open(at);
    },
    gaveUp() {
      if (state === 'half-open') state = 'open';
    },
    health: () => ({ state, since, failures, probeAt }),
  };
}
