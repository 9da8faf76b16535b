import { setTimeout } from 'node:timers/promises';
import type { MessageEvent } from '../../events.ts';
import type { Activity, ActivityStore } from '../port.ts';
import type { Database } from './database.ts';
import type { Journal } from './journal-port.ts';

/** Nobody waits for the counts of readings: some hundreds together cost less than one by one, ms. */
const WITHIN_MS = 200;
/** What comes so soon after a commit waits for what comes with it, ms: else a thread that is quick would do little but commit. */
const PACE_MS = 3;

type OnPosted = Parameters<ActivityStore['note']>[1];

/** What readers do, noted before it is counted. */
export interface NotedReadings {
  note: ActivityStore['note'];
  /** Resolves when nothing waits to be noted. Never rejects. */
  gathered(): Promise<void>;
  /** Clicks of a delivery that are noted, and not counted yet. */
  clicksOf(deliveryId: number): number;
}

/** Makes the part of the journal; `record` counts at once, where nothing can be noted. */
export function createNotedReadings({
  db,
  journal,
  record,
}: {
  readonly db: Pick<Database, 'nextId' | 'write'>;
  readonly journal: Journal;
  record(activities: readonly Activity[]): MessageEvent[];
}): NotedReadings {
  const clicks = new Map<number, number>();
  const part = journal.part('readings', {
    post: record,
    left: (activities: readonly Activity[]) => add(activities, -1),
  });
  let gathering: { readonly all: (() => (() => void) | undefined)[]; readonly written: Promise<void> } | undefined;
  let committedAt = Number.NEGATIVE_INFINITY;

  function add(activities: readonly Activity[], n: 1 | -1): void {
    for (const { type, deliveryId } of activities) {
      if (type !== 'clicked') continue;
      const count = (clicks.get(deliveryId) ?? 0) + n;
      if (count > 0) clicks.set(deliveryId, count);
      else clicks.delete(deliveryId);
    }
  }

  /** Inside of `write`; answers what is to be told after it. */
  function noteNow(activities: readonly Activity[], onPosted: OnPosted): (() => void) | undefined {
    const [first] = activities;
    if (first !== undefined && journal.isOpen()) {
      part.note(activities, { id: db.nextId(first.at), withinMs: WITHIN_MS, onPosted });
      add(activities, 1);
      return undefined;
    }
    const events = record(activities);
    return () => onPosted(events);
  }

  function gather(): NonNullable<typeof gathering> {
    const all: (() => (() => void) | undefined)[] = [];
    async function write(): Promise<void> {
      const waitMs = committedAt + PACE_MS - performance.now();
      if (waitMs > 0) await setTimeout(waitMs);
      gathering = undefined;
      try {
        const told = await db.write(() => all.map((note) => note()));
        for (const tell of told) tell?.();
      } finally {
        committedAt = performance.now();
      }
    }
    // Begins when the first of them is in.
    return { all, written: Promise.resolve().then(write) };
  }

  return {
    note(activities, onPosted) {
      gathering ??= gather();
      gathering.all.push(() => noteNow(activities, onPosted));
      return gathering.written;
    },
    async gathered() {
      await gathering?.written.catch(() => {});
    },
    clicksOf: (deliveryId) => clicks.get(deliveryId) ?? 0,
  };
}
