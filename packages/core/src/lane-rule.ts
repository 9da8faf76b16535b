import type { LaneRule } from './queue/port.ts';

/** Share of a lane's limits that a rule leaves it: 0 while it is suspended, 1 where the rule is over. */
export function factorOf(rule: LaneRule | undefined, now: number): number {
  // A clock that was set back ends what it cannot date.
  if (rule === undefined || now < rule.since) return 1;
  if (now < rule.until) return rule.factor;
  const steps = Math.floor((now - rule.until) / Math.max(1, rule.stepMs));
  return Math.min(1, rule.recoverFrom * 2 ** Math.min(steps, 30));
}

/** What is left of connections at a share of the limits: one at least. */
export function connectionsLeft(connections: number, factor: number): number {
  return factor === 1 ? connections : Math.max(1, Math.floor(connections * factor));
}

/** Whether a rule still says something about a lane. */
export function isOver(rule: LaneRule, now: number): boolean {
  return (
    now < rule.since ||
    (factorOf(rule, now) === 1 && now >= rule.until && rule.avoided.every(({ until }) => until <= now))
  );
}

/** Local addresses that the site gets no mail from at a time, each until a time, ms since the epoch. */
export function avoidedBy(rule: LaneRule | undefined, now: number): LaneRule['avoided'] {
  // A clock that was set back ends what it cannot date.
  if (rule === undefined || now < rule.since) return [];
  return rule.avoided.filter(({ until }) => until > now);
}
