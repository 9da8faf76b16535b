import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { fieldsOfBody } from './form.ts';
import { type GateOptions, passes } from './gate.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { timeOf } from './time.ts';
import { addressOf, bareId, type Fields, fieldsOf, firstText, listOf, textOf } from './values.ts';

interface Settings extends GateOptions {
  readonly secret: WebhookProvider['secret'];
}

/** Brevo: https://developers.brevo.com/docs/how-to-use-webhooks; several events may come at once, as a list. */
export function brevoWebhooks({ secret, ...gate }: Settings): WebhookProvider {
  return {
    name: 'brevo',
    secret,
    admit: (request) => passes(request, gate),
    verify: (request) => passes(request, gate),
    async read(request, tools) {
      const body = await fieldsOfBody(request);
      if (typeof body !== 'object' || body === null) return undefined;
      const inside = fieldsOf(body)?.events ?? fieldsOf(body)?.items;
      return listOf(Array.isArray(inside) ? inside : body).flatMap((one) => eventsOf(fieldsOf(one), tools));
    },
  };
}

interface Known {
  readonly type: FeedbackEvent['type'];
  readonly refusal?: Refusal;
  /** Loaded by a machine, such as Apple's privacy proxy. */
  readonly machine?: true;
}

/** Transactional: https://developers.brevo.com/docs/transactional-webhooks; marketing: https://developers.brevo.com/docs/marketing-webhooks. Without `_` and in small letters. */
const EVENTS: Readonly<Record<string, Known>> = {
  delivered: { type: 'delivered' },
  softbounce: { type: 'bounced', refusal: { says: 'soft' } },
  softbounced: { type: 'bounced', refusal: { says: 'soft' } },
  hardbounce: { type: 'bounced', refusal: { says: 'hard', otherwise: 'no-such-mailbox' } },
  hardbounced: { type: 'bounced', refusal: { says: 'hard', otherwise: 'no-such-mailbox' } },
  invalid: { type: 'bounced', refusal: { says: 'hard', category: 'no-such-mailbox' } },
  invalidemail: { type: 'bounced', refusal: { says: 'hard', category: 'no-such-mailbox' } },
  // Brevo has the address on a list of its own.
  blocked: { type: 'bounced', refusal: { says: 'soft', ...OWN_LIST } },
  deferred: { type: 'deferred', refusal: { says: 'soft' } },
  error: { type: 'failed', refusal: { says: 'soft', otherwise: 'system' } },
  spam: { type: 'complained' },
  complaint: { type: 'complained' },
  opened: { type: 'opened' },
  open: { type: 'opened' },
  uniqueopened: { type: 'opened' },
  firstopening: { type: 'opened' },
  proxyopen: { type: 'opened', machine: true },
  uniqueproxyopen: { type: 'opened', machine: true },
  loadedbyproxy: { type: 'opened', machine: true },
  click: { type: 'clicked' },
  clicked: { type: 'clicked' },
  unsubscribed: { type: 'unsubscribed' },
  unsubscribe: { type: 'unsubscribed' },
};
const NO_FEEDBACK = /^(?:requests?|sent|listaddition|contactupdated|contactdeleted|reply|inboundemailprocessed)$/;

/** Marketing events have one address, or a list of them. */
function eventsOf(event: Fields | undefined, tools: ReadTools): readonly FeedbackEvent[] {
  const name =
    firstText(event, 'event')
      ?.toLowerCase()
      .replace(/[_\s-]/g, '') ?? '';
  const known = kindIn(EVENTS, name, { quiet: NO_FEEDBACK, tools });
  if (event === undefined || known === undefined) return [];
  const addresses = listOf(event.email ?? event.recipient);
  return (addresses.length === 0 ? [undefined] : addresses.slice(0, 1000)).map((address) =>
    eventOf(event, known, addressOf(address), tools.now),
  );
}

function eventOf(event: Fields, known: Known, recipient: string | undefined, now: number): FeedbackEvent {
  const { type, machine } = known;
  const refusal = known.refusal && refusalOf(known.refusal, event);
  const messageId = bareId(firstText(event, 'message-id', 'messageId', 'message_id'));
  const times = [event.ts_epoch, event.ts_event, event.ts, event.date_event, event.date_sent, event.date];
  const deliveryId = ourDelivery(...ownLabels(event));
  const link = firstText(event, 'link', 'url', 'URL');
  // `id` is that of the webhook, not of the event; a first open comes as an open of its own, too.
  const what = type === 'opened' ? (machine ? 'proxy-opened' : 'opened') : firstText(event, 'event');
  return {
    id: idOf(
      what,
      recipient,
      deliveryId,
      messageId,
      firstText(event, 'camp_id', 'campaign_id'),
      link,
      times.map(textOf),
    ),
    type,
    at: timeOf(now, ...times),
    source: 'brevo',
    deliveryId,
    messageId,
    providerId: messageId,
    recipient,
    ...(refusal === undefined ? {} : meaningOf(refusal)),
    ...(type === 'opened' || type === 'clicked' ? readerOf(type, event, machine) : {}),
    ...(type === 'clicked' ? { url: urlOf(link) } : {}),
    raw: rawOf(event),
  };
}

/** What Brevo blocked since it bounced before is as hard as that. */
function refusalOf(refusal: Refusal, event: Fields): Refusal {
  const text = firstText(event, 'reason', 'error');
  const isBounced = refusal.category === OWN_LIST.category && /hard[ _-]?bounce/i.test(text ?? '');
  return { ...refusal, text, ...(isBounced ? { says: 'hard' } : {}) };
}

function readerOf(type: 'opened' | 'clicked', event: Fields, machine: true | undefined): Partial<FeedbackEvent> {
  const program = firstText(event, 'user_agent', 'userAgent');
  return agentOf(type, program, machine && { kind: 'privacy', evidence: 'brevo-proxy-open' });
}

/** `name:value|name:value`, as the route writes it, or JSON that another program wrote. */
function ownLabels(event: Fields): readonly unknown[] {
  const custom = firstText(event, 'X-Mailin-custom', 'x-mailin-custom', 'X-Mailin-Custom') ?? '';
  const label = new RegExp(`(?:^|\\|)\\s*${DELIVERY_KEY}\\s*:\\s*([\\w-]+)`).exec(custom.slice(0, 2000))?.[1];
  return [label, fieldsOf(custom)?.[DELIVERY_KEY]];
}
