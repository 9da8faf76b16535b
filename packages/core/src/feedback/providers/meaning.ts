import type { Fault, ReasonClass } from '../../events.ts';
import { faultOf, type Judged, judge, WORD_RULES } from '../../reasons/port.ts';
import type { FeedbackEvent } from '../event.ts';

/** What a provider says of a mail that was not taken. */
export interface Refusal {
  /** What the receiving server said, or what the provider says of it. */
  readonly text?: string | undefined;
  /** RFC 3463 status and RFC 5321 code, where they stand in fields of their own. */
  readonly status?: string | undefined;
  readonly code?: number | undefined;
  /** Whether the provider calls it permanent. */
  readonly says?: 'hard' | 'soft' | undefined;
  /** Reason that the provider's own category is, whatever the words are. */
  readonly category?: ReasonClass | undefined;
  /** Reason that the provider's own category is, where the words say little more than no. */
  readonly rather?: ReasonClass | undefined;
  /** Reason where the words say nothing. */
  readonly otherwise?: ReasonClass | undefined;
  /** Where it is not that of the reason. */
  readonly fault?: Fault | undefined;
}

/** The part of an event that says why. */
export type Meaning = Pick<FeedbackEvent, 'reason' | 'kind' | 'fault' | 'status' | 'code' | 'diagnostic'>;

/** These pass, also where the provider has given up: an address must not be silenced for them. */
const PASSING: readonly ReasonClass[] = [
  'mailbox-full',
  'message-too-big',
  'rate-limited',
  'greylisted',
  'dns',
  'network',
  'timeout',
  'expired',
  'system',
];
/** A provider's own list kept the mail back: nothing new is known of the address, and the operator is told. */
export const OWN_LIST = { category: 'policy', fault: 'sender' } as const;

const MAX_DIAGNOSTIC = 1000;

/** What the provider itself did not want to send: its words are about the account, not about the recipient. */
export function ownRefusal(text: string | undefined): Refusal {
  const said = { text, says: 'soft' } as const;
  if (/virus|malware|infected/i.test(text ?? '')) return { ...said, category: 'content-rejected' };
  if (/spam/i.test(text ?? '')) return { ...said, category: 'spam-rejected' };
  const isLimit = /quota|limit|too many/i.test(text ?? '');
  return { ...said, category: isLimit ? 'rate-limited' : 'policy', fault: 'sender' };
}

/** Reason, kind and fault: by the provider's own category first, then by the words, as of any bounce. */
export function meaningOf(refusal: Refusal): Meaning {
  const text = refusal.text ?? '';
  const status = statusIn(refusal.status) ?? statusIn(text);
  const code = codeIn(refusal.code) ?? codeOfText(text);
  const judged = judge({ text: withoutProtocol(text), status, code });
  const words = wordsOf(judged, refusal);
  const reason = refusal.category ?? words;
  const isPassing = PASSING.includes(reason) && !isForGood(reason, { status, code, category: refusal.category });
  const kind = isPassing ? 'soft' : (refusal.says ?? judged.kind);
  // What a provider calls permanent, for no reason that is known here, is about the address.
  const fault = refusal.fault ?? (reason === 'other' && refusal.says === 'hard' ? 'recipient' : faultOf(reason));
  return { reason, kind, fault, status, code, diagnostic: text === '' ? undefined : text.slice(0, MAX_DIAGNOSTIC) };
}

/**
 * Whether the word of the provider counts where it calls for good what passes, mostly. A server that says 5xx for no reason but itself has
 * refused for good, and so has one of which the provider says in words of its own that it was not reached.
 */
function isForGood(
  reason: ReasonClass,
  { status, code, category }: Pick<Refusal, 'status' | 'code' | 'category'>,
): boolean {
  if (reason === 'system' && (status?.startsWith('5') || (code ?? 0) >= 500)) return true;
  return category === undefined && status === undefined && code === undefined && UNREACHED.includes(reason);
}

const UNREACHED: readonly ReasonClass[] = ['dns', 'network', 'timeout', 'system'];

/** Refused, not accepted, try again: it is said for any reason. */
const VAGUE: readonly ReasonClass[] = ['other', 'policy', 'system'];

function wordsOf({ reason, rule }: Judged, { rather, otherwise }: Refusal): ReasonClass {
  const isVague = reason === 'other' || (VAGUE.includes(reason) && !WORD_RULES.some(({ name }) => name === rule));
  if (rather !== undefined && isVague) return rather;
  return reason === 'other' ? (otherwise ?? 'other') : reason;
}

/** `smtp; 550 5.1.1 …`, as a Diagnostic-Code field has it (RFC 3464 section 2.3.6). */
function withoutProtocol(text: string): string {
  return text.replace(/^\s*(?:smtp|x-[\w-]+)\s*;\s*/i, '');
}

function statusIn(text: string | undefined): string | undefined {
  return /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])/.exec(text?.slice(0, 2000) ?? '')?.[1];
}

function codeIn(code: number | undefined): number | undefined {
  return code !== undefined && Number.isInteger(code) && code >= 200 && code < 600 ? code : undefined;
}

function codeOfText(text: string): number | undefined {
  const code = /^\D{0,40}?\b([45]\d\d)(?=[\s\-#:;,]|$)/.exec(withoutProtocol(text).slice(0, 200))?.[1];
  return code === undefined ? undefined : Number(code);
}
