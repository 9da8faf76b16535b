import { parseMailboxes } from '../address.ts';
import { type ErrorCode, isMailRelayError, MailRelayError, messageOf } from '../errors.ts';
import type { SubmittedRecipient } from '../message.ts';
import type { Enclosures } from '../store/port.ts';
import type { AnyTemplate } from '../template.ts';
import type { EngineApi } from '../thread/port.ts';
import { checkRecipient } from './fields.ts';
import type { BulkRecipient } from './input.ts';
import { jsonOf, metadataOf } from './json.ts';
import type { PreparedFields } from './prepare.ts';
import type { TemplateBook } from './templates.ts';
import { localeOf } from './values.ts';

/** A recipient that was not accepted; the others go on. */
export interface Rejection {
  /** Position in what was handed in, from 0. */
  readonly index: number;
  readonly recipient: string;
  /**
   * The code that `send()` would throw; `RECIPIENT_DUPLICATE` for an address that the message has already, and
   * `IDEMPOTENCY_CONFLICT` for one that an earlier call with the same `idempotencyKey` accepted with other data.
   */
  readonly code: ErrorCode;
  readonly message: string;
}

/** How far a `sendMany()` is. */
export interface BulkProgress {
  /** Id of the message. */
  readonly id: string;
  /** Recipients read so far: accepted + rejected. */
  readonly processed: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Those of the accepted that are on the suppression list. */
  readonly suppressed: number;
  /** True where an earlier call with the same `idempotencyKey` has made the message; what it accepted counts as accepted. */
  readonly repeated: boolean;
  /** Recipients that were rejected since the last progress, so that memory does not grow with the list. */
  readonly rejections: readonly Rejection[];
}

const BATCH = 250;

/** Where the recipients of one message go. */
export interface BulkTarget {
  readonly engine: Pick<EngineApi, 'openBulk' | 'appendBulk' | 'closeBulk'>;
  readonly book: TemplateBook;
  readonly template: string | AnyTemplate | undefined;
  readonly fields: PreparedFields;
  /** Attachments that the store lacks. */
  readonly enclosed: Enclosures;
}

/**
 * Reads recipients in batches, one batch ahead of the store, and yields after each batch that is durable.
 */
export async function* submitBulk(
  recipients: Iterable<BulkRecipient> | AsyncIterable<BulkRecipient>,
  target: BulkTarget,
): AsyncGenerator<BulkProgress, void> {
  const { engine, fields, enclosed } = target;
  const { id, run, repeated } = await engine.openBulk(fields, enclosed);
  const counts = { processed: 0, accepted: 0, rejected: 0, suppressed: 0 };
  let progress: BulkProgress = { id, ...counts, repeated, rejections: [] };
  let running: Promise<BulkProgress> | undefined;
  try {
    for await (const batch of batches(recipients, target)) {
      if (running !== undefined) {
        progress = await running;
        running = undefined;
        yield progress;
      }
      running = append(batch, progress, { engine, run });
      // It is awaited after the next batch, which may take its time.
      running.catch(() => {});
    }
    if (running !== undefined) progress = await running;
    yield progress;
  } catch (error) {
    if (!(error instanceof BrokenSource)) throw error;
    throw brokenOff((await running) ?? progress, error.cause);
  } finally {
    await running?.catch(() => {});
    await engine.closeBulk(run);
  }
}

/** What the recipients threw as they were read. */
class BrokenSource extends Error {}

function brokenOff({ rejections: _, ...progress }: BulkProgress, cause: unknown): MailRelayError {
  const reason = `${progress.accepted} were accepted before: ${messageOf(cause)}`;
  return new MailRelayError('RECIPIENTS_BROKEN', { ...progress, reason }, { cause });
}

async function* readFrom(
  recipients: Iterable<BulkRecipient> | AsyncIterable<BulkRecipient>,
): AsyncGenerator<BulkRecipient, void> {
  try {
    for await (const recipient of recipients) yield recipient;
  } catch (cause) {
    throw new BrokenSource('the recipients broke off', { cause });
  }
}

