import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, ownRefusal, type Refusal } from './meaning.ts';
import type { ReadTools, WebhookProvider } from './provider.ts';
import { verifyStandard } from './standard-webhooks.ts';
import { timeOf } from './time.ts';
import { addressOf, at, bareId, type Fields, fieldsOf, firstText, listOf, parsed, textOf } from './values.ts';

interface Settings {
  readonly keys: readonly Uint8Array[];
  readonly replayWindowMs: number;
  readonly secret: WebhookProvider['secret'];
}

/** Resend, which signs with Svix: https://resend.com/docs/dashboard/webhooks/verify-webhooks-requests */
export function resendWebhooks({ keys, replayWindowMs, secret }: Settings): WebhookProvider {
  return {
    name: 'resend',
    secret,
    verify: (request, { now }) => verifyStandard(request, { keys, now, windowMs: replayWindowMs }),
    read(request, tools) {
      const body = fieldsOf(parsed(request.body));
      const hook = request.header('svix-id') ?? request.header('webhook-id');
      return body && eventsOf(body, hook, tools);
    },
  };
}

const TYPES: Readonly<Record<string, FeedbackEvent['type']>> = {
  'email.delivered': 'delivered',
  'email.delivery_delayed': 'deferred',
  'email.bounced': 'bounced',
  'email.suppressed': 'bounced',
  'email.complained': 'complained',
  'email.opened': 'opened',
  'email.clicked': 'clicked',
  'email.failed': 'failed',
};
const NO_FEEDBACK = /^(?:email\.(?:sent|scheduled|received)|(?:contact|domain)\.\w+)$/;

/** https://resend.com/docs/dashboard/webhooks/event-types: an event for each recipient. */
function eventsOf(body: Fields, hook: string | undefined, tools: ReadTools): readonly FeedbackEvent[] {
  const name = textOf(body.type)?.toLowerCase() ?? '';
  const type = kindIn(TYPES, name, { quiet: NO_FEEDBACK, tools });
  if (type === undefined) return [];
  const data = fieldsOf(body.data) ?? {};
  const to = listOf(data.to);
  const header = listOf(data.headers).find((one) => firstText(one, 'name')?.toLowerCase() === 'message-id');
  const times = [at(data, 'click', 'timestamp'), body.created_at, data.created_at];
  return (to.length === 0 ? [undefined] : to.slice(0, 100)).map((one) => {
    const recipient = addressOf(one);
    return {
      id: idOf(hook ?? [name, textOf(data.email_id), times.map(textOf)], recipient),
      type,
      at: timeOf(tools.now, ...times),
      source: 'resend',
      deliveryId: ourDelivery(at(data, 'tags', DELIVERY_KEY), tagIn(data.tags)),
      messageId: bareId(at(header, 'value') ?? data.message_id),
      providerId: textOf(data.email_id),
      recipient,
      ...detailOf(type, name, data),
      raw: rawOf(body),
    };
  });
}

/** Tags come as an object, and came as a list. */
function tagIn(tags: unknown): unknown {
  return at(
    listOf(tags).find((one) => firstText(one, 'name') === DELIVERY_KEY),
    'value',
  );
}

function detailOf(type: FeedbackEvent['type'], name: string, data: Fields): Partial<FeedbackEvent> {
  if (type === 'clicked')
    return { url: urlOf(at(data, 'click', 'link')), ...agentOf(type, at(data, 'click', 'userAgent')) };
  if (type === 'opened') return agentOf(type, at(data, 'open', 'userAgent'));
  if (type === 'failed') return meaningOf(ownRefusal(textOf(at(data, 'failed', 'reason'))));
  if (type === 'deferred')
    return meaningOf({ says: 'soft', text: firstText(data.delayed ?? data, 'message', 'reason') });
  return type === 'bounced' ? meaningOf(bounce(name, data)) : {};
}

/** Types and sub-types are those of Amazon SES. */
function bounce(name: string, data: Fields): Refusal {
  const about = data.bounce ?? data.suppressed;
  // The message is Resend's own, and of the type; what the server said stands beside it.
  const message = firstText(about, 'message');
  const text = firstText(about, 'diagnosticCode') ?? message;
  const type = firstText(about, 'type')?.toLowerCase();
  const subType = firstText(about, 'subType', 'sub_type')?.toLowerCase() ?? '';
  const isBounced = name === 'email.suppressed' && /bounc/i.test(message ?? '');
  const says = isBounced || type === undefined || type === 'permanent' ? 'hard' : 'soft';
  if (name === 'email.suppressed' || /suppress/.test(subType) || (subType === '' && /suppress/i.test(message ?? '')))
    return { text, says, ...OWN_LIST };
  if (subType === 'noemail') return { text, says, category: 'no-such-mailbox' };
  if (subType === 'mailboxfull') return { text, says, category: 'mailbox-full' };
  if (subType === 'messagetoolarge') return { text, says, category: 'message-too-big' };
  if (/^(?:content|attachment)rejected$/.test(subType)) return { text, says, otherwise: 'content-rejected' };
  return { text, says };
}
