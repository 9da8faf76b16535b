import type { Fault, ReasonClass } from '../events.ts';
import { LANGUAGE_RULES } from './languages.ts';
import { MESSAGE_RULES } from './message.ts';
import { RECIPIENT_RULES } from './recipient.ts';
import type { ReasonRule } from './rule.ts';
import { SENDER_RULES } from './sender.ts';
import { STATUS_RULES } from './status.ts';
import { WAY_RULES } from './way.ts';

/** What is known of a refusal. */
export interface Said {
  /** What the refusing side said, or what a report says of it. */
  readonly text: string;
  /** RFC 3463. */
  readonly status?: string | undefined;
  /** RFC 5321 reply code. */
  readonly code?: number | undefined;
}

/** What it means. */
export interface Judged {
  readonly reason: ReasonClass;
  readonly kind: 'hard' | 'soft';
  readonly fault: Fault;
  /** Name of the rule that decided: a row of the tables, `status` or `nothing`. */
  readonly rule: string;
}

/** Every row of words, in order: what is said about the way and in general only counts where no status says more. */
export const WORD_RULES: readonly ReasonRule[] = [
  ...SENDER_RULES,
  ...MESSAGE_RULES,
  ...LANGUAGE_RULES,
  ...RECIPIENT_RULES,
];
/** Words that say little. */
export const VAGUE_RULES: readonly ReasonRule[] = WAY_RULES;

const FAULTS: Readonly<Partial<Record<ReasonClass, Fault>>> = {
  'no-such-mailbox': 'recipient',
  'no-such-domain': 'recipient',
  'null-mx': 'recipient',
  'mailbox-full': 'recipient',
  inactive: 'recipient',
  moved: 'recipient',
  'message-too-big': 'message',
  'content-rejected': 'message',
  'spam-rejected': 'message',
  'blocked-ip': 'sender',
  'blocked-sender': 'sender',
  'auth-failure': 'sender',
  'rate-limited': 'sender',
  policy: 'sender',
  protocol: 'sender',
  tls: 'receiver',
  dns: 'network',
  network: 'network',
  timeout: 'network',
  expired: 'network',
};
const HARD: readonly ReasonClass[] = ['no-such-mailbox', 'no-such-domain', 'null-mx', 'inactive', 'moved'];
/** Text that is looked at. */
const MAX_TEXT = 4000;

/** At whose door a reason lies. */
export function faultOf(reason: ReasonClass): Fault {
  return FAULTS[reason] ?? 'receiver';
}

/** Whether a refusal for this reason says that the address is bad for good. */
export function isBadAddress(reason: ReasonClass): boolean {
  return HARD.includes(reason);
}

/** Whether it is so for good: a bad address is, what was only said for now (4xx) is not. */
function kindOf(reason: ReasonClass, said: Omit<Said, 'text'>): 'hard' | 'soft' {
  return isBadAddress(reason) && !isForNow(said) ? 'hard' : 'soft';
}

function isForNow({ status, code }: Omit<Said, 'text'>): boolean {
  return status === undefined
    ? code !== undefined && code < 500
    : status.startsWith('4') && !(code !== undefined && code >= 500);
}

/** Whether a status says by itself why a mail was refused. */
export function isClearStatus(status: string | undefined): boolean {
  const rule = status === undefined ? undefined : STATUS_RULES.find(({ match }) => match.test(status));
  return rule !== undefined && !rule.vague;
}

/** Words as the rules read them: what stands in an address says nothing. */
function wordsOf(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replace(/<?[^\s<>()"';:,=[\]]{1,64}@[\w.\u0080-\uffff-]+>?/g, ' @ ')
    .replace(/[’‘]/g, "'")
    .replace(/[\s_]+/g, ' ')
    .toLowerCase();
}

/** Says why a mail was refused, whether for good, and whose fault it is. */
export function judge(said: Said): Judged {
  const words = wordsOf(said.text);
  const { reason, rule, kind } = decide(words, said);
  return { reason, rule, kind: kind ?? kindOf(reason, said), fault: faultOf(reason) };
}

function decide(words: string, said: Said): { reason: ReasonClass; rule: string; kind?: 'hard' | 'soft' | undefined } {
  const level = isForNow(said) ? '4' : '5';
  const fits = ({ match, only }: ReasonRule): boolean => (only === undefined || only === level) && match.test(words);
  const named = WORD_RULES.find(fits);
  if (named !== undefined) return { ...named, rule: named.name };
  const byStatus =
    said.status === undefined ? undefined : STATUS_RULES.find(({ match }) => match.test(said.status as string));
  if (byStatus !== undefined && !byStatus.vague) return { reason: byStatus.reason, rule: 'status' };
  const vague = VAGUE_RULES.find(fits);
  // "Not accepted" is what servers say of anything.
  const general: readonly ReasonClass[] = byStatus?.reason === 'no-such-mailbox' ? ['policy', 'system'] : ['policy'];
  const known = byStatus?.reason === 'no-such-mailbox' || byStatus?.reason === 'system';
  if (vague !== undefined && !(known && general.includes(vague.reason))) return { ...vague, rule: vague.name };
  if (byStatus !== undefined) return { reason: byStatus.reason, rule: 'status' };
  return { reason: 'other', rule: 'nothing' };
}
