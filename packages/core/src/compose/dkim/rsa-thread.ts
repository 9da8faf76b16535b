/** A thread that makes RSA signatures (RFC 8017 section 8.2, SHA-256), one after the other. */
import { type KeyObject, sign } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { giveWay, NICENESS } from '../../thread-priority.ts';

/** What such a thread is told: a key, of which the first is number 0, or what is to be signed. */
export type RsaTask =
  | { readonly key: KeyObject }
  | {
      /** One character for each byte. */
      readonly data: readonly string[];
      /** The number of the key for each. */
      readonly keys: readonly number[];
    };

/** In the order of the data, base64; undefined for what could not be signed. */
export type RsaAnswer = readonly (string | undefined)[];

const port = parentPort;
if (port) serve(port);

function serve(port: NonNullable<typeof parentPort>): void {
  giveWay(NICENESS.signatures);
  const keys: KeyObject[] = [];
  port.on('message', (task: RsaTask) => {
    if ('key' in task) keys.push(task.key);
    else
      port.postMessage(
        task.data.map((data, at) => signatureOf(data, keys[task.keys[at] as number])) satisfies RsaAnswer,
      );
  });
}

function signatureOf(data: string, key: KeyObject | undefined): string | undefined {
  try {
    return key && sign('sha256', Buffer.from(data, 'latin1'), key).toString('base64');
  } catch {
    return undefined;
  }
}
