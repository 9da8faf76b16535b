import { isOver } from '../lane-rule.ts';
import type { LaneRule } from './port.ts';

/** The rules that act on sites, as far as this process knows them: asked for each mail, so that the store is not. */
export interface ActingRules {
  /** The rule that acts on a site of a route. */
  of(route: string, site: string, now: number): LaneRule | undefined;
  /** A rule that was made here, or came with mail that was handed out. The newest acts. */
  note(route: string, site: string, rule: LaneRule, now: number): void;
}

/** How often rules that are over are forgotten, where nobody asks for their sites any more. */
const FORGET_MS = 60_000;

/** Knows no rule yet. */
export function createActingRules(): ActingRules {
  const acting = new Map<string, LaneRule>();
  let forgotAt = 0;

  function find(key: string, now: number): LaneRule | undefined {
    const rule = acting.get(key);
    if (rule === undefined || !isOver(rule, now)) return rule;
    acting.delete(key);
    return undefined;
  }

  return {
    of: (route, site, now) => (acting.size === 0 ? undefined : find(keyOf(route, site), now)),
    note(route, site, rule, now) {
      const key = keyOf(route, site);
      const known = find(key, now);
      if (known === undefined || known.since <= rule.since) acting.set(key, rule);
      if (now >= forgotAt && now < forgotAt + FORGET_MS) return;
      forgotAt = now;
      for (const one of acting.keys()) find(one, now);
    },
  };
}

function keyOf(route: string, site: string): string {
  return `${route}\t${site}`;
}
