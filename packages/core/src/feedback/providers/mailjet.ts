import type { ReasonClass } from '../../events.ts';
import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf, wholeOf } from './about.ts';
import { type GateOptions, passes } from './gate.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { timeOf } from './time.ts';
import { addressOf, type Fields, fieldsOf, firstText, isSet, listOf, parsed, textOf } from './values.ts';

interface Settings extends GateOptions {
  readonly secret: WebhookProvider['secret'];
}

/** Mailjet: https://dev.mailjet.com/email/guides/webhooks/. It signs nothing: basic auth in the URL, or a secret in the path. */
export function mailjetWebhooks({ secret, ...gate }: Settings): WebhookProvider {
  return {
    name: 'mailjet',
    secret,
    admit: (request) => passes(request, gate),
    verify: (request) => passes(request, gate),
    read(request, tools) {
      const body = parsed(request.body);
      if (typeof body !== 'object' || body === null) return undefined;
      return listOf(body).flatMap((one) => eventOf(fieldsOf(one), tools) ?? []);
    },
  };
}

const TYPES: Readonly<Record<string, FeedbackEvent['type']>> = {
  sent: 'delivered',
  open: 'opened',
  click: 'clicked',
  bounce: 'bounced',
  blocked: 'bounced',
  spam: 'complained',
  unsub: 'unsubscribed',
};

function eventOf(event: Fields | undefined, tools: ReadTools): FeedbackEvent | undefined {
  const name = firstText(event, 'event')?.toLowerCase() ?? '';
  const named = kindIn(TYPES, name, { quiet: /^parseapi$/, tools });
  const type = named === 'bounced' && isTriedAgain(event) ? 'deferred' : named;
  if (event === undefined || type === undefined) return undefined;
  const recipient = addressOf(event.email);
  const providerId = firstText(event, 'Message_GUID', 'MessageID');
  const url = firstText(event, 'url');
  return {
    id: idOf(wholeOf(event)),
    type,
    at: timeOf(tools.now, event.time),
    source: 'mailjet',
    deliveryId: ourDelivery(event.CustomID, fieldsOf(event.Payload)?.[DELIVERY_KEY], event.Payload),
    providerId,
    recipient,
    ...(type === 'bounced' || type === 'deferred' ? meaningOf(refusalOf(name, event)) : {}),
    ...(type === 'opened' || type === 'clicked' ? agentOf(type, event.agent) : {}),
    ...(type === 'clicked' ? { url: urlOf(url) } : {}),
    raw: rawOf(event),
  };
}

/** Mailjet calls it a bounce, and says that it tries again. */
function isTriedAgain(event: Fields | undefined): boolean {
  return firstText(event, 'error')?.toLowerCase() === 'greylisted' && !isSet(event?.hard_bounce);
}

/** https://dev.mailjet.com/email/guides/webhooks/#possible-values-for-errors */
const ERRORS: Readonly<Record<string, Partial<Refusal>>> = {
  'user unknown': { category: 'no-such-mailbox' },
  'mailbox inactive': { category: 'inactive' },
  'quota exceeded': { category: 'mailbox-full' },
  'blacklisted domain': { category: 'no-such-domain' },
  'invalid domain': { category: 'no-such-domain' },
  'no mail host': { category: 'no-such-domain' },
  'relay/access denied': { otherwise: 'policy' },
  'sender blocked': { category: 'blocked-sender' },
  'content blocked': { otherwise: 'content-rejected' },
  'policy issue': { otherwise: 'policy' },
  'system issue': { otherwise: 'system' },
  'protocol issue': { otherwise: 'protocol' },
  'connection issue': { otherwise: 'network' },
  greylisted: { category: 'greylisted' },
  preblocked: OWN_LIST,
  blacklisted: OWN_LIST,
  'spam reporter': OWN_LIST,
  typofix: { category: 'no-such-domain' },
  'spam preblocked': { category: 'spam-rejected' },
  'bad or empty template': { category: 'content-rejected' },
  'error in template language': { category: 'content-rejected' },
  'duplicate in campaign': { category: 'policy', fault: 'message' },
};
const RELATED: Readonly<Record<string, ReasonClass>> = {
  domain: 'no-such-domain',
  content: 'content-rejected',
  spam: 'spam-rejected',
  system: 'system',
};

function refusalOf(name: string, event: Fields): Refusal {
  const error = textOf(event.error) ?? '';
  const related = textOf(event.error_related_to)?.toLowerCase() ?? '';
  const known = Object.hasOwn(ERRORS, error.toLowerCase()) ? ERRORS[error.toLowerCase()] : undefined;
  const text = [error, textOf(event.comment)].filter((one) => one !== undefined && one !== '').join(': ');
  const says = name === 'bounce' && isSet(event.hard_bounce) ? 'hard' : 'soft';
  const byRelated = Object.hasOwn(RELATED, related) ? RELATED[related] : undefined;
  const otherwise = says === 'hard' && related === 'recipient' ? 'no-such-mailbox' : byRelated;
  return { text: text === '' ? undefined : text, says, otherwise, ...known };
}
