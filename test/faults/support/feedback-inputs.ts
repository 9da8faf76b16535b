/** What comes back about mails, as it comes: the bytes of webhooks and of mails, and what readers do. */
import { encodeId } from '../../../packages/core/src/message.ts';
import type { Tokens } from '../../../packages/core/src/token.ts';

/** The header and the argument that carry the id of a delivery. */
const KEY = 'mail_relay_delivery';

/** A mail that somebody got. */
export interface Mail {
  readonly id: number;
  readonly recipient: string;
}

/** One thing that comes, which may come again. */
export type Input =
  | { readonly kind: 'webhook'; readonly provider: string; readonly body: string }
  | { readonly kind: 'mail'; readonly raw: string }
  | { readonly kind: 'read'; readonly type: 'opened' | 'clicked'; readonly mail: Mail; readonly at: number }
  | { readonly kind: 'left'; readonly mail: Mail; readonly at: number };

/** Told by numbers that are the same for the same seed. */
export interface Chance {
  /** A whole number from 0, below another. */
  below(limit: number): number;
}

type Verdict = 'delivered' | 'deferred' | 'hard' | 'soft' | 'blocked' | 'complained' | 'opened' | 'clicked' | 'left';

const RARE: readonly Verdict[] = ['hard', 'soft', 'soft', 'blocked', 'complained', 'left'];
const USUAL: readonly Verdict[] = ['delivered', 'deferred', 'opened', 'clicked'];
const WORDS: Readonly<Partial<Record<Verdict, string>>> = {
  deferred: '451 4.7.1 greylisted, try again later',
  hard: '550 5.1.1 User unknown',
  soft: '552 5.2.2 Mailbox full',
  blocked: '550 5.7.1 blocked using zen.spamhaus.org',
};

/** One of all kinds. Few bounce or complain: most verdicts would be theirs. */
export function inputFor(mail: Mail, number: number, at: number, chance: Chance, tokens: Tokens): Input {
  const verdict = chance.below(100) < 6 ? RARE[chance.below(RARE.length)] : USUAL[chance.below(USUAL.length)];
  const said = { mail, number, at, verdict: verdict as Verdict, words: WORDS[verdict as Verdict] ?? '' };
  if (said.verdict === 'left' && chance.below(2) === 0) return { kind: 'left', mail, at };
  const type = said.verdict;
  if ((type === 'opened' || type === 'clicked') && chance.below(2) === 0) return { kind: 'read', type, mail, at };
  if (['deferred', 'hard', 'soft', 'blocked'].includes(type) && chance.below(3) === 0)
    return { kind: 'mail', raw: report(said, tokens) };
  if (type === 'complained' && chance.below(2) === 0) return { kind: 'mail', raw: complaint(said, tokens) };
  const names = Object.keys(HOOKS);
  const provider = names[chance.below(names.length)] as string;
  const body = HOOKS[provider]?.(said);
  return { kind: 'webhook', provider, body: JSON.stringify(body) };
}

interface Told {
  readonly mail: Mail;
  readonly number: number;
  readonly at: number;
  readonly verdict: Verdict;
  readonly words: string;
}

const pick = <T>(verdict: Verdict, names: Readonly<Record<Verdict, T>>): T => names[verdict];
const seconds = ({ at }: Told): number => Math.floor(at / 1000);
const iso = ({ at }: Told): string => new Date(at).toISOString();
const ours = ({ mail }: Told): Record<string, string> => ({ [KEY]: encodeId('dlv', mail.id) });

function ses(told: Told): object {
  const { mail, verdict, words, number } = told;
  const what = { timestamp: iso(told), feedbackId: `f${number}`, ipAddress: `192.0.2.${number % 250}` };
  const one = { emailAddress: mail.recipient, diagnosticCode: `smtp; ${words}` };
  const bounce = (bounceType: string): object => ({
    eventType: 'Bounce',
    bounce: { ...what, bounceType, bounceSubType: 'General', bouncedRecipients: [one] },
  });
  const event = pick<object>(verdict, {
    delivered: { eventType: 'Delivery', delivery: { ...what, recipients: [mail.recipient] } },
    deferred: {
      eventType: 'DeliveryDelay',
      deliveryDelay: { ...what, delayType: 'General', delayedRecipients: [one] },
    },
    hard: bounce('Permanent'),
    soft: bounce('Transient'),
    blocked: bounce('Permanent'),
    complained: { eventType: 'Complaint', complaint: { ...what, complainedRecipients: [one] } },
    opened: { eventType: 'Open', open: { ...what, userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } },
    clicked: {
      eventType: 'Click',
      click: { ...what, link: `https://shop.example/${number % 5}`, userAgent: 'curl/8' },
    },
    left: { eventType: 'Subscription', subscription: { ...what, newTopicPreferences: { unsubscribeAll: true } } },
  });
  const tags = { [KEY]: [encodeId('dlv', mail.id)] };
  return { ...event, mail: { messageId: `ses-${number}`, destination: [mail.recipient], tags } };
}

function sendgrid(told: Told): object {
  const { mail, verdict, words, number } = told;
  const bounce = (type: string): object => ({ event: 'bounce', type, reason: words });
  const event = pick<object>(verdict, {
    delivered: { event: 'delivered' },
    deferred: { event: 'deferred', response: words },
    hard: bounce('bounce'),
    soft: bounce('bounce'),
    blocked: bounce('blocked'),
    complained: { event: 'spamreport' },
    opened: { event: 'open', sg_machine_open: number % 3 === 0, useragent: 'Mozilla/5.0' },
    clicked: {
      event: 'click',
      url: `https://shop.example/${number % 5}`,
      useragent: 'Mozilla/5.0 (X11) Firefox/140.0',
    },
    left: { event: 'unsubscribe' },
  });
  return { ...event, email: mail.recipient, timestamp: seconds(told), sg_event_id: `sg${number}`, ...ours(told) };
}

