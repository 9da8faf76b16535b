import type { BulkProgress, Rejection } from './bulk.ts';

/** How a `sendMany()` ended. */
export interface BulkResult extends Omit<BulkProgress, 'rejections'> {
  /** The first 1,000 rejections; all of them come with the progress. */
  readonly rejections: readonly Rejection[];
}

/**
 * A running `sendMany()`: iterate it for progress, or await it for the result. Nothing is read before either.
 *
 * @example
 * for await (const progress of relay.sendMany(people, { template: 'news' })) bar.update(progress.processed);
 * const { accepted, rejections } = await relay.sendMany(people, { template: 'news' });
 */
export interface BulkSend extends AsyncIterable<BulkProgress>, PromiseLike<BulkResult> {}

const KEPT_REJECTIONS = 1000;

/** Joins the two ways of waiting over one run. */
export function bulkSend(run: () => AsyncGenerator<BulkProgress, void>): BulkSend {
  let result: Promise<BulkResult> | undefined;
  return {
    [Symbol.asyncIterator]: run,
    // biome-ignore lint/suspicious/noThenProperty: awaiting it is one of its two uses
    then(fulfilled, rejected) {
      result ??= consume(run());
      return result.then(fulfilled, rejected);
    },
  };
}

async function consume(progresses: AsyncIterable<BulkProgress>): Promise<BulkResult> {
  let last: BulkProgress | undefined;
  const rejections: Rejection[] = [];
  for await (const progress of progresses) {
    last = progress;
    rejections.push(...progress.rejections.slice(0, KEPT_REJECTIONS - rejections.length));
  }
  return { ...(last as BulkProgress), rejections };
}
