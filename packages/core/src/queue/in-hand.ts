/** What a process has claimed and not settled yet: most of it waits in memory for a place. */

/** Where a claimed delivery is. */
export type Stage =
  /** It waits for a place of its site. */
  | 'site'
  /** It waits for a place of its route. */
  | 'route'
  /** It is composed, or waits for a connection. */
  | 'attempt'
  /** It goes out. */
  | 'sending';

/** One claimed delivery. */
export interface InHand {
  readonly stage: Stage;
  /** When it came so far, ms since the epoch. */
  readonly since: number;
}

/** Keeps where claimed deliveries are. */
export interface Hands {
  move(deliveryId: number, stage: Stage): void;
  drop(deliveryId: number): void;
  /** Undefined for what this process does not have. */
  of(deliveryId: number): InHand | undefined;
}

/** Empty hands. */
export function createHands(clock: { now(): number }): Hands {
  const held = new Map<number, InHand>();
  return {
    move: (deliveryId, stage) => void held.set(deliveryId, { stage, since: clock.now() }),
    drop: (deliveryId) => void held.delete(deliveryId),
    of: (deliveryId) => held.get(deliveryId),
  };
}
