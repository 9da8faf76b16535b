import type { ReasonClass } from '../events.ts';
import type { Outcome } from './port.ts';

/** One row: the first whose pattern fits decides. */
export interface ReplyRule {
  readonly match: RegExp;
  readonly outcome: 'deferred' | 'bounced';
  readonly reason: ReasonClass;
  readonly kind?: 'hard' | 'soft';
  /** The address itself is bad, and gets no more mail. */
  readonly suppress?: true;
  readonly retryAfterMs?: number;
}

/** What replies mean. The last two rows catch the rest. */
const REPLIES: readonly ReplyRule[] = [
  { match: /^4\d\d.*(?:gr[ae]y ?list|try again in \d+ ?(?:s|min))/is, outcome: 'deferred', reason: 'greylisted' },
  {
    match: /^4\d\d[ -]4\.2\.2|^4\d\d.*(?:over ?quota|mailbox.*full|insufficient.*storage)/is,
    outcome: 'deferred',
    reason: 'mailbox-full',
  },
  {
    match:
      /^4\d\d[ -]4\.7\.(?:28|0)|^4\d\d.*(?:rate.?limit|too many (?:connections|messages|recipients)|unusual rate|throttl)/is,
    outcome: 'deferred',
    reason: 'rate-limited',
    retryAfterMs: 300_000,
  },
  { match: /^421/, outcome: 'deferred', reason: 'rate-limited' },
  { match: /^(?:530|534|535|538)|^5\d\d[ -]5\.7\.(?:8|9|26|27)\b/, outcome: 'deferred', reason: 'auth-failure' },
  { match: /^4\d\d[ -]4\.4\.\d/, outcome: 'deferred', reason: 'network' },
  { match: /^4\d\d[ -]4\.7\.\d/, outcome: 'deferred', reason: 'policy' },
  { match: /^4\d\d[ -]4\.3\.\d/, outcome: 'deferred', reason: 'system' },
  {
    match:
      /^5\d\d[ -]5\.7\.\d+.*(?:\bspam\b|junk|unsolicited)|^5\d\d.*(?:considered|detected|classified|identified) (?:as )?spam/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'spam-rejected',
  },
  {
    match: /^5\d\d.*(?:blocked|block ?list|black ?list|spamhaus|barracuda|poor reputation|banned)/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'blocked',
  },
  { match: /^5\d\d.*(?:SPF|DKIM|DMARC|unauthenticated)/s, outcome: 'bounced', kind: 'hard', reason: 'auth-failure' },
  {
    match: /^5\d\d[ -]5\.1\.2|^5\d\d.*(?:domain (?:not found|does not exist)|host (?:unknown|not found))/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'no-such-domain',
    suppress: true,
  },
  { match: /^5\d\d[ -]5\.1\.(?:1|10)\b/, outcome: 'bounced', kind: 'hard', reason: 'no-such-mailbox', suppress: true },
  {
    match:
      /^55[0134](?![ -]5\.7).*(?:user|mailbox|recipient|address|account).*(?:unknown|not found|doesn'?t exist|does not exist|no such|invalid|unavailable)/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match: /^55[0134](?![ -]5\.7).*(?:unknown|no such|invalid) (?:user|mailbox|recipient|local)/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match: /^5\d\d[ -]5\.2\.2|^552(?![ -]5\.3).*(?:quota|mailbox.*full|storage)/is,
    outcome: 'bounced',
    kind: 'soft',
    reason: 'mailbox-full',
  },
  {
    match: /^5\d\d[ -]5\.2\.1|^5\d\d.*(?:inactive|disabled|suspended|deactivated)/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'mailbox-inactive',
  },
  {
    match: /^5\d\d[ -]5\.[23]\.[34]\b|^552.*(?:size|too (?:big|large))/is,
    outcome: 'bounced',
    kind: 'soft',
    reason: 'message-too-large',
  },
  {
    match: /^5\d\d[ -]5\.6\.\d|^5\d\d.*(?:virus|attachment|content)/is,
    outcome: 'bounced',
    kind: 'hard',
    reason: 'content-rejected',
  },
  { match: /^5\d\d[ -]5\.7\.\d/, outcome: 'bounced', kind: 'hard', reason: 'policy' },
  { match: /^50\d/, outcome: 'bounced', kind: 'hard', reason: 'protocol' },
  { match: /^4\d\d/, outcome: 'deferred', reason: 'other' },
  { match: /^5\d\d/, outcome: 'bounced', kind: 'hard', reason: 'other' },
];

/** The outcome that a refusing reply means. What is no reply at all is a protocol error of the other side. */
export function classifyReply(reply: string): Extract<Outcome, { type: 'deferred' | 'bounced' }> {
  const status = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})/.exec(reply)?.[1];
  const rule = REPLIES.find(({ match }) => match.test(reply));
  if (rule === undefined) return { type: 'deferred', reply, status, reason: 'protocol' };
  if (rule.outcome === 'deferred')
    return { type: 'deferred', reply, status, reason: rule.reason, retryAfterMs: rule.retryAfterMs };
  return {
    type: 'bounced',
    kind: rule.kind ?? 'hard',
    reply,
    status,
    reason: rule.reason,
    suppress: rule.suppress ?? false,
  };
}
