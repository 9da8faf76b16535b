import type { Accepted, Content, Submission } from '../message.ts';
import type { ResolvedOptions } from '../options.ts';
import type { AnyTemplate } from '../template.ts';
import type { EngineApi } from '../thread/port.ts';
import type { Spool } from './attachments.ts';
import { type BulkProgress, submitBulk } from './bulk.ts';
import type { BulkOptions, BulkRecipient, SendMessage } from './input.ts';
import { type PrepareContext, prepareFields, recipientsOf } from './prepare.ts';
import type { TemplateBook } from './templates.ts';

/** Turns what the host hands in into submissions to the engine. */
export interface Submitter {
  send(message: SendMessage<string | AnyTemplate>): Promise<Accepted>;
  sendMany(
    recipients: Iterable<BulkRecipient> | AsyncIterable<BulkRecipient>,
    options: BulkOptions<string | AnyTemplate>,
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

  function prepareContext(engine: EngineApi): PrepareContext {
    const spool: Spool = {
      ...options.attachments,
      maxBytes: options.limits.maxMessageBytes,
      has: (hash) => engine.hasBlob('attachment', hash),
      put: (hash, bytes) => engine.putBlob('attachment', hash, bytes),
    };
    return { options, spool, declared: book.declared, version: (name) => engine.templateVersion(name) };
  }

  return {
    async send(message) {
      const engine = await context.engine();
      const fields = await prepareFields(message, false, prepareContext(engine));
      const mailboxes = recipientsOf(message as SendMessage, fields.content, options.limits.maxRecipients);
      const own = await book.data(message.template, message.data as object | undefined);
      const rendered = await book.render(message.template, own, { locale: fields.content.locale });
      const recipients = mailboxes.map((mailbox) => ({
        ...mailbox,
        data: rendered === undefined ? own : undefined,
        rendered,
      }));
      const submission: Submission = { ...fields, content: shareable(fields.content, mailboxes.length), recipients };
      return engine.accept(submission);
    },
    async *sendMany(recipients, bulkOptions) {
      const engine = await context.engine();
      const fields = await prepareFields(bulkOptions, true, prepareContext(engine));
      yield* submitBulk(recipients, { engine, book, template: bulkOptions.template, fields });
    },
  };
}

/**
 * A mail to one person leaves its To header to the recipient, so that the content of a template mail is the same for
 * everybody, is stored once and is prepared once.
 */
function shareable(content: Content, recipients: number): Content {
  const alone = recipients === 1 && content.to.length === 1 && content.cc.length === 0;
  return alone && content.messageId === undefined ? { ...content, to: [], individually: true } : content;
}
