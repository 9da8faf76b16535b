import type { BulkProgress, Rejection } from './bulk.ts';

/** How a `sendMany()` ended. */
export interface BulkResult extends Omit<BulkProgress, 'rejections'> {
  /** The first 1,000 rejections; all of them come with the progress. */
  readonly rejections: readonly Rejection[];
}

/**
 * A running `sendMany()`: one run, whatever is done with it. It starts by itself; await it for the result, iterate it for
 * progress, or both, in any order. While it is iterated, it goes no faster than the loop; leaving the loop early ends the
 * run, and its result is what was accepted until then. A loop that begins later gets the progress from there on.
 *
 * @example
 * for await (const progress of relay.sendMany(people, { template: 'news' })) bar.update(progress.processed);
 * const { accepted, rejections } = await relay.sendMany(people, { template: 'news' });
 */
export interface BulkSend extends AsyncIterable<BulkProgress>, Promise<BulkResult> {}

const KEPT_REJECTIONS = 1000;

type Step = IteratorResult<BulkProgress, void>;

/** The one run behind a {@link BulkSend}, and who moves it on: a reader where there is one, else it itself. */
class BulkRun {
  private readonly outcome = Promise.withResolvers<BulkResult>();
  private readonly progresses: AsyncGenerator<BulkProgress, void>;
  private readonly rejections: Rejection[] = [];
  private last: BulkProgress | undefined;
  private failure: { readonly error: unknown } | undefined;
  private readers = 0;
  private asked = 0;
  private draining = false;
  /** Somebody waits for the result in the middle of reading. */
  private hurried = false;
  /** A step that nobody has read yet. */
  private unread: Promise<Step> | undefined;

  constructor(progresses: AsyncGenerator<BulkProgress, void>) {
    this.progresses = progresses;
    queueMicrotask(() => void this.drain());
  }

  /** The result. A reader that is busy elsewhere is not waited for, as it may wait for this result itself. */
  result(): Promise<BulkResult> {
    if (this.readers > 0 && this.asked === 0) {
      this.hurried = true;
      void this.drain();
    }
    return this.outcome.promise;
  }

  async *read(): AsyncGenerator<BulkProgress, void> {
    this.readers += 1;
    try {
      for (let step = await this.ask(); step.done !== true; step = await this.ask()) yield step.value;
    } finally {
      this.readers -= 1;
      await this.end();
    }
  }

  private async ask(): Promise<Step> {
    this.asked += 1;
    try {
      return await (this.unread ?? this.step());
    } catch (error) {
      // The reader has it, so that nobody need await the result as well.
      this.outcome.promise.catch(() => {});
      throw error;
    } finally {
      this.asked -= 1;
    }
  }

  /** Goes on to the end, as long as nobody reads. */
  private async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    try {
      let done: boolean | undefined = false;
      while (done !== true && (this.hurried || this.readers === 0)) {
        this.unread = this.step();
        done = (await this.unread).done;
        this.unread = undefined;
      }
    } catch {
      // It is in the result.
    } finally {
      this.unread = undefined;
      this.draining = false;
    }
  }

  private async step(): Promise<Step> {
    if (this.failure !== undefined) throw this.failure.error;
    try {
      const step = await this.progresses.next();
      if (step.done === true) this.settle();
      else this.note(step.value);
      return step;
    } catch (error) {
      this.failure = { error };
      this.outcome.reject(error);
      throw error;
    }
  }

  private note(progress: BulkProgress): void {
    this.last = progress;
    this.rejections.push(...progress.rejections.slice(0, KEPT_REJECTIONS - this.rejections.length));
  }

  private async end(): Promise<void> {
    if (this.failure !== undefined) return;
    await this.progresses.return();
    this.settle();
  }

  private settle(): void {
    this.outcome.resolve({ ...(this.last as BulkProgress), rejections: this.rejections });
  }
}

/** Joins the two ways of waiting over one run. */
export function bulkSend(progresses: AsyncGenerator<BulkProgress, void>): BulkSend {
  const run = new BulkRun(progresses);
  return {
    [Symbol.asyncIterator]: () => run.read(),
    [Symbol.toStringTag]: 'BulkSend',
    // biome-ignore lint/suspicious/noThenProperty: awaiting it is one of its two uses
    then: (fulfilled, rejected) => run.result().then(fulfilled, rejected),
    catch: (rejected) => run.result().catch(rejected),
    finally: (settled) => run.result().finally(settled),
  };
}
