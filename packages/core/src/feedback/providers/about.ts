import { createHash } from 'node:crypto';
import type { AgentKind } from '../../events.ts';
import { LABEL_KEYS } from '../../labels.ts';
import { decodeId } from '../../message.ts';
import { labelAgent } from '../agent.ts';
import type { FeedbackEvent } from '../event.ts';
import { textOf } from './values.ts';

/** What the source sent that is kept, characters. */
const MAX_RAW = 8000;

/** Our id, where one of some values has it; a provider hands on what other programs wrote, too. */
export function ourDelivery(...values: readonly unknown[]): string | undefined {
  return values.map(textOf).find((text) => text !== undefined && decodeId('dlv', text) !== undefined);
}

/** Key of our id in what a provider keeps for us. */
export const DELIVERY_KEY: string = LABEL_KEYS.delivery;

/** An id out of what an event says, where its provider gives none: the same for the same. */
export function idOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32);
}

/** What came about one recipient, shortened. */
export function rawOf(value: unknown): string | undefined {
  return wholeOf(value)?.slice(0, MAX_RAW);
}

/** All that came, as a text: what an event without an id is told by. */
export function wholeOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // So deep that it has no text.
    return undefined;
  }
}

/** Who opened or clicked: as the provider says, else by the program; undefined where neither is known. */
export function agentOf(
  type: 'opened' | 'clicked',
  userAgent: unknown,
  machine?: { readonly kind: AgentKind; readonly evidence: string },
): Pick<FeedbackEvent, 'agent'> {
  const program = textOf(userAgent)?.slice(0, 256);
  if (machine !== undefined) return { agent: { ...machine, userAgent: program } };
  if (program === undefined) return {};
  const facts = { type, method: 'GET', userAgent: program, secondsSinceSent: undefined, recentClicks: 0 };
  return { agent: labelAgent(facts) };
}

/** A link as it was clicked; undefined for what is none. */
export function urlOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && /^https?:\/\//i.test(text) ? text.slice(0, 2048) : undefined;
}
