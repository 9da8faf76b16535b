/** RSA signatures, each of which takes most of a millisecond: never on the thread that asks for them. */
import { type KeyObject, sign } from 'node:crypto';
import { createRsaThreads } from './rsa-threads.ts';

/** Makes RSA signatures with SHA-256. */
export interface RsaSigning {
  /** @param data - one character for each byte. @returns base64 */
  sign(data: string, key: KeyObject): Promise<string>;
  /** Ends its threads; what they have not signed yet is signed without them. */
  close(): Promise<void>;
}

/**
 * So many at once are left to the thread pool of Node's crypto module. It is shared with the files and names that the host
 * looks up, its threads take the processor from the engine, and each answer crosses alone; threads of their own do better, and
 * cost memory.
 */
const FEW = 4;

/** @param restMs - threads that had nothing to sign for so long end */
export function createRsaSigning(restMs = 30_000): RsaSigning {
  const threads = createRsaThreads(restMs);
  let unanswered = 0;

  return {
    async sign(data, key) {
      unanswered += 1;
      if (unanswered > FEW) threads.start();
      try {
        return (await threads.sign(data, key)) ?? (await signInPool(data, key));
      } finally {
        unanswered -= 1;
      }
    },
    close: threads.close,
  };
}

function signInPool(data: string, key: KeyObject): Promise<string> {
  return new Promise((resolve, reject) => {
    // Strings rather than buffers go on from here: memory outside of V8's heap makes it collect garbage twice as often.
    sign('sha256', Buffer.from(data, 'latin1'), key, (error, signature) =>
      error === null ? resolve(signature.toString('base64')) : reject(error),
    );
  });
}
