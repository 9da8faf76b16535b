import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { ReasonClass } from '../../events.ts';
import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, ownRefusal, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { timeOf } from './time.ts';
import { addressOf, bareId, type Fields, fieldsOf, firstText, isSet, listOf, parsed, textOf } from './values.ts';
import { isFresh } from './window.ts';

/** What SendGrid's webhooks are checked with. */
interface Settings {
  readonly publicKeys: readonly KeyObject[];
  readonly replayWindowMs: number;
  readonly secret: WebhookProvider['secret'];
}

/** Key as the settings page shows it (base64 DER), or PEM. Throws for what is no P-256 key. */
export function sendgridKey(text: string): KeyObject {
  const key = text.includes('-----BEGIN')
    ? createPublicKey(text)
    : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is no P-256 key');
  return key;
}

/** Signed Event Webhook: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features */
export function sendgridWebhooks({ publicKeys, replayWindowMs, secret }: Settings): WebhookProvider {
  return {
    name: 'sendgrid',
    secret,
    verify(request, { now }) {
      const signature = request.header('x-twilio-email-event-webhook-signature');
      const timestamp = request.header('x-twilio-email-event-webhook-timestamp');
      if (signature === undefined || timestamp === undefined)
        return { ok: false, because: 'it has no signature: switch on the Signed Event Webhook' };
      const signed = Buffer.concat([Buffer.from(timestamp), request.body]);
      const bytes = Buffer.from(signature, 'base64');
      if (!publicKeys.some((key) => verify('sha256', signed, key, bytes)))
        return { ok: false, because: 'its signature is not by the public key of the options' };
      if (!isFresh(timestamp.trim(), now, replayWindowMs))
        return { ok: false, because: 'it was signed too long ago, or one of the clocks is wrong' };
      return { ok: true };
    },
    read(request, tools) {
      const body = parsed(request.body);
      if (typeof body !== 'object' || body === null) return undefined;
      return listOf(body).flatMap((item) => eventOf(fieldsOf(item), tools) ?? []);
    },
  };
}

const TYPES: Readonly<Record<string, FeedbackEvent['type']>> = {
  delivered: 'delivered',
  deferred: 'deferred',
  bounce: 'bounced',
  blocked: 'bounced',
  open: 'opened',
  click: 'clicked',
  spamreport: 'complained',
  unsubscribe: 'unsubscribed',
  group_unsubscribe: 'unsubscribed',
};
const NO_FEEDBACK = /^(?:processed|group_resubscribe|account_status_change)$/;

/** https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event */
function eventOf(event: Fields | undefined, tools: ReadTools): FeedbackEvent | undefined {
  const name = textOf(event?.event)?.toLowerCase();
  if (event === undefined || name === undefined) return undefined;
  const type = name === 'dropped' ? droppedType(event) : kindIn(TYPES, name, { quiet: NO_FEEDBACK, tools });
  if (type === undefined) return undefined;
  const recipient = addressOf(event.email);
  const messageId = bareId(firstText(event, 'smtp-id', 'smtp_id', 'smtpid'));
  const providerId = textOf(event.sg_message_id);
  return {
    id: textOf(event.sg_event_id) ?? idOf(name, recipient, providerId, messageId, event.timestamp, event.url),
    type,
    at: timeOf(tools.now, event.timestamp),
    source: 'sendgrid',
    deliveryId: ourDelivery(event[DELIVERY_KEY], fieldsOf(event.unique_args)?.[DELIVERY_KEY]),
    messageId,
    // What follows is about the machine that worked on the mail.
    providerId: providerId?.split(/\.(?:filter|recvd)/)[0],
    recipient,
    ...detailOf(type, name, event),
    raw: rawOf(event),
  };
}

function detailOf(type: FeedbackEvent['type'], name: string, event: Fields): Partial<FeedbackEvent> {
  if (type === 'clicked') return { url: urlOf(event.url), ...agentOf(type, event.useragent) };
  if (type === 'opened') {
    const machine = { kind: 'privacy', evidence: 'sg_machine_open' } as const;
    return agentOf(type, event.useragent, isSet(event.sg_machine_open) ? machine : undefined);
  }
  if (type === 'complained' || type === 'unsubscribed' || type === 'delivered') return {};
  return meaningOf(name === 'dropped' ? dropped(event) : refusalOf(type, name, event));
}

/** https://www.twilio.com/docs/sendgrid/ui/sending-email/bounces: what words say more exactly is left to them. */
const CLASSES: Readonly<Record<string, ReasonClass>> = {
  'invalid address': 'no-such-mailbox',
  'mailbox unavailable': 'mailbox-full',
  content: 'content-rejected',
  reputation: 'blocked-ip',
  'frequency or volume too high': 'rate-limited',
  'frequency/volume': 'rate-limited',
  'technical failure': 'system',
  technical: 'system',
};

function refusalOf(type: FeedbackEvent['type'], name: string, event: Fields): Refusal {
  const text = firstText(event, 'reason', 'response');
  const classed = firstText(event, 'bounce_classification')?.toLowerCase() ?? '';
  const known = Object.hasOwn(CLASSES, classed) ? CLASSES[classed] : undefined;
  // An address is not silenced for a class where the server only said no.
  const byClass = known === 'no-such-mailbox' ? { otherwise: known } : { rather: known };
  // A block is temporary, and no reason to leave an address out: https://www.twilio.com/docs/sendgrid/ui/sending-email/blocks
  const isBlock = name === 'blocked' || textOf(event.type)?.toLowerCase() === 'blocked';
  const says = type === 'deferred' || isBlock ? 'soft' : 'hard';
  const status = textOf(event.status);
  // SendGrid's own look-up; its words name a PTR record for whatever failed.
  if (/^unable to get mx info/i.test(text ?? ''))
    return { text, status, says, category: /no such host|nxdomain/i.test(text ?? '') ? 'no-such-domain' : 'dns' };
  return { text, status, says, ...byClass };
}

const OWN_LISTS = /\b(?:bounced|blocked|unsubscribed|spam ?report(?:ing|ed)?) address|suppress/i;
const INVALID = /^invalid(?: e-?mail)?(?: address)?$/i;

/** https://www.twilio.com/docs/sendgrid/ui/analytics-and-reporting/email-activity-feed: what SendGrid did not even try to send. */
function droppedType(event: Fields): FeedbackEvent['type'] {
  const reason = textOf(event.reason) ?? '';
  return OWN_LISTS.test(reason) || INVALID.test(reason) ? 'bounced' : 'failed';
}

function dropped(event: Fields): Refusal {
  const text = textOf(event.reason) ?? 'dropped';
  const said = { text, status: textOf(event.status) };
  if (INVALID.test(text)) return { ...said, says: 'hard', category: 'no-such-mailbox' };
  if (OWN_LISTS.test(text)) return { ...said, says: /^bounced/i.test(text) ? 'hard' : 'soft', ...OWN_LIST };
  if (/smtpapi/i.test(text)) return { ...said, says: 'soft', category: 'protocol' };
  return ownRefusal(text);
}
