import { createHmac } from 'node:crypto';
import type { AgentKind } from '../../events.ts';
import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { fieldsOfBody } from './form.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, ownRefusal, type Refusal } from './meaning.ts';
import type { HookRequest, ReadTools, WebhookProvider } from './provider.ts';
import { isSame } from './secrets.ts';
import { timeOf } from './time.ts';
import { addressOf, at, bareId, type Fields, fieldsOf, firstText, listOf, numberOf, parsed, textOf } from './values.ts';
import { isFresh } from './window.ts';

/** One event, and what the mail's sender kept with it; the token stands inside. */
const MAX_BODY_BYTES = 1_048_576;

interface Settings {
  readonly signingKeys: readonly string[];
  readonly replayWindowMs: number;
  readonly secret: WebhookProvider['secret'];
}

/** https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks */
export function mailgunWebhooks({ signingKeys, replayWindowMs, secret }: Settings): WebhookProvider {
  return {
    name: 'mailgun',
    secret,
    maxBodyBytes: MAX_BODY_BYTES,
    async verify(request, { now }) {
      const body = fieldsOf(await fieldsOfBody(request));
      const signed = fieldsOf(body?.signature) ?? body;
      const timestamp = textOf(lastOf(signed?.timestamp));
      const token = textOf(lastOf(signed?.token));
      const signature = textOf(lastOf(signed?.signature));
      if (timestamp === undefined || token === undefined || signature === undefined)
        return { ok: false, because: 'it has no timestamp, token and signature' };
      const right = signingKeys.map((key) =>
        isSame(
          signature.toLowerCase(),
          createHmac('sha256', key)
            .update(timestamp + token)
            .digest('hex'),
        ),
      );
      if (!right.includes(true))
        return { ok: false, because: 'its signature is not by the HTTP webhook signing key of the options' };
      if (!isFresh(timestamp, now, replayWindowMs))
        return { ok: false, because: 'it was signed too long ago, or one of the clocks is wrong' };
      // The body is not signed: whoever has seen one webhook could write another.
      return { ok: true, once: token };
    },
    read: async (request: HookRequest, tools) => {
      const body = fieldsOf(await fieldsOfBody(request));
      if (body === undefined) return undefined;
      const data = fieldsOf(body['event-data']);
      const event = data === undefined ? legacyEvent(body, tools) : eventOf(data, tools);
      return event === undefined ? [] : [event];
    },
  };
}

/** Forms hand on the variables of a mail as fields of their own; where one has the name of a signed field, that comes last. */
function lastOf(value: unknown): unknown {
  return Array.isArray(value) ? value.at(-1) : value;
}

/** https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads */
function eventOf(data: Fields, tools: ReadTools): FeedbackEvent | undefined {
  const name = textOf(data.event)?.toLowerCase();
  const type = typeOf(name, textOf(data.severity)?.toLowerCase(), tools);
  if (type === undefined) return undefined;
  const own = textOf(data.id);
  const headers = fieldsOf(at(data, 'message', 'headers'));
  const messageId = bareId(headers?.['message-id'] ?? headers?.['Message-Id']);
  // What was rejected names no recipient of its own.
  const recipient = addressOf(data.recipient) ?? addressOf(at(data, 'envelope', 'targets')) ?? addressOf(headers?.to);
  return {
    // An id of Mailgun's is unique within a day.
    id: idOf(own ?? [name, recipient, messageId, data.url], data.timestamp),
    type,
    at: timeOf(tools.now, data.timestamp),
    source: 'mailgun',
    deliveryId: ourDelivery(at(data, 'user-variables', DELIVERY_KEY)),
    messageId,
    recipient,
    ...detailOf(type, data),
    raw: rawOf(data),
  };
}

const TYPES: Readonly<Record<string, FeedbackEvent['type']>> = {
  delivered: 'delivered',
  rejected: 'failed',
  opened: 'opened',
  clicked: 'clicked',
  complained: 'complained',
  unsubscribed: 'unsubscribed',
  bounced: 'bounced',
  dropped: 'bounced',
  permanent_fail: 'bounced',
  temporary_fail: 'deferred',
};

const NO_FEEDBACK = /^(?:accepted|stored|list_member_uploaded|list_member_upload_error|list_uploaded)$/;

function typeOf(
  name: string | undefined,
  severity: string | undefined,
  tools: ReadTools,
): FeedbackEvent['type'] | undefined {
  if (name === 'failed') return severity === 'temporary' ? 'deferred' : 'bounced';
  return kindIn(TYPES, name ?? '', { quiet: NO_FEEDBACK, tools });
}

