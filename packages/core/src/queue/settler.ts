import type { MessageEvent } from '../events.ts';
import type { QueueStore, Settlement } from './port.ts';

/** Collects results and writes them in batches. */
export interface Settler {
  add(settlement: Settlement): void;
  /** Resolves when everything that was added is written. */
  flush(): Promise<void>;
}

const BATCH = 200;
const WAIT_MS = 20;
const RETRY_MS = 250;

/** One batch is written at a time; what arrives meanwhile makes the next, which is large enough or has waited for a while. */
export function createSettler(options: {
  readonly store: Pick<QueueStore, 'settle'>;
  owner(): number;
  /** Called as a batch is about to be written. */
  onWrite(): void;
  onSettled(events: readonly MessageEvent[]): void;
  onError(error: unknown): void;
}): Settler {
  let waiting: Settlement[] = [];
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function write(): Promise<void> {
    const batch = waiting;
    waiting = [];
    try {
      const written = options.store.settle(batch, { owner: options.owner(), now: Date.now() });
      options.onWrite();
      options.onSettled(await written);
    } catch (error) {
      // The mail is sent, and only this knows it: keep it, or it would be sent again.
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
    add(settlement) {
      waiting.push(settlement);
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
