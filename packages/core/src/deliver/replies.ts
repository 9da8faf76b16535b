import type { ReasonClass } from '../events.ts';
import { type Judged, judge } from '../reasons/port.ts';
import type { Outcome, RouteFault } from './port.ts';
import { retryAfterOf } from './retry-after.ts';

/** One row: the first that fits decides. */
export interface ReplyRule {
  readonly match: RegExp;
  /** Steps of a transaction whose replies it is for. @default all */
  readonly steps?: readonly string[];
  readonly outcome: 'deferred' | 'bounced';
  readonly reason: ReasonClass;
  readonly kind?: 'hard' | 'soft';
  /** The address itself is bad, and gets no more mail. */
  readonly suppress?: true;
  readonly retryAfterMs?: number;
  /** It is about the route and not about the mail: another route may take it. */
  readonly fault?: RouteFault;
}

/** Only what is said to RCPT, and to the message, can be about the recipient. */
const RECIPIENT = ['RCPT', 'MESSAGE'] as const;

/**
 * What replies mean. Many servers say to RCPT what they have against the sender or the client, so words about these come
 * before words about the recipient. The last two rows catch the rest.
 */
export const REPLIES: readonly ReplyRule[] = [
  {
    match:
      /^[45]\d\d.*(?:\b(?:daily|hourly|monthly|sending|plan) (?:user |sending |message |mail |email )*(?:quota|limit|rate)s? (?:has been |was |is )?(?:exceeded|reached)|maximum (?:credits|sending rate) exceeded|(?:exceeded|reached) (?:your|the) (?:daily|hourly|monthly|sending|plan)\b)/is,
    outcome: 'deferred',
    reason: 'rate-limited',
    retryAfterMs: 300_000,
    fault: 'refused',
  },
  { match: /^4\d\d.*(?:gr[ae]y ?list|try again in \d+ ?(?:s|min))/is, outcome: 'deferred', reason: 'greylisted' },
  {
    match: /^4\d\d[ -]4\.2\.2|^4\d\d(?![ -]4\.3).*(?:over ?quota|mailbox.*full|insufficient.*storage)/is,
    steps: RECIPIENT,
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
  {
    match:
      /^[45]\d\d.*(?:account|sending|domain)[\w .@-]* (?:suspended|disabled|paused|under review|not allowed to send)/is,
    steps: ['CONN', 'EHLO', 'AUTH', 'MAIL'],
    outcome: 'deferred',
    reason: 'auth-failure',
    retryAfterMs: 300_000,
    fault: 'refused',
  },
  { match: /^421/, outcome: 'deferred', reason: 'rate-limited', fault: 'connection' },
  { match: /^(?:530|534|535|538)|^5\d\d[ -]5\.7\.[89]\b/, outcome: 'deferred', reason: 'auth-failure', fault: 'login' },
  { match: /^5\d\d[ -]5\.7\.(?:26|27)\b/, outcome: 'deferred', reason: 'auth-failure' },
  { match: /^5\d\d[ -]5\.7\.(?:10|30)\b|^5\d\d.*requiretls/is, outcome: 'bounced', kind: 'soft', reason: 'tls' },
  { match: /^4\d\d[ -]4\.4\.\d/, outcome: 'deferred', reason: 'network' },
  { match: /^4\d\d[ -]4\.7\.\d/, outcome: 'deferred', reason: 'policy' },
  { match: /^4\d\d[ -]4\.3\.\d/, outcome: 'deferred', reason: 'system' },
  {
    match:
      /^5\d\d[ -]5\.7\.\d+.*(?:\bspam\b|junk|unsolicited)|^5\d\d.*(?:considered|detected|classified|identified) (?:as )?spam/is,
    outcome: 'bounced',
    reason: 'spam-rejected',
  },
  {
    match: /^5\d\d.*(?:blocked|block ?list|black ?list|spamhaus|barracuda|poor reputation|banned)/is,
    outcome: 'bounced',
    reason: 'blocked-ip',
    fault: 'refused',
  },
  { match: /^5\d\d.*(?:SPF|DKIM|DMARC|unauthenticated)/s, outcome: 'bounced', reason: 'auth-failure' },
  {
    // X.1.7 and X.1.8 are about the sender's address (RFC 3463 section 3.2).
    match:
      /^5\d\d[ -]5\.1\.[78]\b|^5\d\d.*(?:\bsender(?:'s)? (?:address|domain|mailbox|account|host|server|verif|reject|denied|refused|unknown|invalid)|\b(?:invalid|unknown|bad) sender|\b(?:helo|ehlo)\b|\b(?:return|reverse).path|\b(?:envelope|mail) from\b|\breverse (?:dns|host)|\bclient host)/is,
    outcome: 'bounced',
    reason: 'blocked-sender',
  },
  {
    match:
      /^5\d\d[ -]5\.1\.2\b|^5\d\d(?![ -]5\.7).*(?:domain (?:not found|does not exist)|host (?:unknown|not found))/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-domain',
    suppress: true,
  },
  {
    match: /^5\d\d[ -]5\.1\.(?:1|10)\b/,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match:
      /^55[0134](?![ -]5\.7).*(?:user|mailbox|recipient|address|account).*(?:unknown|not found|doesn'?t exist|does not exist|no such|invalid|unavailable)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match: /^55[0134](?![ -]5\.7).*(?:unknown|no such|invalid) (?:user|mailbox|recipient|local)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'no-such-mailbox',
    suppress: true,
  },
  {
    match: /^5\d\d[ -]5\.2\.2|^552(?![ -]5\.3).*(?:quota|mailbox.*full|storage)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    kind: 'soft',
    reason: 'mailbox-full',
  },
  {
    match: /^5\d\d[ -]5\.2\.1|^5\d\d.*(?:inactive|disabled|suspended|deactivated)/is,
    steps: RECIPIENT,
    outcome: 'bounced',
    reason: 'inactive',
  },
  {
    match: /^5\d\d[ -]5\.[23]\.[34]\b|^552.*(?:size|too (?:big|large))/is,
    outcome: 'bounced',
    kind: 'soft',
    reason: 'message-too-big',
  },
  {
    match: /^5\d\d[ -]5\.6\.\d|^5\d\d.*(?:virus|attachment|content)/is,
    outcome: 'bounced',
    reason: 'content-rejected',
  },
  { match: /^5\d\d[ -]5\.7\.\d/, outcome: 'bounced', reason: 'policy' },
  { match: /^50\d/, outcome: 'bounced', reason: 'protocol' },
  { match: /^5\d\d/, steps: ['MAIL'], outcome: 'bounced', reason: 'blocked-sender' },
  { match: /^4\d\d/, outcome: 'deferred', reason: 'other' },
  { match: /^5\d\d/, outcome: 'bounced', reason: 'other' },
];

/** The row that decides about a reply to a step; undefined for what is no refusal. */
export function ruleOf(reply: string, step: string): ReplyRule | undefined {
  // What stands in an address says nothing.
  const words = reply.replace(/\S*@\S*/g, '');
  return REPLIES.find(({ match, steps }) => match.test(words) && (steps?.includes(step) ?? true));
}

/**
 * The outcome that a refusing reply means. What is no reply at all is a protocol error of the other side.
 *
 * @param step - what it answers: `MAIL`, `RCPT`, `DATA`, `MESSAGE` …
 */
export function classifyReply(reply: string, step: string): Extract<Outcome, { type: 'deferred' | 'bounced' }> {
  const status = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})/.exec(reply)?.[1];
  const rule = ruleOf(reply, step);
  if (rule === undefined) return { type: 'deferred', reply, status, reason: 'protocol' };
  // What no row here names may be in the tables that bounce mails are read by.
  const known =
    rule.reason === 'other' && RECIPIENT.some((one) => one === step) ? judgeReply(reply, status) : undefined;
  const reason = known?.reason ?? rule.reason;
  if (rule.outcome === 'deferred') {
    const retryAfterMs = retryAfterOf(reply) ?? rule.retryAfterMs;
    return { type: 'deferred', reply, status, reason, retryAfterMs, fault: rule.fault };
  }
  return {
    type: 'bounced',
    kind: known?.kind ?? rule.kind ?? 'hard',
    reply,
    status,
    reason,
    suppress: rule.suppress ?? (known?.kind === 'hard' && known.fault === 'recipient'),
    fault: rule.fault,
  };
}

function judgeReply(text: string, status: string | undefined): Judged | undefined {
  const judged = judge({ text, status, code: Number(text.slice(0, 3)) });
  return judged.reason === 'other' ? undefined : judged;
}
