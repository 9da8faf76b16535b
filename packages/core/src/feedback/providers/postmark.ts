import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { type GateOptions, passes } from './gate.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { timeOf } from './time.ts';
import {
  addressOf,
  at,
  bareId,
  type Fields,
  fieldsOf,
  firstText,
  isSet,
  listOf,
  numberOf,
  parsed,
  textOf,
} from './values.ts';

interface Settings extends GateOptions {
  readonly secret: WebhookProvider['secret'];
}

/** Postmark: https://postmarkapp.com/developer/webhooks/webhooks-overview. It signs nothing: basic auth, or a secret in the path. */
export function postmarkWebhooks({ secret, ...gate }: Settings): WebhookProvider {
  return {
    name: 'postmark',
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

function eventOf(event: Fields | undefined, tools: ReadTools): FeedbackEvent | undefined {
  if (event === undefined) return undefined;
  const record = firstText(event, 'RecordType') ?? (event.BouncedAt === undefined ? '' : 'Bounce');
  const said = saidBy(record.toLowerCase(), event, tools);
  if (said === undefined) return undefined;
  const recipient = addressOf(firstText(event, 'Recipient', 'Email'));
  const providerId = textOf(event.MessageID);
  const deliveryId = ourDelivery(at(event, 'Metadata', DELIVERY_KEY));
  const times = [event.BouncedAt, event.DeliveredAt, event.ReceivedAt, event.ChangedAt];
  return {
    id: idOf(
      record,
      recipient,
      deliveryId,
      providerId,
      textOf(event.ID),
      textOf(event.OriginalLink),
      times.map(textOf),
    ),
    at: timeOf(tools.now, ...times),
    source: 'postmark',
    deliveryId,
    messageId: bareId(at(event, 'Metadata', 'message-id')),
    providerId,
    recipient,
    ...said,
    raw: rawOf({ ...event, Content: undefined }),
  };
}

type Said = Pick<FeedbackEvent, 'type'> & Partial<FeedbackEvent>;

function saidBy(record: string, event: Fields, tools: ReadTools): Said | undefined {
  if (record === 'delivery') return { type: 'delivered' };
  if (record === 'spamcomplaint') return { type: 'complained' };
  if (record === 'open') return { type: 'opened', ...agentOf('opened', event.UserAgent) };
  if (record === 'click')
    return { type: 'clicked', url: urlOf(event.OriginalLink), ...agentOf('clicked', event.UserAgent) };
  if (record === 'subscriptionchange') return change(event);
  return kindIn({ bounce }, record, { quiet: /^(?:inbound|smtpapierror)$/, tools })?.(event, tools);
}

/** What follows from a bounce or a complaint says it again, for those who subscribed to nothing else. */
function change(event: Fields): Said | undefined {
  if (!isSet(event.SuppressSending)) return undefined;
  const reason = textOf(event.SuppressionReason)?.toLowerCase();
  if (reason === 'hardbounce') return { type: 'bounced', ...meaningOf({ says: 'hard', otherwise: 'no-such-mailbox' }) };
  if (reason === 'spamcomplaint') return { type: 'complained' };
  return reason === 'manualsuppression' ? { type: 'unsubscribed' } : undefined;
}

/** Postmark itself could not make a mail of it. */
const NOT_SENT: Readonly<Record<string, Refusal>> = {
  smtpapierror: { says: 'soft', otherwise: 'protocol' },
  templaterenderingfailed: { says: 'soft', category: 'content-rejected' },
};

/** https://postmarkapp.com/developer/api/bounce-api#bounce-types; undefined is no bounce of the mail. */
const TYPES: Readonly<Record<string, Refusal | 'auto-replied' | 'unsubscribed' | 'complained' | 'deferred'>> = {
  hardbounce: { says: 'hard', otherwise: 'no-such-mailbox' },
  bademailaddress: { says: 'hard', category: 'no-such-mailbox' },
  addresschange: { says: 'hard', category: 'moved' },
  manuallydeactivated: { says: 'hard', ...OWN_LIST },
  softbounce: { says: 'soft' },
  transient: 'deferred',
  dnserror: { says: 'soft', otherwise: 'dns' },
  spamnotification: { says: 'soft', category: 'spam-rejected' },
  virusnotification: { says: 'soft', category: 'content-rejected' },
  blocked: { says: 'soft', otherwise: 'blocked-ip' },
  dmarcpolicy: { says: 'soft', category: 'auth-failure' },
  unknown: { says: 'soft' },
  autoresponder: 'auto-replied',
  challengeverification: 'auto-replied',
  unsubscribe: 'unsubscribed',
  spamcomplaint: 'complained',
};
/** The same types, where only their number stands. */
const CODES: Readonly<Record<number, string>> = {
  1: 'hardbounce',
  2: 'transient',
  16: 'unsubscribe',
  32: 'subscribe',
  64: 'autoresponder',
  128: 'addresschange',
  256: 'dnserror',
  512: 'spamnotification',
  1024: 'openrelaytest',
  4096: 'softbounce',
  8192: 'virusnotification',
  16384: 'challengeverification',
  100000: 'bademailaddress',
  100001: 'spamcomplaint',
  100002: 'manuallydeactivated',
  100003: 'unconfirmed',
  100006: 'blocked',
  100007: 'smtpapierror',
  100008: 'inbounderror',
  100009: 'dmarcpolicy',
  100010: 'templaterenderingfailed',
};
const NO_FEEDBACK = /^(?:subscribe|openrelaytest|inbounderror|unconfirmed)$/;

function bounce(event: Fields, tools: ReadTools): Said | undefined {
  const type = textOf(event.Type)?.toLowerCase() ?? CODES[numberOf(event.TypeCode) ?? 0] ?? 'unknown';
  const text = textOf(event.Details);
  // A description is of the type, and names examples: it says nothing of this mail.
  const diagnostic = (text ?? textOf(event.Description))?.slice(0, 1000);
  if (Object.hasOwn(NOT_SENT, type)) return { type: 'failed', ...meaningOf({ ...NOT_SENT[type], text }), diagnostic };
  const known = kindIn(TYPES, type, { quiet: NO_FEEDBACK, tools });
  if (known === 'deferred') return { type: known, ...meaningOf({ text, says: 'soft' }), diagnostic };
  if (typeof known === 'string') return { type: known };
  return known && { type: 'bounced', ...meaningOf({ ...known, text }), diagnostic };
}