interface Batch {
  readonly start: number;
  readonly fit: { readonly index: number; readonly recipient: SubmittedRecipient }[];
  readonly rejections: Rejection[];
}

async function* batches(
  recipients: Iterable<BulkRecipient> | AsyncIterable<BulkRecipient>,
  target: BulkTarget,
): AsyncGenerator<Batch, void> {
  let index = 0;
  let batch: Batch = { start: 0, fit: [], rejections: [] };
  for await (const input of readFrom(recipients)) {
    try {
      batch.fit.push({ index, recipient: await recipientOf(input, target) });
    } catch (error) {
      if (!isMailRelayError(error)) throw error;
      batch.rejections.push({ index, recipient: nameOf(input), code: error.code, message: error.message });
    }
    index += 1;
    if (index - batch.start >= BATCH) {
      yield batch;
      batch = { start: index, fit: [], rejections: [] };
    }
  }
  if (index > batch.start) yield batch;
}

async function append(
  batch: Batch,
  before: BulkProgress,
  { engine, run }: Pick<BulkTarget, 'engine'> & { readonly run: number },
): Promise<BulkProgress> {
  const results =
    batch.fit.length === 0
      ? []
      : await engine.appendBulk(
          run,
          batch.fit.map(({ recipient }) => recipient),
        );
  const rejections = [...batch.rejections];
  let suppressed = 0;
  for (const [position, result] of results.entries()) {
    const { index, recipient } = batch.fit[position] as Batch['fit'][number];
    if ('rejected' in result) rejections.push({ index, recipient: recipient.address, ...result.rejected });
    else if (result.state === 'suppressed') suppressed += 1;
  }
  const size = batch.fit.length + batch.rejections.length;
  return {
    id: before.id,
    repeated: before.repeated,
    processed: before.processed + size,
    accepted: before.accepted + size - rejections.length,
    rejected: before.rejected + rejections.length,
    suppressed: before.suppressed + suppressed,
    rejections: rejections.sort((one, other) => one.index - other.index),
  };
}

async function recipientOf(input: BulkRecipient, { book, template, fields }: BulkTarget): Promise<SubmittedRecipient> {
  const given = typeof input === 'string' ? { to: input } : input;
  if (typeof given !== 'object' || given === null)
    throw new MailRelayError('ADDRESS_INVALID', {
      field: 'to',
      reason: 'a recipient is an address or an object with `to`',
    });
  checkRecipient(given);
  const [mailbox, ...more] = parseMailboxes(given.to, 'to');
  if (mailbox === undefined || more.length > 0)
    throw new MailRelayError('ADDRESS_INVALID', { field: 'to', reason: 'to must be one address' });
  if (given.data !== undefined && template === undefined)
    throw new MailRelayError('MESSAGE_INVALID', { field: 'data', reason: '`data` is given without a template' });
  const locale = localeOf(given.locale);
  const own = await ownData(given.data, book, template, fields);
  const rendered = await book.render(template, own, { locale: locale ?? fields.content.locale });
  return {
    address: mailbox.address,
    name: mailbox.name,
    kind: 'to',
    data: rendered === undefined ? own : undefined,
    locale,
    tracking: given.tracking === false ? { opens: false, clicks: false } : given.tracking,
    metadata: metadataOf(given.metadata),
    rendered,
  };
}

/** A schema sees shared and own data together, as the template does. */
async function ownData(
  data: object | undefined,
  book: TemplateBook,
  template: string | AnyTemplate | undefined,
  fields: PreparedFields,
): Promise<SubmittedRecipient['data']> {
  const shared = fields.content.data;
  const declared = typeof template === 'string' ? book.declared(template) : template;
  if (declared?.schema === undefined && declared?.render === undefined)
    return data === undefined ? undefined : jsonOf(data, 'data');
  return book.data(template, { ...shared, ...data });
}

function nameOf(input: BulkRecipient): string {
  const to: unknown = typeof input === 'object' ? input?.to : input;
  const text: unknown = typeof to === 'object' ? (to as { readonly address?: unknown } | null)?.address : to;
  return typeof text === 'string' ? text.slice(0, 320) : '';
}
