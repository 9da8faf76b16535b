import { EVENT_TYPES } from '../../events.ts';
import type { DeliveryState } from '../../message.ts';
import type { AcceptInput, Enclosures } from '../port.ts';
import type { Database } from './database.ts';
import type { Journal, NotedMail } from './journal-port.ts';

/** What was answered. */
export interface Noted {
  readonly id: number;
  readonly deliveries: readonly { readonly id: number; readonly recipient: string; readonly state: DeliveryState }[];
}

/** Posting a mail begins no later than this after it was answered, ms. */
const WITHIN_MS = 20;
/** Mail to more recipients, or that is longer as JSON, gains nothing by being written twice. */
const MOST_RECIPIENTS = 10;
const MOST_LENGTH = 16_000;
const ACCEPTED = EVENT_TYPES.indexOf('accepted');

/**
 * Notes mail that is nothing but new: what posting it will answer is known before. Any other is undefined, and has to be
 * stored at once. Inside of `write`.
 */
export function createNotedMail({
  db,
  journal,
  isSuppressed,
  post,
}: {
  readonly db: Pick<Database, 'nextId' | 'wanted'>;
  readonly journal: Journal;
  /** Whether an address is on the suppression list for anything. */
  isSuppressed(address: string, now: number): boolean;
  post(mail: NotedMail): void;
}): (input: AcceptInput, enclosed: Enclosures | undefined, onPosted: (() => void) | undefined) => Noted | undefined {
  journal.onPost(post);

  function isPlain({ idempotencyKey, recipients, now }: AcceptInput, enclosed: Enclosures | undefined): boolean {
    if (!journal.isOpen() || journal.isPressed() || idempotencyKey !== undefined || (enclosed?.size ?? 0) > 0)
      return false;
    if (
      recipients.length > MOST_RECIPIENTS ||
      recipients.some(({ address }) => isSuppressed(address.toLowerCase(), now))
    )
      return false;
    return (
      recipients.length < 2 ||
      new Set(recipients.map(({ address }) => address.toLowerCase())).size === recipients.length
    );
  }

  return (input, enclosed, onPosted) => {
    if (!isPlain(input, enclosed)) return undefined;
    const { now, recipients, sendAt = 0 } = input;
    const [id, ...ids] = [now, ...recipients.map(() => now)].map(db.nextId) as [number, ...number[]];
    // The feed has its events in the order of their ids.
    if (((db.wanted() >> ACCEPTED) & 1) === 1) return undefined;
    const json = JSON.stringify({ input, ids: [id, ...ids] } satisfies NotedMail);
    if (json.length > MOST_LENGTH) return undefined;
    journal.note({ id, json, withinMs: WITHIN_MS, onPosted });
    const state = sendAt > now ? 'scheduled' : 'queued';
    return {
      id,
      deliveries: recipients.map(({ address }, index) => ({ id: ids[index] as number, recipient: address, state })),
    };
  };
}
