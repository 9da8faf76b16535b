import type { MessageEvent } from '../../events.ts';
import type { Activity } from '../port.ts';
import type { Database } from './database.ts';
import type { Journal } from './journal-port.ts';

/** Nobody waits for the counts of readings: some hundreds together cost less than one by one, ms. */
const WITHIN_MS = 200;

/** What readers do, noted before it is counted. */
export interface NotedReadings {
  /** Answers whether it could be noted. Inside of `write`. */
  note(activities: readonly Activity[], onPosted: (events: MessageEvent[]) => void): boolean;
  /** Clicks of a delivery that are noted, and not counted yet. */
  clicksOf(deliveryId: number): number;
}

/** Makes the part of the journal. */
export function createNotedReadings({
  db,
  journal,
  post,
}: {
  readonly db: Pick<Database, 'nextId'>;
  readonly journal: Journal;
  post(activities: readonly Activity[]): MessageEvent[];
}): NotedReadings {
  const clicks = new Map<number, number>();
  const part = journal.part('readings', { post, left: (activities: readonly Activity[]) => add(activities, -1) });

  function add(activities: readonly Activity[], n: 1 | -1): void {
    for (const { type, deliveryId } of activities) {
      if (type !== 'clicked') continue;
      const count = (clicks.get(deliveryId) ?? 0) + n;
      if (count > 0) clicks.set(deliveryId, count);
      else clicks.delete(deliveryId);
    }
  }

  return {
    note(activities, onPosted) {
      const [first] = activities;
      if (first === undefined || !journal.isOpen()) return false;
      part.note(activities, { id: db.nextId(first.at), withinMs: WITHIN_MS, onPosted });
      add(activities, 1);
      return true;
    },
    clicksOf: (deliveryId) => clicks.get(deliveryId) ?? 0,
  };
}
