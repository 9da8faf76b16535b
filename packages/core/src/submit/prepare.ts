import { type AddressInput, type Mailbox, parseMailboxes } from '../address.ts';
import { MailRelayError } from '../errors.ts';
import type {
  Content,
  Json,
  RecipientKind,
  ResolvedTracking,
  Stream,
  SubmittedRecipient,
  TrackingOptions,
} from '../message.ts';
import type { ResolvedOptions } from '../options.ts';
import type { AnyTemplate } from '../template.ts';
import { type Spool, spoolAlternatives, spoolAttachments } from './attachments.ts';
import { headerText, listHeaders, messageIds, readHeaders } from './headers.ts';
import { type AddressList, type MessageFields, type SendMessage, UNSUPPORTED } from './input.ts';
import { jsonOf } from './json.ts';
import { sendAtOf } from './send-at.ts';

/** Fields of a message after checking, all but the recipients. */
export interface PreparedFields {
  readonly content: Content;
  readonly campaign: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, Json>> | undefined;
  readonly sendAt: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly route: string | undefined;
}

const FIELDS: ReadonlySet<string> = new Set([
  'from',
  'sender',
  'replyTo',
  'subject',
  'text',
  'html',
  'attachments',
  'headers',
  'inReplyTo',
  'references',
  'icalEvent',
  'alternatives',
  'list',
  'priority',
  'messageId',
  'date',
  'envelope',
  'template',
  'data',
  'locale',
  'stream',
  'campaign',
  'tags',
  'metadata',
  'sendAt',
  'idempotencyKey',
  'tracking',
  'topic',
  'route',
]);
const RECIPIENT_FIELDS = ['to', 'cc', 'bcc'] as const satisfies readonly RecipientKind[];

/** What preparing needs to know. */
export interface PrepareContext {
  readonly options: Pick<ResolvedOptions, 'from' | 'tracking' | 'limits'>;
  readonly spool: Spool;
  /** The declared template of a name; undefined where it is a file. */
  declared(name: string): AnyTemplate | undefined;
  /** The current version of a template, or `TEMPLATE_NOT_FOUND`. */
  version(name: string): Promise<string>;
}

/** Refuses fields that nodemailer has and the relay does not, and fields that nobody has. */
function checkFields(message: object, bulk: boolean): void {
  for (const [key, value] of Object.entries(message)) {
    if (value === undefined || FIELDS.has(key) || (!bulk && RECIPIENT_FIELDS.includes(key as RecipientKind))) continue;
    const advice =
      UNSUPPORTED[key] ??
      (bulk && RECIPIENT_FIELDS.includes(key as RecipientKind)
        ? 'recipients are the first argument of sendMany()'
        : 'no message has it');
    throw new MailRelayError('OPTION_UNSUPPORTED', {
      field: key,
      reason: `the field \`${key}\` is not supported: ${advice}`,
    });
  }
}

/**
 * Checks the fields of a message and spools its attachments.
 *
 * @throws MailRelayError for everything that is wrong with the message, before anything of it is stored.
 */
export async function prepareFields(
  message: SendMessage<string | AnyTemplate>,
  bulk: boolean,
  context: PrepareContext,
): Promise<PreparedFields> {
  checkFields(message, bulk);
  const { options } = context;
  const stream = streamOf(message.stream, bulk ? 'broadcast' : 'transactional');
  const template = typeof message.template === 'object' ? message.template.name : message.template;
  const rendered = template !== undefined && isFunctionTemplate(message.template, context);
  const subject = message.subject === undefined ? undefined : headerText(message.subject, 'subject');
  const html = textOf(message.html, 'html');
  const text = textOf(message.text, 'text');
  if (template !== undefined && (html !== undefined || text !== undefined)) {
    throw new MailRelayError('MESSAGE_INVALID', { reason: 'give either template, or html and text' });
  }
  if (template === undefined && html === undefined && text === undefined) {
    throw new MailRelayError('MESSAGE_INVALID', { reason: 'it has neither template nor html nor text' });
  }
  const size = Buffer.byteLength(html ?? '') + Buffer.byteLength(text ?? '');
  const { maxMessageBytes } = options.limits;
  if (size > maxMessageBytes)
    throw new MailRelayError('MESSAGE_TOO_LARGE', {
      reason: `its text has ${size} bytes, allowed are ${maxMessageBytes}`,
    });
  const content: Content = {
    from: onlyOne(message.from ?? options.from, 'from') ?? missingFrom(),
    sender: onlyOne(message.sender, 'sender'),
    replyTo: parseMailboxes(message.replyTo as AddressInput[] | undefined, 'replyTo'),
    to: bulk ? [] : parseMailboxes(message.to as AddressInput[] | undefined, 'to'),
    cc: bulk ? [] : parseMailboxes(message.cc as AddressInput[] | undefined, 'cc'),
    individually: bulk,
    subject,
    text,
    html,
    template,
    version: template === undefined || rendered ? undefined : await context.version(template),
    rendered,
    data: message.data === undefined || bulk === false ? undefined : jsonOf(message.data, 'data'),
    locale: localeOf(message.locale),
    attachments: await spoolAttachments(message.attachments, context.spool),
    alternatives: await spoolAlternatives(message, context.spool),
    headers: [...readHeaders(message.headers), ...listHeaders(message.list)],
    inReplyTo: messageIds(message.inReplyTo, 'inReplyTo')[0],
    references: messageIds(message.references, 'references'),
    priority: oneOf(message.priority, ['high', 'normal', 'low'] as const, 'priority'),
    messageId: messageIds(message.messageId, 'messageId')[0],
    date: timeOf(message.date, 'date'),
    envelopeFrom: envelopeOf(message.envelope),
    tracking: trackingOf(message.tracking, options.tracking[stream]),
    topic: topicOf(message.topic),
    stream,
  };
  const attached = content.attachments.reduce((sum, { bytes }) => sum + bytes, 0);
  if ((size + attached) * 1.37 > maxMessageBytes) {
    throw new MailRelayError('MESSAGE_TOO_LARGE', {
      reason: `text and attachments have ${size + attached} bytes before encoding, allowed are ${maxMessageBytes} after it`,
    });
  }
  if (bulk && content.messageId !== undefined)
    throw new MailRelayError('OPTION_UNSUPPORTED', {
      field: 'messageId',
      reason: 'sendMany() gives each mail a Message-ID of its own',
    });
  return {
    content,
    campaign: nameOf(message.campaign, 'campaign'),
    tags: (message.tags ?? []).map((tag) => nameOf(tag, 'tags') as string),
    metadata: message.metadata === undefined ? undefined : jsonOf(message.metadata, 'metadata'),
    sendAt: sendAtOf(message.sendAt),
    idempotencyKey: nameOf(message.idempotencyKey, 'idempotencyKey'),
    route: nameOf(message.route, 'route'),
  };
}

