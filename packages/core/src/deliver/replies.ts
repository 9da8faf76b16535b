import type { ReasonClass } from '../events.ts';
import { isBadAddress, type Judged, judge } from '../reasons/port.ts';
import type { Outcome, RouteFault } from './port.ts';
import { RECIPIENT, REPLIES, type ReplyRule } from './reply-rules.ts';
import { retryAfterOf } from './retry-after.ts';

/** Who says that something was blocked, and no more than this, means us. */
const SAY_LITTLE: readonly ReasonClass[] = ['policy', 'system', 'other', 'network', 'protocol', 'rate-limited'];

/** The row that decides about a reply to a step; undefined for what is no refusal. */
export function ruleOf(reply: string, step: string): ReplyRule | undefined {
  // What stands in an address says nothing.
  const words = unbroken(reply).replace(/\S*@\S*/g, '');
  return REPLIES.find(
    ({ match, steps, ask }) =>
      match.test(words) &&
      (steps?.includes(step) ?? true) &&
      (ask !== 'whether' || faultOf(judged(reply)) !== undefined),
  );
}

/**
 * The outcome that a refusing reply means. What is no reply at all is a protocol error of the other side.
 *
 * @param step - what it answers: `MAIL`, `RCPT`, `DATA`, `MESSAGE` …
 */
export function classifyReply(reply: string, step: string): Extract<Outcome, { type: 'deferred' | 'bounced' }> {
  const status = statusOf(reply);
  const rule = ruleOf(reply, step);
  if (rule === undefined) return { type: 'deferred', reply, status, reason: 'protocol' };
  const known = knownOf(reply, step, rule);
  const reason = known?.reason ?? rule.reason;
  if (rule.outcome === 'deferred') {
    const retryAfterMs = retryAfterOf(reply) ?? rule.retryAfterMs;
    return { type: 'deferred', reply, status, reason, retryAfterMs, fault: rule.fault ?? endedBy(reply, rule) };
  }
  return {
    type: 'bounced',
    kind: (rule.ask === 'all' ? known?.kind : undefined) ?? (isBadAddress(reason) ? 'hard' : 'soft'),
    reply,
    status,
    reason,
    suppress: rule.suppress ?? (rule.ask === 'all' && known?.kind === 'hard' && known.fault === 'recipient'),
    fault: known === undefined ? rule.fault : faultOf(known),
  };
}

/** What the tables that bounce mails are read by know of a reply, as far as its row asks; undefined where the row decides. */
function knownOf(reply: string, step: string, rule: ReplyRule): Judged | undefined {
  if (rule.ask === undefined || rule.ask === 'whether') return undefined;
  const known = judged(reply);
  if (faultOf(known) !== undefined) return known;
  if (rule.ask === 'all') return known.reason !== 'other' && RECIPIENT.some((one) => one === step) ? known : undefined;
  return rule.ask === 'what' && !SAY_LITTLE.includes(known.reason) ? known : undefined;
}

function judged(reply: string): Judged {
  return judge({ text: unbroken(reply), status: statusOf(reply), code: Number(reply.slice(0, 3)) });
}

/** RFC 3463. */
function statusOf(reply: string): string | undefined {
  return /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})/.exec(reply)?.[1];
}

/** What refuses our address is the route's affair. */
function faultOf({ reason }: Judged): RouteFault | undefined {
  return reason === 'blocked-ip' ? 'refused' : undefined;
}

/** Who ends the conversation (421, RFC 5321 section 3.8) takes no other mail either, unless it is for the recipient's sake. */
function endedBy(reply: string, { ofRecipient }: ReplyRule): RouteFault | undefined {
  return reply.startsWith('421') && !ofRecipient ? 'connection' : undefined;
}

/** A reply of several lines without the codes that its lines begin with (RFC 5321 section 4.2.1), which stand between words. */
function unbroken(reply: string): string {
  const code = reply.slice(0, 3);
  return reply.replace(/\s(\d{3})[- ](?:[245]\.\d{1,3}\.\d{1,3}(?=\s))?\s*/g, (found, again) =>
    again === code ? ' ' : found,
  );
}
