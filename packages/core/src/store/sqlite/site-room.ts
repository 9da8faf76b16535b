import { connectionsLeft } from '../../lane-rule.ts';
import type { SiteBounds } from '../../queue/port.ts';

/**
 * So many times its connections are handed out of a site, so that none of them waits for the store: as many are on their way
 * as it has connections, and the others are next.
 */
const AHEAD = 3;

/** How many more deliveries of a lane may be handed out. */
export function roomIn(
  { connections, unproven }: SiteBounds,
  lane: {
    readonly answers: boolean;
    /** Share of the limits that a rule leaves. */
    readonly factor: number;
    readonly transactional: boolean;
    /** In both streams of the site. */
    readonly held: number;
  },
): number {
  const { answers, factor, transactional, held } = lane;
  if (factor === 0) return 0;
  const places = connectionsLeft(answers ? connections : unproven, factor);
  // Broadcast mail leaves a share for transactional mail, which then waits for those at work alone.
  const most = answers ? places * AHEAD + (transactional ? places : 0) : places + (transactional ? 1 : 0);
  return most - held;
}
