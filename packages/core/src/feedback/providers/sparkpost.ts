import type { ReasonClass } from '../../events.ts';
import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { complaintOf } from './complaints.ts';
import { type GateOptions, passes } from './gate.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { timeOf } from './time.ts';
import { addressOf, at, type Fields, fieldsOf, firstText, isSet, listOf, numberOf, parsed, textOf } from './values.ts';

const TOKEN_HEADER = 'x-messagesystems-webhook-token';

interface Settings extends GateOptions {
  readonly secret: WebhookProvider['secret'];
}

/** SparkPost: https://developers.sparkpost.com/api/webhooks/. It signs nothing: basic auth, a token, or a secret in the path. */
export function sparkpostWebhooks({ secret, ...gate }: Settings): WebhookProvider {
  return {
    name: 'sparkpost',
    secret,
    admit: (request) => passes(request, gate, TOKEN_HEADER),
    verify: (request) => passes(request, gate, TOKEN_HEADER),
    read(request, tools) {
      const body = parsed(request.body);
      if (typeof body !== 'object' || body === null) return undefined;
      return listOf(body).flatMap((one) => eventOf(insideOf(one), tools) ?? []);
    },
  };
}

/** `{ msys: { message_event: { … } } }`; a webhook that is only tried out is empty. */
function insideOf(item: unknown): Fields | undefined {
  const msys = fieldsOf(at(item, 'msys'));
  return msys && fieldsOf(Object.values(msys)[0]);
}

const TYPES: Readonly<Record<string, FeedbackEvent['type']>> = {
  delivery: 'delivered',
  bounce: 'bounced',
  out_of_band: 'bounced',
  delay: 'deferred',
  policy_rejection: 'bounced',
  generation_failure: 'failed',
  generation_rejection: 'bounced',
  spam_complaint: 'complained',
  open: 'opened',
  initial_open: 'opened',
  amp_open: 'opened',
  amp_initial_open: 'opened',
  click: 'clicked',
  amp_click: 'clicked',
  list_unsubscribe: 'unsubscribed',
  link_unsubscribe: 'unsubscribed',
};
const NO_FEEDBACK = /^(?:injection|reception|sms_status|success|error|relay_\w+|ab_test_\w+)$/;

/** What comes back is not always a bounce: by the class it answers by itself, or wants to leave. */
function typeOfBounce(event: Fields): FeedbackEvent['type'] | undefined {
  const classed = numberOf(event.bounce_class);
  if (classed === 60 || classed === 100) return 'auto-replied';
  if (classed === 80) return undefined;
  return classed === 90 ? 'unsubscribed' : 'bounced';
}

function typeOf(known: FeedbackEvent['type'] | undefined, event: Fields): FeedbackEvent['type'] | undefined {
  if (known === 'complained') return complaintOf(textOf(event.fbtype));
  return known === 'bounced' ? typeOfBounce(event) : known;
}

function eventOf(event: Fields | undefined, tools: ReadTools): FeedbackEvent | undefined {
  const name = firstText(event, 'type')?.toLowerCase() ?? '';
  const known = kindIn(TYPES, name, { quiet: NO_FEEDBACK, tools });
  const type = event === undefined ? known : typeOf(known, event);
  if (event === undefined || type === undefined) return undefined;
  const recipient = addressOf(firstText(event, 'raw_rcpt_to', 'rcpt_to'));
  const providerId = firstText(event, 'transmission_id', 'message_id');
  return {
    id: textOf(event.event_id) ?? idOf(name, recipient, firstText(event, 'message_id'), textOf(event.timestamp)),
    type,
    at: timeOf(tools.now, event.timestamp),
    source: 'sparkpost',
    deliveryId: ourDelivery(at(event, 'rcpt_meta', DELIVERY_KEY)),
    providerId,
    recipient,
    ...detailOf(type, name, event),
    raw: rawOf(event),
  };
}

function detailOf(type: FeedbackEvent['type'], name: string, event: Fields): Partial<FeedbackEvent> {
  if (type === 'clicked') return { url: urlOf(event.target_link_url), ...agentOf(type, event.user_agent) };
  if (type === 'opened') {
    const says = (what: string): boolean => isSet(at(event, 'user_agent_parsed', what)) || isSet(event[what]);
    const machine = says('is_prefetched')
      ? ({ kind: 'privacy', evidence: 'sparkpost-prefetched' } as const)
      : ({ kind: 'proxy', evidence: 'sparkpost-proxy' } as const);
    const isMachine = says('is_prefetched') || says('is_proxy');
    return agentOf(type, event.user_agent, isMachine ? machine : undefined);
  }
  if (type !== 'bounced' && type !== 'failed' && type !== 'deferred') return {};
  const reportingMta = firstText(event, 'mx_host')?.slice(0, 255);
  return { ...meaningOf(refusalOf(type, name, event)), ...(reportingMta === undefined ? {} : { reportingMta }) };
}

/** https://support.sparkpost.com/docs/deliverability/bounce-classification-codes */
const CLASSES: Readonly<Record<number, Partial<Refusal>>> = {
  10: { says: 'hard', category: 'no-such-mailbox' },
  20: { says: 'soft' },
  21: { says: 'soft', category: 'dns' },
  22: { says: 'soft', category: 'mailbox-full' },
  23: { says: 'soft', category: 'message-too-big' },
  24: { says: 'soft', otherwise: 'timeout' },
  25: { says: 'soft', ...OWN_LIST },
  26: { says: 'soft', category: 'policy' },
  30: { says: 'hard', category: 'no-such-mailbox' },
  40: { says: 'soft', otherwise: 'policy' },
  50: { says: 'soft', rather: 'blocked-ip' },
  // A known source of spam.
  51: { says: 'soft', rather: 'blocked-ip' },
  52: { says: 'soft', category: 'spam-rejected' },
  53: { says: 'soft', category: 'content-rejected' },
  // No relaying.
  54: { says: 'soft', otherwise: 'policy' },
  70: { says: 'soft' },
};
const GENERATION: ReasonClass = 'content-rejected';

function refusalOf(type: FeedbackEvent['type'], name: string, event: Fields): Refusal {
  const text = firstText(event, 'raw_reason', 'reason');
  const code = numberOf(event.error_code);
  const classed = numberOf(event.bounce_class);
  const known = classed === undefined ? undefined : CLASSES[classed];
  if (type === 'deferred') return { text, code, says: 'soft', otherwise: known?.category ?? known?.otherwise };
  if (name === 'generation_failure') return { text, says: 'soft', category: GENERATION };
  if (name === 'policy_rejection' || name === 'generation_rejection') return { text, says: 'soft', ...OWN_LIST };
  // Class 1 is one that SparkPost could not tell: the words may.
  return { text, code, ...known };
}
