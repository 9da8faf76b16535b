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
  /** Its message has gone out, and nobody knows whether the server has it until it answers. */
  awaitAnswer(deliveryId: number): void;
  drop(deliveryId: number): void;
  /** Deliveries that wait for an answer. */
  unanswered(): number[];
  /** Undefined for what this process does not have. */
  of(deliveryId: number): InHand | undefined;
}

/** Empty hands. */
export function createHands(clock: { now(): number }): Hands {
  const held = new Map<number, InHand>();
  const unanswered = new Set<number>();
  return {
    move: (deliveryId, stage) => void held.set(deliveryId, { stage, since: clock.now() }),
    awaitAnswer: (deliveryId) => void unanswered.add(deliveryId),
    drop(deliveryId) {
      held.delete(deliveryId);
      unanswered.delete(deliveryId);
    },
    unanswered: () => [...unanswered],
    of: (deliveryId) => held.get(deliveryId),
  };
}
