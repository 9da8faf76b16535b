import type { BlobStore } from '../store/port.ts';
import type { OutgoingMail, Transport } from './port.ts';

/** A captured mail: its envelope and its source. */
export interface Captured {
  readonly from: string;
  readonly to: string;
  readonly raw: Buffer;
}

/** Reads what the capture transport kept: one line of JSON with the envelope, then the source. */
export function readCaptured(bytes: Uint8Array): Captured {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(10);
  const { from, to } = JSON.parse(buffer.toString('utf8', 0, end)) as { from: string; to: string };
  return { from, to, raw: buffer.subarray(end + 1) };
}

/** Whom a captured mail went to, and its header section, which is all that a list needs. */
export function headOf({ to, raw }: Captured): { readonly recipient: string; readonly head: Uint8Array } {
  const end = raw.indexOf('\r\n\r\n');
  // A copy, so that the whole mail need not cross to the host's thread with it.
  return { recipient: to, head: Uint8Array.from(end < 0 ? raw : raw.subarray(0, end + 4)) };
}

const TRIM_EVERY = 100;

/** Keeps mail in the store instead of sending it: development and tests. */
export function createCaptureTransport(route: string, keep: number, blobs: Pick<BlobStore, 'put' | 'trim'>): Transport {
  let kept = 0;
  return {
    async send({ deliveryId, envelope, raw, onStart }: OutgoingMail) {
      const startedAt = Date.now();
      if (onStart?.(startedAt) === false)
        return { outcome: { type: 'withdrawn' }, transcript: { route, startedAt, ms: 0, steps: [] } };
      const head = Buffer.from(`${JSON.stringify({ from: envelope.from, to: envelope.to })}\n`);
      await blobs.put('captured', deliveryId, Buffer.concat([head, raw]));
      kept += 1;
      if (kept % TRIM_EVERY === 0) await blobs.trim('captured', keep);
      const reply = '250 2.0.0 captured';
      return {
        outcome: { type: 'sent', reply },
        transcript: { route, startedAt, ms: Date.now() - startedAt, steps: [{ step: 'MESSAGE', reply }] },
      };
    },
    close: async () => {},
  };
}
