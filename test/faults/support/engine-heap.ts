/**
 * Preloaded into a process, and with it into its worker threads: the memory of an engine's thread, which has a heap of its own,
 * after garbage was collected. The host asks on a channel; each thread answers on another.
 */
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

const QUESTIONS = 'heap-questions';
const ANSWERS = 'heap-answers';
const ANSWER_MS = 20_000;

if (!isMainThread && threadName === 'mail-relay') {
  const questions = new BroadcastChannel(QUESTIONS);
  const answers = new BroadcastChannel(ANSWERS);
  questions.onmessage = () => {
    (globalThis as unknown as { gc: () => void }).gc();
    answers.postMessage(process.memoryUsage().heapUsed);
  };
  // A thread that is to end does not wait for questions.
  questions.unref();
  answers.unref();
}

/** Bytes in use of the engine's heap. Rejects where there is no engine that was preloaded with this. */
export async function engineHeap(): Promise<number> {
  const questions = new BroadcastChannel(QUESTIONS);
  const answers = new BroadcastChannel(ANSWERS);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no engine said how much memory it has')), ANSWER_MS);
      answers.onmessage = (answer) => resolve((answer as unknown as { readonly data: number }).data);
      questions.postMessage('how much');
    });
  } finally {
    clearTimeout(timer);
    questions.close();
    answers.close();
  }
}