/** Recipients of one message, each address once: To wins over Cc, Cc over Bcc. */
export function recipientsOf(
  message: SendMessage,
  content: Content,
  maxRecipients: number,
): Omit<SubmittedRecipient, 'data' | 'rendered'>[] {
  const bcc = parseMailboxes(message.bcc as AddressInput[] | undefined, 'bcc');
  const groups: readonly (readonly [RecipientKind, readonly Mailbox[]])[] = [
    ['to', content.to],
    ['cc', content.cc],
    ['bcc', bcc],
  ];
  const seen = new Map<string, Omit<SubmittedRecipient, 'data' | 'rendered'>>();
  for (const [kind, mailboxes] of groups) {
    for (const { address, name } of mailboxes) {
      const key = address.toLowerCase();
      if (!seen.has(key))
        seen.set(key, { address, name, kind, locale: undefined, tracking: undefined, metadata: undefined });
    }
  }
  if (seen.size === 0)
    throw new MailRelayError('RECIPIENT_MISSING', { reason: 'give at least one address in to, cc or bcc' });
  if (seen.size > maxRecipients) {
    throw new MailRelayError('MESSAGE_INVALID', {
      reason: `it has ${seen.size} recipients, allowed are ${maxRecipients} (\`limits.maxRecipients\`); use sendMany()`,
    });
  }
  return [...seen.values()];
}

function isFunctionTemplate(template: string | AnyTemplate | undefined, context: PrepareContext): boolean {
  const found = typeof template === 'string' ? context.declared(template) : template;
  return found?.render !== undefined;
}

function missingFrom(): never {
  throw new MailRelayError('ADDRESS_INVALID', {
    field: 'from',
    reason: 'from is missing: give it in the message, in the option `from` or in MAIL_RELAY_FROM',
  });
}

function onlyOne(input: AddressInput | Mailbox | AddressList | undefined, field: string): Mailbox | undefined {
  if (input === undefined) return undefined;
  const list = parseMailboxes(input as AddressInput, field);
  if (list.length !== 1) throw new MailRelayError('ADDRESS_INVALID', { field, reason: `${field} must be one address` });
  return list[0];
}

function textOf(value: string | Uint8Array | undefined, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  throw new MailRelayError('MESSAGE_INVALID', {
    field,
    reason: `${field} must be text or bytes; read files and streams first`,
  });
}

function streamOf(stream: Stream | undefined, standard: Stream): Stream {
  return oneOf(stream, ['transactional', 'broadcast'] as const, 'stream') ?? standard;
}

function oneOf<T extends string>(value: T | undefined, allowed: readonly T[], field: string): T | undefined {
  if (value !== undefined && !allowed.includes(value))
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} must be one of ${allowed.join(', ')}` });
  return value;
}

function nameOf(value: string | undefined, field: string): string | undefined {
  if (value === undefined) return undefined;
  const text = headerText(value, field);
  if (text.length === 0 || text.length > 200)
    throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} must have 1 to 200 characters` });
  return text;
}

function topicOf(topic: string | undefined): string | undefined {
  return nameOf(topic, 'topic');
}

/** A language tag (RFC 5646), loosely. */
export function localeOf(locale: string | undefined): string | undefined {
  if (locale !== undefined && !/^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/.test(locale)) {
    throw new MailRelayError('MESSAGE_INVALID', {
      field: 'locale',
      reason: 'locale must be a language tag such as fr or fr-CA',
    });
  }
  return locale?.replaceAll('_', '-');
}

function timeOf(value: Date | string | number | undefined, field: string): number | undefined {
  if (value === undefined) return undefined;
  const time = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : value;
  if (!Number.isFinite(time)) throw new MailRelayError('MESSAGE_INVALID', { field, reason: `${field} must be a date` });
  return Math.trunc(time);
}

function envelopeOf(envelope: MessageFields['envelope']): string | undefined {
  if (envelope === undefined) return undefined;
  const other = Object.keys(envelope).find((key) => key !== 'from');
  if (other !== undefined)
    throw new MailRelayError('OPTION_UNSUPPORTED', {
      field: `envelope.${other}`,
      reason: 'only `envelope.from` is: each recipient has an envelope of its own',
    });
  return onlyOne(envelope.from, 'envelope.from')?.address;
}

function trackingOf(tracking: TrackingOptions | false | undefined, standard: ResolvedTracking): ResolvedTracking {
  if (tracking === undefined) return standard;
  if (tracking === false) return { opens: false, clicks: false, utm: undefined };
  return {
    opens: tracking.opens ?? standard.opens,
    clicks: tracking.clicks ?? standard.clicks,
    utm: tracking.utm ?? standard.utm,
  };
}
