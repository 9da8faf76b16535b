import type { Clock } from '../clock.ts';
import type { TranscriptStep } from '../events.ts';
import type { FeedbackReport } from '../feedback/port.ts';
import type { BlobStore } from '../store/port.ts';
import type { Attempt, Outcome, OutgoingMail, RouteSpec, Transport } from './port.ts';
import { classifyReply } from './replies.ts';
import { type Scene, sceneFor } from './simulator.ts';

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

/** What capturing works with. */
export interface CaptureContext {
  readonly blobs: Pick<BlobStore, 'put' | 'trim'>;
  readonly clock: Clock;
  /** Of simulated mailboxes that take a mail first. */
  onFeedback(deliveryId: string, report: FeedbackReport): Promise<unknown>;
}

const TRIM_EVERY = 100;
/** What comes back later, comes after this time, ms. */
const LATER_MS = 5000;

/** Keeps mail in the store instead of sending it: development and tests. Simulated mailboxes answer for themselves. */
export function createCaptureTransport(
  { name: route, keep }: Pick<Extract<RouteSpec, { kind: 'capture' }>, 'name' | 'keep'>,
  { blobs, clock, onFeedback }: CaptureContext,
): Transport {
  let kept = 0;
  /** Attempts that simulated mailboxes have refused, by delivery. */
  const refused = new Map<string, number>();
  const alarms = new Set<() => void>();

  function refusal(scene: Scene | undefined, deliveryId: string): { step: string; reply: string } | undefined {
    const before = refused.get(deliveryId) ?? 0;
    if (scene?.type !== 'refuse' || before >= scene.attempts) {
      refused.delete(deliveryId);
      return undefined;
    }
    if (scene.attempts !== Number.POSITIVE_INFINITY) refused.set(deliveryId, before + 1);
    return scene;
  }

  function answerLater(scene: Scene | undefined, deliveryId: string): void {
    if (scene === undefined || scene.type === 'refuse') return;
    const off = clock.alarm(clock.now() + LATER_MS, async () => {
      alarms.delete(off);
      if (scene.type === 'complain-later') await onFeedback(deliveryId, { type: 'complained' });
      else await onFeedback(deliveryId, { type: 'bounced', reply: scene.reply });
    });
    alarms.add(off);
  }

  return {
    async send({ deliveryId, envelope, raw, onStart }: OutgoingMail) {
      const startedAt = clock.now();
      const attempt = (outcome: Outcome, steps: readonly TranscriptStep[] = []): Attempt => ({
        outcome,
        transcript: { route, startedAt, ms: clock.now() - startedAt, steps },
      });
      if (onStart?.(startedAt) === false) return attempt({ type: 'withdrawn' });
      const scene = sceneFor(envelope.to);
      const no = refusal(scene, deliveryId);
      if (no !== undefined) return attempt(classifyReply(no.reply, no.step), [{ step: no.step, reply: no.reply }]);
      const head = Buffer.from(`${JSON.stringify({ from: envelope.from, to: envelope.to })}\n`);
      await blobs.put('captured', deliveryId, Buffer.concat([head, raw]));
      kept += 1;
      if (kept % TRIM_EVERY === 0) await blobs.trim('captured', keep);
      answerLater(scene, deliveryId);
      const reply = '250 2.0.0 captured';
      return attempt({ type: 'sent', reply }, [{ step: 'MESSAGE', reply }]);
    },
    verify: async () => ({ ok: true, steps: [] }),
    async close() {
      for (const off of alarms) off();
    },
  };
}