function detailOf(type: FeedbackEvent['type'], data: Fields): Partial<FeedbackEvent> {
  const client = data['client-info'];
  if (type === 'opened' || type === 'clicked') {
    const url = type === 'clicked' ? { url: urlOf(data.url) } : {};
    return { ...url, ...agentOf(type, at(client, 'user-agent'), machineOf(client)) };
  }
  if (type === 'failed') {
    const why = textOf(at(data, 'reject', 'description')) ?? textOf(at(data, 'reject', 'reason'));
    return meaningOf(ownRefusal(why ?? 'rejected by Mailgun'));
  }
  if (type !== 'bounced' && type !== 'deferred') return {};
  const mx = textOf(at(data, 'delivery-status', 'mx-host'));
  return { ...meaningOf(refusalOf(type, data)), ...(mx === undefined ? {} : { reportingMta: mx.slice(0, 255) }) };
}

const REASONS: Readonly<Record<string, Partial<Refusal>>> = {
  espblock: { rather: 'blocked-ip' },
  blacklisted: { rather: 'blocked-ip' },
  greylisted: { category: 'greylisted' },
  old: { category: 'expired' },
  hardfail: { otherwise: 'no-such-mailbox' },
  bounce: { otherwise: 'no-such-mailbox' },
  'no-mx': { otherwise: 'no-such-domain' },
};

/** Codes of Mailgun's own, from 600 on, stand for what it did not try to send. */
function refusalOf(type: 'bounced' | 'deferred', data: Fields): Refusal {
  const status = data['delivery-status'];
  const reason = textOf(data.reason)?.toLowerCase() ?? '';
  const texts = ['message', 'description', 'bounce-code'].map((name) => textOf(at(status, name)) ?? textOf(data[name]));
  const text = texts.filter((one, index) => one !== undefined && texts.indexOf(one) === index).join(' ') || undefined;
  const code = numberOf(at(status, 'code')) ?? numberOf(data.code);
  const isSoft = type === 'deferred' || textOf(at(status, 'bounce-type'))?.toLowerCase() === 'soft';
  const says = isSoft ? 'soft' : 'hard';
  const said = { text: text ?? (reason === '' ? undefined : reason), code, says } as const;
  if (/^suppress-/.test(reason) || code === 605 || code === 606 || code === 607)
    return { ...said, ...OWN_LIST, says: reason === 'suppress-bounce' || code === 605 ? 'hard' : 'soft' };
  // Forms may have the enhanced code in place of the reply code.
  const enhanced = textOf(at(status, 'enhanced-code')) ?? textOf(data.code);
  return { ...said, status: enhanced, ...(Object.hasOwn(REASONS, reason) ? REASONS[reason] : {}) };
}

/** `client-info.bot` names the machine that opened: https://documentation.mailgun.com/docs/mailgun/user-manual/tracking-messages/track-opens */
function machineOf(client: unknown): { kind: AgentKind; evidence: string } | undefined {
  const bot = textOf(at(client, 'bot'))?.toLowerCase();
  if (bot !== undefined && bot !== 'unknown')
    return {
      kind: bot === 'apple' ? 'privacy' : bot === 'gmail' || bot === 'yahoo' ? 'proxy' : 'bot',
      evidence: 'mailgun-bot',
    };
  const kind = textOf(at(client, 'client-type'))?.toLowerCase();
  return kind === 'robot' ? { kind: 'bot', evidence: 'mailgun-robot' } : undefined;
}

/** A header of the mail, out of JSON of pairs. */
function headerIn(headers: unknown, name: string): unknown {
  const pairs = listOf(parsed(textOf(headers) ?? ''));
  return pairs.flatMap((pair) => (textOf(listOf(pair)[0])?.toLowerCase() === name ? [listOf(pair)[1]] : []))[0];
}

/** Webhooks of before 2018, which are forms with all in one level. */
function legacyEvent(body: Fields, tools: ReadTools): FeedbackEvent | undefined {
  const name = textOf(body.event)?.toLowerCase();
  const type = typeOf(name, textOf(body.severity)?.toLowerCase(), tools);
  if (type === undefined) return undefined;
  const messageId = bareId(
    firstText(body, 'Message-Id', 'message-id') ?? headerIn(body['message-headers'], 'message-id'),
  );
  const recipient = addressOf(body.recipient);
  const bounce = {
    reason: body.reason,
    code: body.code,
    message: firstText(body, 'error', 'description', 'notification'),
  };
  const client = { 'user-agent': body['user-agent'], 'client-type': body['client-type'] };
  return {
    id: idOf(name, recipient, messageId, lastOf(body.token)),
    type,
    at: timeOf(tools.now, lastOf(body.timestamp)),
    source: 'mailgun',
    deliveryId: ourDelivery(body[DELIVERY_KEY], fieldsOf(body['X-Mailgun-Variables'])?.[DELIVERY_KEY]),
    messageId,
    recipient,
    ...detailOf(type, { ...bounce, url: body.url, 'client-info': client }),
    raw: rawOf({ ...body, signature: undefined, token: undefined }),
  };
}
