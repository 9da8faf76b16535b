/** What follows from the bounds of a lane. */
import type { LaneOptions } from './local-options.ts';

/** Whether starts are counted. */
export function isCounted({ rates, warmUp }: LaneOptions): boolean {
  return rates.length > 0 || warmUp !== undefined;
}

/** Rated lanes take slices of a tenth of their limit, so that transactional mail never waits for a whole window. */
export function depthOf({ concurrency, rates }: LaneOptions): number {
  const slices = rates.map(({ limit }) => Math.ceil(limit / 10));
  return Math.max(1, Math.min(1000, concurrency * 50, ...slices));
}

/** Lanes in the order in which they are fed. */
export function inOrder(lanes: readonly LaneOptions[]): LaneOptions[] {
  return lanes.toSorted((one, other) => rank(one) - rank(other));
}

function rank({ key }: LaneOptions): number {
  return key.stream === 'transactional' ? 0 : 1;
}
