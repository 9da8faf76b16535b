import type { Clock } from '../clock.ts';
import type { MessageEvent } from '../events.ts';
import type { QueueStore, Settlement } from './port.ts';

/** Collects results and writes them in batches. */
export interface Settler {
  /** @param owner - the number under which the delivery was claimed */
  add(settlement: Settlement, owner: number): void;
  /** Resolves when everything that was added is written. */
  flush(): Promise<void>;
}

const BATCH = 200;
const WAIT_MS = 20;
const RETRY_MS = 250;

interface Result {
  readonly settlement: Settlement;
  readonly owner: number;
}

/** One batch is written at a time; what arrives meanwhile makes the next, which is large enough or has waited for a while. */
export function createSettler(options: {
  readonly store: Pick<QueueStore, 'settle'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Called as a batch is about to be written. */
  onWrite(): void;
  onSettled(events: readonly MessageEvent[]): void;
  onError(error: unknown): void;
}): Settler {
  let waiting: Result[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const batch = waiting;
    waiting = [];
    try {
      const now = options.clock.now();
      const written = [...Map.groupBy(batch, ({ owner }) => owner)].map(([owner, results]) =>
        options.store.settle(
          results.map(({ settlement }) => settlement),
          { owner, now },
        ),
      );
      options.onWrite();
      options.onSettled((await Promise.all(written)).flat());
    } catch (error) {
      // The mail is sent, and only this knows it: keep it, or it would be sent again. Results that are written already are
      // those of a delivery that nobody holds any more, and are left out.
      waiting = [...batch, ...waiting];
      options.onError(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  function begin(): void {
    clearTimeout(timer);
    timer = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
      plan();
    });
  }

  function plan(): void {
    if (writing !== undefined || waiting.length === 0) return;
    if (waiting.length >= BATCH) begin();
    else timer ??= setTimeout(begin, WAIT_MS);
  }

  return {
    add(settlement, owner) {
      waiting.push({ settlement, owner });
      plan();
    },
    async flush() {
      while (waiting.length > 0 || writing !== undefined) {
        begin();
        await writing;
      }
    },
  };
}
