import type { FeedbackEvent } from '../event.ts';
import type { HookRequest, HookTools, HookVerdict, WebhookProvider } from './provider.ts';
import { sesEvents } from './ses-events.ts';
import { createSnsCertificates, envelopeOf, type SnsCertificates, snsUrl } from './sns.ts';
import { type Fields, fieldsOf, parsed, textOf } from './values.ts';

/** A message of SNS has at most 256 KB; in the JSON around it, all that is escaped is longer. */
const MAX_BODY_BYTES = 1_048_576;

interface Settings {
  /** ARNs of the topics that may speak. */
  readonly topics: readonly string[];
  readonly replayWindowMs: number;
  readonly secret: WebhookProvider['secret'];
}

/** Amazon SES through SNS: https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html */
export function sesWebhooks(settings: Settings): WebhookProvider {
  const certificates = createSnsCertificates();
  return {
    name: 'ses',
    secret: settings.secret,
    maxBodyBytes: MAX_BODY_BYTES,
    verify: (request, tools) => verdictOn(request, tools, settings, certificates),
    async confirm(request, tools) {
      const envelope = envelopeOf(parsed(request.body));
      if (textOf(envelope?.Type) !== 'SubscriptionConfirmation') return;
      const url = snsUrl(envelope?.SubscribeURL);
      if (url !== undefined) await tools.get(url.href);
    },
    read(request, tools): readonly FeedbackEvent[] | undefined {
      const body = fieldsOf(parsed(request.body));
      if (body === undefined) return undefined;
      const envelope = envelopeOf(body);
      if (envelope === undefined) return sesEvents(body, tools);
      if (textOf(envelope.Type) !== 'Notification') return [];
      // A test of the topic says something in words.
      const said = fieldsOf(envelope.Message);
      return said === undefined ? [] : sesEvents(said, tools);
    },
  };
}

async function verdictOn(
  request: HookRequest,
  tools: HookTools,
  { topics, replayWindowMs, secret }: Settings,
  certificates: SnsCertificates,
): Promise<HookVerdict> {
  const envelope = envelopeOf(parsed(request.body));
  // The header is of raw messages: no signature holds it.
  const topic = envelope === undefined ? request.header('x-amz-sns-topic-arn') : envelope.TopicArn;
  if (typeof topic !== 'string' || !topics.includes(topic))
    return { ok: false, because: 'its topic is none of those in the options' };
  if (envelope === undefined) {
    if (secret !== undefined && request.header('x-amz-sns-rawdelivery') === 'true') return { ok: true };
    return {
      ok: false,
      because: 'raw message delivery is not signed: switch it off for the subscription, or give `webhooks.ses.secret`',
    };
  }
  if (!isAcceptable(envelope))
    return { ok: false, because: 'the URL that it wants to be confirmed is not one of Amazon' };
  if (!(await certificates.isSigned(envelope, tools)))
    return { ok: false, because: 'its signature is not by Amazon SNS' };
  const signedAt = Date.parse(textOf(envelope.Timestamp) ?? '');
  if (!(Math.abs(tools.now - signedAt) <= replayWindowMs))
    return { ok: false, because: 'it was signed too long ago, or one of the clocks is wrong' };
  return { ok: true };
}

function isAcceptable(envelope: Fields): boolean {
  return textOf(envelope.Type) !== 'SubscriptionConfirmation' || snsUrl(envelope.SubscribeURL) !== undefined;
}
