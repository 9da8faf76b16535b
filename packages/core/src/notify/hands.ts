import type { SubscribedEvent } from '../events.ts';
import type { EventResult, HandedEvent } from '../store/port.ts';

/** Events in the hands of this process: those that wait for their turn, and those that are handled at the moment. */
export interface Hands {
  readonly size: number;
  readonly running: number;
  add(events: readonly HandedEvent[]): void;
  /** The next whose delivery has none that is handled at the moment. */
  next(): HandedEvent | undefined;
  /** One that was `next` is over; after a failure those of the same delivery are behind it. */
  over(entry: HandedEvent, failed: boolean): EventResult[];
  /** The first that came by the cursor; undefined where there is none. */
  first(): number | undefined;
  /** Forgets what waits; answers the first of it that came by the cursor. */
  drop(): number | undefined;
}

/** Empty hands. `idOf` reads the number of an event. */
export function createHands(idOf: (event: string) => number): Hands {
  let waiting: HandedEvent[] = [];
  const running = new Map<string, HandedEvent>();

  function firstOf(entries: readonly HandedEvent[]): number | undefined {
    const fresh = entries.filter(({ again }) => !again);
    return fresh.length === 0 ? undefined : Math.min(...fresh.map(({ event }) => idOf(event.id)));
  }

  return {
    get size() {
      return waiting.length + running.size;
    },
    get running() {
      return running.size;
    },
    add(events) {
      const known = new Set([...waiting, ...running.values()].map(({ event }) => event.id));
      waiting.push(...events.filter(({ event }) => !known.has(event.id)));
    },
    next() {
      const index = waiting.findIndex(({ event }) => !running.has(lineOf(event)));
      const [entry] = index < 0 ? [] : waiting.splice(index, 1);
      if (entry !== undefined) running.set(lineOf(entry.event), entry);
      return entry;
    },
    over({ event }, failed) {
      const line = lineOf(event);
      if (running.get(line)?.event.id === event.id) running.delete(line);
      if (!failed) return [];
      const behind = waiting.filter((entry) => lineOf(entry.event) === line);
      waiting = waiting.filter((entry) => lineOf(entry.event) !== line);
      return behind.map((entry) => resultOf(entry, { type: 'behind' }));
    },
    first: () => firstOf([...waiting, ...running.values()]),
    drop() {
      const first = firstOf(waiting);
      waiting = [];
      return first;
    },
  };
}

/** The delivery that an event is of; an alert or a warning has none. */
export function deliveryOf(event: SubscribedEvent): string | undefined {
  return 'deliveryId' in event ? event.deliveryId : undefined;
}

/** Events of one delivery keep their order, and so do alerts and warnings. */
function lineOf(event: SubscribedEvent): string {
  return deliveryOf(event) ?? '';
}

/** A result as the store takes it. */
export function resultOf({ event, attempt, again }: HandedEvent, outcome: EventResult['outcome']): EventResult {
  const { id, type } = event;
  return { id, deliveryId: deliveryOf(event), type, attempt, again, outcome };
}
