import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf, wholeOf } from './about.ts';
import { fieldsOfBody } from './form.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { timeOf } from './time.ts';
import { addressOf, bareId, type Fields, fieldsOf, firstText, listOf, numberOf, parsed } from './values.ts';

/**
 * Sarbacane Sendkit, which was Tipimail, and Sarbacane's campaigns: https://docs.tipimail.com/en/integrate/webhooks. They sign
 * nothing, so that the path has a secret. JSON comes as it is, or urlencoded.
 */
export function sarbacaneWebhooks(name: 'sarbacane' | 'tipimail', secret: readonly string[]): WebhookProvider {
  return {
    name,
    secret,
    verify: () => ({ ok: true }),
    async read(request, tools) {
      const body = await fieldsOfBody(request);
      if (typeof body !== 'object' || body === null) return undefined;
      return listOf(insideOf(body) ?? body).flatMap((one) => eventOf(fieldsOf(one), tools) ?? []);
    },
  };
}

/** A list in a field, or JSON in a field of a form that has others, too. */
function insideOf(body: object): unknown {
  const fields = fieldsOf(body);
  const list = fields?.events ?? fields?.data;
  if (Array.isArray(list)) return list;
  const texts = ['events', 'data', 'event', 'json', 'payload'].flatMap((name) => firstText(fields, name) ?? []);
  return texts.map(parsed).find((one) => typeof one === 'object' && one !== null);
}

interface Known {
  readonly type: FeedbackEvent['type'];
  readonly refusal?: Refusal;
}

const HARD: Known = { type: 'bounced', refusal: { says: 'hard', otherwise: 'no-such-mailbox' } };
const SOFT: Known = { type: 'bounced', refusal: { says: 'soft' } };

/** Kinds of both, in small letters, without what joins words. */
const KINDS: Readonly<Record<string, Known>> = {
  delivered: { type: 'delivered' },
  successful: { type: 'delivered' },
  success: { type: 'delivered' },
  bounced: HARD,
  bounce: HARD,
  hardbounce: HARD,
  hardbounced: HARD,
  softbounce: SOFT,
  softbounced: SOFT,
  // The address is on a list of the provider's.
  rejected: { type: 'bounced', refusal: { says: 'soft', ...OWN_LIST } },
  filtered: { type: 'bounced', refusal: { says: 'soft', ...OWN_LIST } },
  deferred: { type: 'deferred', refusal: { says: 'soft' } },
  error: { type: 'failed', refusal: { says: 'soft', otherwise: 'system' } },
  opened: { type: 'opened' },
  open: { type: 'opened' },
  clicked: { type: 'clicked' },
  click: { type: 'clicked' },
  hit: { type: 'clicked' },
  unsubscribed: { type: 'unsubscribed' },
  unsubscribe: { type: 'unsubscribed' },
  complaint: { type: 'complained' },
  complained: { type: 'complained' },
  spam: { type: 'complained' },
};
const NO_FEEDBACK = /^(?:requested|sent|accepted|queued|scheduled|formsubmit|captcha)$/;

function eventOf(item: Fields | undefined, tools: ReadTools): FeedbackEvent | undefined {
  if (item === undefined) return undefined;
  // What is told may stand in an object of its own, and what the mail was in `msg`.
  const event: Fields = { ...fieldsOf(item.msg), ...fieldsOf(item.data), ...item };
  const known = knownOf(event, tools);
  if (known === undefined) return undefined;
  const { type, refusal } = known;
  const recipient = recipientOf(event);
  const messageId = bareId(firstText(event, 'messageId', 'message-id', 'message_id', 'msgId'));
  const times = [event.date, event.timestamp, event.time, event.eventDate, event.lastStateDate, event.createdDate];
  const link = firstText(event, 'url', 'link', 'clickedUrl');
  return {
    // No field is an id of the event; what is sent again is the same.
    id: idOf(wholeOf(item)),
    type,
    at: timeOf(tools.now, ...times),
    source: 'sarbacane',
    deliveryId: ourDelivery(...ownLabels(event)),
    messageId,
    providerId: messageId,
    recipient,
    ...(refusal === undefined ? {} : meaningOf({ ...refusal, ...wordsOf(event) })),
    ...(type === 'opened' || type === 'clicked'
      ? agentOf(type, firstText(event, 'userAgent', 'user_agent', 'useragent', 'ua'))
      : {}),
    ...(type === 'clicked' ? { url: urlOf(link) } : {}),
    raw: rawOf(item),
  };
}

/** A bounce may say in a field of its own whether it is for good. */
function knownOf(event: Fields, tools: ReadTools): Known | undefined {
  const names = ['status', 'kind', 'event', 'type', 'eventType', 'action', 'name', 'lastState'].flatMap(
    (field) =>
      firstText(event, field)
        ?.toLowerCase()
        .replace(/[_\s-]/g, '') ?? [],
  );
  const name = names.find((one) => Object.hasOwn(KINDS, one)) ?? names[0] ?? '';
  const known = kindIn(KINDS, name, { quiet: NO_FEEDBACK, tools });
  if (known !== HARD || name.startsWith('hard')) return known;
  const kind =
    firstText(event, 'bounceType', 'bounce_type', 'bounce', 'subType', 'subtype', 'type', 'kind')?.toLowerCase() ?? '';
  return /soft|temporary|transient/.test(kind) ? SOFT : known;
}

function wordsOf(event: Fields): Pick<Refusal, 'text' | 'status' | 'code'> {
  return {
    text: firstText(event, 'description', 'reason', 'message', 'diagnostic', 'error', 'smtpResponse', 'response'),
    status: firstText(event, 'enhancedCode', 'statusCode', 'dsn'),
    code: numberOf(event.code ?? event.smtpCode),
  };
}

function recipientOf(event: Fields): string | undefined {
  const inside = fieldsOf(event.to) ?? fieldsOf(event.recipient) ?? fieldsOf(event.contact);
  return (
    addressOf(firstText(inside, 'address', 'email')) ??
    addressOf(firstText(event, 'email', 'recipient', 'to', 'address', 'rcpt', 'emailAddress'))
  );
}

/** X-TM-META, as an object or as JSON. */
function ownLabels(event: Fields): readonly unknown[] {
  const metas = [event.meta, event.metas, event['X-TM-META'], event.customData];
  return [...metas.flatMap(listOf).map((meta) => fieldsOf(meta)?.[DELIVERY_KEY]), event[DELIVERY_KEY]];
}
