import { type AddressInput, parseMailboxes } from '../address.ts';
import { MailRelayError } from '../errors.ts';
import type { Content, Submission } from '../message.ts';
import type { ResolvedOptions } from '../options.ts';
import type { AnyTemplate } from '../template.ts';
import { type Enclosed, readEnclosed } from './attachments.ts';
import { checkMessage } from './fields.ts';
import { bounded, listHeaders, readHeaders } from './headers.ts';
import type { SendMessage } from './input.ts';
import { jsonOf, metadataOf } from './json.ts';
import { messageIdOf, messageIds } from './message-ids.ts';
import type { Sources } from './sources.ts';
import { dateOf, sendAtOf } from './times.ts';
import { localeOf, nameOf, onlyOne, subjectOf, textOf, trackingOf } from './values.ts';

/** Fields of a message after checking, all but the recipients. */
export type PreparedFields = Omit<Submission, 'recipients'>;

type PrepareOptions = Pick<ResolvedOptions, 'from' | 'tracking' | 'limits'>;

/** What preparing needs to know. */
export interface PrepareContext {
  readonly options: PrepareOptions;
  readonly sources: Sources;
  /** The declared template of a name; undefined where it is a file. */
  declared(name: string): AnyTemplate | undefined;
  /** The current version of a template, or `TEMPLATE_NOT_FOUND`. */
  version(name: string): Promise<string>;
}

/**
 * Checks the fields of a message, all but its recipients. Its attachments are read, and not stored yet.
 *
 * @throws MailRelayError for everything that is wrong with the message.
 */
export async function prepareFields(
  message: SendMessage,
  bulk: boolean,
  context: PrepareContext,
): Promise<{ readonly fields: PreparedFields; readonly bytes: Enclosed['bytes'] }> {
  checkMessage(message, bulk);
  const { options } = context;
  const rest = {
    campaign: nameOf(message.campaign, 'campaign'),
    tags: (message.tags ?? []).map((tag) => nameOf(tag, 'tags') as string),
    metadata: metadataOf(message.metadata),
    sendAt: sendAtOf(message.sendAt),
    idempotencyKey: nameOf(message.idempotencyKey, 'idempotencyKey'),
    route: nameOf(message.route, 'route'),
  };
  const envelope = envelopeOf(message, bulk, options);
  const body = bodyOf(message, bulk, context);
  // What can be checked at once is; only then is anything read.
  const version = body.template === undefined || body.rendered ? undefined : await context.version(body.template);
  const { attachments, alternatives, bytes } = await readEnclosed(message, context.sources);
  const named = rest.route === undefined ? {} : { route: rest.route };
  const content = { ...envelope, ...body, version, attachments, alternatives, ...named };
  return { fields: { ...rest, content }, bytes };
}

type Envelope = Pick<
  Content,
  | 'from'
  | 'sender'
  | 'replyTo'
  | 'to'
  | 'cc'
  | 'individually'
  | 'headers'
  | 'inReplyTo'
  | 'references'
  | 'priority'
  | 'messageId'
  | 'date'
  | 'envelopeFrom'
  | 'requireTls'
>;

/** Who writes to whom, and the headers. */
function envelopeOf(message: SendMessage, bulk: boolean, options: PrepareOptions): Envelope {
  const messageId = messageIdOf(message.messageId, 'messageId');
  if (bulk && messageId !== undefined)
    throw new MailRelayError('OPTION_UNSUPPORTED', {
      field: 'messageId',
      reason: 'sendMany() gives each mail a Message-ID of its own',
    });
  return {
    from: onlyOne(message.from ?? options.from, 'from') ?? missingFrom(),
    sender: onlyOne(message.sender, 'sender'),
    replyTo: parseMailboxes(message.replyTo as AddressInput[] | undefined, 'replyTo'),
    to: bulk ? [] : parseMailboxes(message.to as AddressInput[] | undefined, 'to'),
    cc: bulk ? [] : parseMailboxes(message.cc as AddressInput[] | undefined, 'cc'),
    individually: bulk,
    headers: bounded([...readHeaders(message.headers), ...listHeaders(message.list)]),
    inReplyTo: messageIdOf(message.inReplyTo, 'inReplyTo'),
    references: messageIds(message.references, 'references'),
    priority: message.priority,
    messageId,
    date: dateOf(message.date),
    envelopeFrom: onlyOne(message.envelope?.from, 'envelope.from')?.address,
    // Left out where it is not asked for, so that the same message stays the same content.
    ...(message.requireTls ? { requireTls: true } : {}),
  };
}

type Body = Omit<Content, keyof Envelope | 'version' | 'attachments' | 'alternatives' | 'route'>;

/** What the mail says, and how it is tracked. */
function bodyOf(message: SendMessage, bulk: boolean, context: PrepareContext): Body {
  const stream = message.stream ?? (bulk ? 'broadcast' : 'transactional');
  const template = typeof message.template === 'object' ? message.template.name : message.template;
  const [html, text] = [textOf(message.html, 'html'), textOf(message.text, 'text')];
  const refuse = (reason: string): never => {
    throw new MailRelayError('MESSAGE_INVALID', { reason });
  };
  if (template !== undefined && (html !== undefined || text !== undefined))
    refuse('give either template, or html and text');
  if (template === undefined && html === undefined && text === undefined)
    refuse('it has neither template nor html nor text');
  if (template === undefined && message.data !== undefined) refuse('`data` is given without a template to show it');
  const { maxMessageBytes } = context.options.limits;
  const size = Buffer.byteLength(html ?? '') + Buffer.byteLength(text ?? '');
  if (size > maxMessageBytes)
    throw new MailRelayError('MESSAGE_TOO_LARGE', { reason: `its text alone has ${size} bytes` });
  return {
    subject: subjectOf(message.subject),
    text,
    html,
    template,
    rendered: isFunctionTemplate(message.template, context),
    data: message.data === undefined || !bulk ? undefined : jsonOf(message.data, 'data'),
    locale: localeOf(message.locale),
    tracking: trackingOf(message.tracking, context.options.tracking[stream]),
    topic: nameOf(message.topic, 'topic'),
    stream,
  };
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
