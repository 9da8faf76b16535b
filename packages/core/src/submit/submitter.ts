import { MailRelayError } from '../errors.ts';
import type { Accepted, Content, Submission } from '../message.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Enclosures } from '../store/port.ts';
import type { EngineApi } from '../thread/port.ts';
import { type BulkProgress, submitBulk } from './bulk.ts';
import type { BulkOptions, BulkRecipient, SendMessage } from './input.ts';
import { type PrepareContext, prepareFields } from './prepare.ts';
import { recipientsOf } from './recipients.ts';
import type { TemplateBook } from './templates.ts';

/** Turns what the host hands in into submissions to the engine. */
export interface Submitter {
  send(message: SendMessage): Promise<Accepted>;
  sendMany(
    recipients: Iterable<BulkRecipient> | AsyncIterable<BulkRecipient>,
    options: BulkOptions,
  ): AsyncGenerator<BulkProgress, void>;
}

/** What the submitter works with. */
export interface SubmitterContext {
  readonly options: Pick<ResolvedOptions, 'from' | 'tracking' | 'limits' | 'attachments'>;
  readonly book: TemplateBook;
  /** The running engine; starts it where needed. */
  engine(): Promise<EngineApi>;
}

/** The host's side of submission. */
export function createSubmitter(context: SubmitterContext): Submitter {
  const { options, book } = context;

  const prepareContext = (engine: EngineApi): PrepareContext => ({
    options,
    sources: { ...options.attachments, maxBytes: options.limits.maxMessageBytes },
    declared: book.declared,
    version: (name) => engine.templateVersion(name),
  });

  return {
    async send(message) {
      const engine = await context.engine();
      const { fields, bytes } = await prepareFields(message, false, prepareContext(engine));
      const mailboxes = recipientsOf(message, fields.content, options.limits.maxRecipients);
      const own = await book.data(message.template, message.data);
      const rendered = await book.render(message.template, own, { locale: fields.content.locale });
      const recipients = mailboxes.map((mailbox) => ({
        ...mailbox,
        data: rendered === undefined ? own : undefined,
        rendered,
      }));
      const submission: Submission = { ...fields, content: shareable(fields.content, mailboxes.length), recipients };
      const enclosed = await lacking(engine, bytes);
      return enclosed.size === 0 ? engine.accept(submission) : engine.acceptWith(submission, enclosed);
    },
    async *sendMany(recipients, bulkOptions) {
      if (!isList(recipients))
        throw new MailRelayError('MESSAGE_INVALID', { reason: 'the recipients are neither a list nor an iterable' });
      const engine = await context.engine();
      const { fields, bytes } = await prepareFields(bulkOptions, true, prepareContext(engine));
      const enclosed = await lacking(engine, bytes);
      yield* submitBulk(recipients, { engine, book, template: bulkOptions.template, fields, enclosed });
    },
  };
}

/** The attachments that the store has not got yet: they go with the message, and what is refused leaves none behind. */
async function lacking(engine: EngineApi, bytes: ReadonlyMap<string, Buffer>): Promise<Enclosures> {
  const enclosed = new Map<string, Uint8Array>();
  for (const [hash, content] of bytes) {
    // A piece of something larger would cross into the engine's thread with all of it.
    if (!(await engine.hasBlob('attachment', hash)))
      enclosed.set(hash, content.byteLength === content.buffer.byteLength ? content : Uint8Array.from(content));
  }
  return enclosed;
}

function isList(recipients: unknown): boolean {
  return (
    typeof recipients === 'object' &&
    recipients !== null &&
    (Symbol.iterator in recipients || Symbol.asyncIterator in recipients)
  );
}

/**
 * A mail to one person leaves its To header to the recipient, so that the content of a template mail is the same for
 * everybody, is stored once and is prepared once.
 */
function shareable(content: Content, recipients: number): Content {
  const alone = recipients === 1 && content.to.length === 1 && content.cc.length === 0;
  return alone && content.messageId === undefined ? { ...content, to: [], individually: true } : content;
}
