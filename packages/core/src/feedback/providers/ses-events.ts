import type { ReasonClass } from '../../events.ts';
import type { FeedbackEvent } from '../event.ts';
import { agentOf, DELIVERY_KEY, idOf, ourDelivery, rawOf, urlOf } from './about.ts';
import { complaintOf } from './complaints.ts';
import { kindIn } from './kinds.ts';
import { meaningOf, OWN_LIST, type Refusal } from './meaning.ts';
import type { ReadTools } from './provider.ts';
import { timeOf } from './time.ts';
import { addressOf, at, bareId, type Fields, fieldsOf, firstText, listOf, textOf } from './values.ts';

/** What SES says, by recipient: identity feedback (`notificationType`) and event publishing (`eventType`). */
export function sesEvents(body: Fields, tools: ReadTools): readonly FeedbackEvent[] {
  // Amazon EventBridge wraps what it hands on.
  const said = body['detail-type'] === undefined ? body : (fieldsOf(body.detail) ?? body);
  const type = firstText(said, 'eventType', 'notificationType')?.toLowerCase().replace(/\s/g, '') ?? '';
  const reader = kindIn(READERS, type, { quiet: NO_FEEDBACK, tools });
  if (reader === undefined) return [];
  const mail = fieldsOf(said.mail) ?? {};
  const about = fieldsOf(said[reader.field]) ?? {};
  const events = reader.read(about, mail).slice(0, MOST_RECIPIENTS);
  return events.map(({ recipient, ...event }) => ({
    id: idOf(type, textOf(mail.messageId), recipient, ...reader.id(about)),
    at: timeOf(tools.now, about.timestamp, mail.timestamp),
    source: 'ses',
    ...mailOf(mail),
    recipient,
    ...event,
    raw: rawOf({ ...said, mail: { ...mail, headers: undefined } }),
  }));
}

/** Mail that left or came in, and a topic that was tried out. */
const NO_FEEDBACK = /^(?:send|received|amazonsnssubscriptionsucceeded)$/;
/** SES takes 50 recipients of a mail. */
const MOST_RECIPIENTS = 100;

type Said = Pick<FeedbackEvent, 'type'> & Partial<FeedbackEvent>;

interface Reader {
  readonly field: string;
  /** What tells it apart from others of its kind about the same mail. */
  id(about: Fields): readonly unknown[];
  read(about: Fields, mail: Fields): readonly Said[];
}

/** https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html; `Send` and `Subscription` say nothing new of a delivery but an unsubscribe. */
const READERS: Readonly<Record<string, Reader>> = {
  bounce: { field: 'bounce', id: ({ feedbackId }) => [textOf(feedbackId)], read: bounces },
  complaint: { field: 'complaint', id: ({ feedbackId }) => [textOf(feedbackId)], read: complaints },
  delivery: {
    field: 'delivery',
    id: () => [],
    read: (about, mail) => each(about.recipients, mail, { type: 'delivered' }),
  },
  deliverydelay: { field: 'deliveryDelay', id: ({ timestamp }) => [textOf(timestamp)], read: delays },
  reject: {
    field: 'reject',
    id: () => [],
    read: ({ reason }, mail) =>
      each(undefined, mail, {
        type: 'failed',
        ...meaningOf({ text: textOf(reason) ?? 'rejected', says: 'soft', category: 'content-rejected' }),
      }),
  },
  renderingfailure: {
    field: 'failure',
    id: () => [],
    read: ({ errorMessage }, mail) =>
      each(undefined, mail, {
        type: 'failed',
        ...meaningOf({ text: textOf(errorMessage), says: 'soft', category: 'content-rejected' }),
      }),
  },
  open: {
    field: 'open',
    id: ({ timestamp, ipAddress }) => [textOf(timestamp), textOf(ipAddress)],
    read: ({ userAgent }, mail) => each(undefined, mail, { type: 'opened', ...agentOf('opened', userAgent) }),
  },
  click: {
    field: 'click',
    id: ({ timestamp, link, ipAddress }) => [textOf(timestamp), textOf(link), textOf(ipAddress)],
    read: ({ userAgent, link }, mail) =>
      each(undefined, mail, { type: 'clicked', url: urlOf(link), ...agentOf('clicked', userAgent) }),
  },
  subscription: {
    field: 'subscription',
    id: ({ timestamp }) => [textOf(timestamp)],
    read: (about, mail) => (hasLeft(about) ? each(undefined, mail, { type: 'unsubscribed' }) : []),
  },
};

/** Whether somebody left all, or a topic that they had. */
function hasLeft(about: Fields): boolean {
  if (at(about, 'newTopicPreferences', 'unsubscribeAll') === true) return true;
  const left = (preferences: string): string[] =>
    listOf(at(about, preferences, 'topicSubscriptionStatus')).flatMap((one) =>
      firstText(one, 'subscriptionStatus')?.toLowerCase() === 'optout' ? [firstText(one, 'topicName') ?? ''] : [],
    );
  const before = left('oldTopicPreferences');
  return left('newTopicPreferences').some((topic) => !before.includes(topic));
}