function mailgun(told: Told): object {
  const { mail, verdict, words, number } = told;
  const failed = (severity: string): object => ({ event: 'failed', severity, 'delivery-status': { message: words } });
  const client = {
    'client-info': { bot: number % 3 === 0 ? 'apple' : '', 'user-agent': 'Mozilla/5.0 (X11) Firefox/1' },
  };
  const event = pick<object>(verdict, {
    delivered: { event: 'delivered' },
    deferred: failed('temporary'),
    hard: failed('permanent'),
    soft: failed('permanent'),
    blocked: failed('permanent'),
    complained: { event: 'complained' },
    opened: { event: 'opened', ...client },
    clicked: { event: 'clicked', url: `https://shop.example/${number % 5}`, ...client },
    left: { event: 'unsubscribed' },
  });
  const about = { id: `mg${number}`, timestamp: told.at / 1000, recipient: mail.recipient };
  return { 'event-data': { ...event, ...about, 'user-variables': ours(told) } };
}

function brevo(told: Told): object {
  const { mail, verdict, words, number } = told;
  const event = pick(verdict, {
    delivered: 'delivered',
    deferred: 'deferred',
    hard: 'hard_bounce',
    soft: 'soft_bounce',
    blocked: 'soft_bounce',
    complained: 'spam',
    opened: number % 3 === 0 ? 'proxy_open' : 'opened',
    clicked: 'click',
    left: 'unsubscribed',
  });
  const link = verdict === 'clicked' ? { link: `https://shop.example/${number % 5}` } : {};
  const custom = `${KEY}:${encodeId('dlv', mail.id)}`;
  return { event, email: mail.recipient, ts_epoch: told.at, reason: words, ...link, 'X-Mailin-custom': custom };
}

function sarbacane(told: Told): object {
  const { mail, verdict, words, number } = told;
  const status = pick(verdict, {
    delivered: 'delivered',
    deferred: 'deferred',
    hard: 'hardbounce',
    soft: 'softbounce',
    blocked: 'softbounce',
    complained: 'complaint',
    opened: 'opened',
    clicked: 'clicked',
    left: 'unsubscribed',
  });
  const link = verdict === 'clicked' ? { url: `https://shop.example/${number % 5}` } : {};
  return { status, email: mail.recipient, date: told.at, description: words, meta: ours(told), number, ...link };
}

function postmark(told: Told): object {
  const { mail, verdict, words, number } = told;
  const bounce = (Type: string): object => ({
    RecordType: 'Bounce',
    ID: number,
    Type,
    Email: mail.recipient,
    Details: words,
    BouncedAt: iso(told),
  });
  const about = { Recipient: mail.recipient, ReceivedAt: iso(told), UserAgent: 'Mozilla/5.0 (X11) Firefox/140.0' };
  const event = pick<object>(verdict, {
    delivered: { RecordType: 'Delivery', Recipient: mail.recipient, DeliveredAt: iso(told) },
    deferred: bounce('Transient'),
    hard: bounce('HardBounce'),
    soft: bounce('SoftBounce'),
    blocked: bounce('Blocked'),
    complained: { RecordType: 'SpamComplaint', ID: number, Email: mail.recipient, BouncedAt: iso(told) },
    opened: { RecordType: 'Open', ...about },
    clicked: { RecordType: 'Click', OriginalLink: `https://shop.example/${number % 5}`, ...about },
    left: {
      RecordType: 'SubscriptionChange',
      Recipient: mail.recipient,
      ChangedAt: iso(told),
      SuppressSending: true,
      SuppressionReason: 'ManualSuppression',
    },
  });
  return { ...event, MessageID: `pm-${number}`, Metadata: ours(told) };
}

const HOOKS: Readonly<Record<string, (told: Told) => object>> = { ses, sendgrid, mailgun, brevo, sarbacane, postmark };

/** A delivery status report (RFC 3464) to the bounce address of the mail. */
function report({ mail, number, at, verdict, words }: Told, tokens: Tokens): string {
  return [
    'From: MAILER-DAEMON@mx.example.net',
    `To: bounce+${tokens.bounce(mail.id)}@bounces.example.com`,
    `Message-ID: <r${number}@mx.example.net>`,
    `Date: ${new Date(at).toUTCString()}`,
    'Subject: Delivery report',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=x',
    '',
    '--x',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    `Final-Recipient: rfc822; ${mail.recipient}`,
    `Action: ${verdict === 'deferred' ? 'delayed' : 'failed'}`,
    `Status: ${/\d\.\d\.\d/.exec(words)?.[0]}`,
    `Diagnostic-Code: smtp; ${words}`,
    '--x--',
    '',
  ].join('\r\n');
}

/** A complaint (RFC 5965) that has come to the bounce address. */
function complaint({ mail, number, at }: Told, tokens: Tokens): string {
  return [
    'From: fbl@isp.example',
    `To: bounce+${tokens.bounce(mail.id)}@bounces.example.com`,
    `Message-ID: <c${number}@isp.example>`,
    `Date: ${new Date(at).toUTCString()}`,
    'Subject: Complaint',
    'Content-Type: multipart/report; report-type=feedback-report; boundary=x',
    '',
    '--x',
    'Content-Type: message/feedback-report',
    '',
    'Feedback-Type: abuse',
    'User-Agent: ISP/1',
    'Version: 1',
    '--x--',
    '',
  ].join('\r\n');
}
