/**
 * Preloaded into a process, and with it into its worker threads: memory and handles of an engine's thread, which has a heap of
 * its own, after garbage was collected. The host asks on a channel; each thread answers on another.
 */
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

const QUESTIONS = 'usage-questions';
const ANSWERS = 'usage-answers';
const ANSWER_MS = 20_000;

/** What a thread has in its hands. */
export interface ThreadUsage {
  /** Bytes in use of its heap, and outside of it on behalf of its objects. */
  readonly heap: number;
  readonly external: number;
  /** Kinds of what keeps it going: connections, timers, …, each by itself. */
  readonly handles: readonly string[];
}

/** Of the thread that asks, after garbage was collected. */
export function threadUsage(): ThreadUsage {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed: heap, external } = process.memoryUsage();
  return { heap, external, handles: process.getActiveResourcesInfo() };
}

if (!isMainThread && threadName === 'mail-relay') {
  const questions = new BroadcastChannel(QUESTIONS);
  const answers = new BroadcastChannel(ANSWERS);
  questions.onmessage = () => answers.postMessage(threadUsage());
  // A thread that is to end does not wait for questions.
  questions.unref();
  answers.unref();
}

/** Of the engine's thread. Rejects where there is no engine that was preloaded with this. */
export async function engineUsage(): Promise<ThreadUsage> {
  const questions = new BroadcastChannel(QUESTIONS);
  const answers = new BroadcastChannel(ANSWERS);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<ThreadUsage>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no engine said what it uses')), ANSWER_MS);
      answers.onmessage = (answer) => resolve((answer as unknown as { readonly data: ThreadUsage }).data);
      questions.postMessage('what do you use');
    });
  } finally {
    clearTimeout(timer);
    questions.close();
    answers.close();
  }
}