/** One event for each recipient that the event names, else for each of the mail. */
function each(recipients: unknown, mail: Fields, said: Said): readonly Said[] {
  const named = listOf(recipients).length > 0 ? listOf(recipients) : listOf(mail.destination);
  const addresses = named.map((one) => addressOf(fieldsOf(one)?.emailAddress ?? one));
  return (addresses.length === 0 ? [undefined] : addresses).map((recipient) => ({ ...said, recipient }));
}

/** https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types */
const SUB_TYPES: Readonly<Record<string, Partial<Refusal>>> = {
  noemail: { category: 'no-such-mailbox' },
  suppressed: OWN_LIST,
  onaccountsuppressionlist: OWN_LIST,
  unsubscribedrecipient: OWN_LIST,
  mailboxfull: { category: 'mailbox-full' },
  messagetoolarge: { category: 'message-too-big' },
  contentrejected: { otherwise: 'content-rejected' },
  attachmentrejected: { category: 'content-rejected' },
  customtimeoutexceeded: { category: 'expired' },
};

function bounces(bounce: Fields, mail: Fields): readonly Said[] {
  const says = textOf(bounce.bounceType)?.toLowerCase() === 'permanent' ? 'hard' : 'soft';
  const subType = textOf(bounce.bounceSubType)?.toLowerCase() ?? '';
  const known = Object.hasOwn(SUB_TYPES, subType) ? SUB_TYPES[subType] : undefined;
  const reportingMta = textOf(bounce.reportingMTA)
    ?.replace(/^dns\s*;\s*|^dsn\s*;\s*/i, '')
    .slice(0, 255);
  const listed = listOf(bounce.bouncedRecipients);
  const recipients = listed.length > 0 ? listed : listOf(mail.destination).map((emailAddress) => ({ emailAddress }));
  return (recipients.length > 0 ? recipients : [{}]).map((one) => {
    const text = firstText(one, 'diagnosticCode', 'status');
    const refusal = { text, status: firstText(one, 'status'), says, ...known } as const;
    return {
      type: 'bounced',
      recipient: addressOf(at(one, 'emailAddress') ?? one),
      ...meaningOf(refusal),
      reportingMta,
    };
  });
}

/** A reader may also say that a mail is no spam, or a server that a mail is not by its sender. */
function complaints(complaint: Fields, mail: Fields): readonly Said[] {
  const kind = textOf(complaint.complaintFeedbackType)?.toLowerCase();
  const type = complaintOf(kind);
  if (type === undefined) return [];
  // SES itself did not send it, since the recipient has complained before.
  if (textOf(complaint.complaintSubType)?.toLowerCase() === 'onaccountsuppressionlist')
    return each(complaint.complainedRecipients, mail, {
      type: 'bounced',
      ...meaningOf({ text: 'on the suppression list of the account after a complaint', says: 'soft', ...OWN_LIST }),
    });
  const userAgent = textOf(complaint.userAgent)?.slice(0, 200);
  const diagnostic = [kind ?? 'complaint', userAgent].filter((one) => one !== undefined).join(', ');
  return each(complaint.complainedRecipients, mail, { type, diagnostic });
}

/** https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-delivery-delay-object */
const DELAYS: Readonly<Record<string, ReasonClass>> = {
  mailboxfull: 'mailbox-full',
  spamdetected: 'spam-rejected',
  recipientservererror: 'system',
  ipfailure: 'blocked-ip',
  transientcommunicationfailure: 'network',
  byoiphostnamelookupunavailable: 'dns',
  sendingdeferral: 'rate-limited',
  internalfailure: 'system',
};

function delays(delay: Fields, mail: Fields): readonly Said[] {
  const delayType = textOf(delay.delayType)?.toLowerCase() ?? '';
  const known = Object.hasOwn(DELAYS, delayType) ? DELAYS[delayType] : undefined;
  const reportingMta = textOf(delay.reportingMTA)?.slice(0, 255);
  const listed = listOf(delay.delayedRecipients);
  return (listed.length > 0 ? listed : listOf(mail.destination)).map((one) => {
    const refusal = { text: firstText(one, 'diagnosticCode'), status: firstText(one, 'status'), says: 'soft' } as const;
    const meaning = meaningOf({ ...refusal, ...(known === undefined ? {} : { category: known }) });
    return { type: 'deferred', recipient: addressOf(at(one, 'emailAddress') ?? one), ...meaning, reportingMta };
  });
}

/** What the mail is known by: tags and headers that the route wrote, its Message-ID, the id of SES. */
function mailOf(mail: Fields): Partial<FeedbackEvent> {
  const header = (name: string): string | undefined =>
    textOf(
      at(
        listOf(mail.headers).find((one) => firstText(one, 'name')?.toLowerCase() === name),
        'value',
      ),
    );
  const labels = header('x-ses-message-tags') ?? '';
  const label = new RegExp(`(?:^|[,\\s])${DELIVERY_KEY}\\s*=\\s*([\\w-]+)`).exec(labels)?.[1];
  return {
    deliveryId: ourDelivery(at(mail, 'tags', DELIVERY_KEY), label),
    messageId: bareId(header('message-id') ?? at(mail, 'commonHeaders', 'messageId')),
    providerId: textOf(mail.messageId),
  };
}
