import { createHash } from 'node:crypto';
import { open, realpath } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { isMailRelayError, MailRelayError } from '../errors.ts';
import type { SpooledAlternative, SpooledAttachment } from '../message.ts';
import { headerText, readHeaders } from './headers.ts';
import type { AttachmentInput, MessageFields } from './input.ts';

/** Where attachments may come from, and where their bytes go. */
export interface Spool {
  readonly paths: readonly string[];
  readonly hosts: readonly string[];
  readonly maxBytes: number;
  has(hash: string): Promise<boolean>;
  put(hash: string, bytes: Uint8Array): Promise<void>;
}

/**
 * Puts the bytes of attachments into the store, once per content.
 *
 * @throws MailRelayError `ATTACHMENT_INVALID`, `ATTACHMENT_NOT_ALLOWED`, `MESSAGE_TOO_LARGE`.
 */
export async function spoolAttachments(
  inputs: readonly AttachmentInput[] | undefined,
  spool: Spool,
): Promise<SpooledAttachment[]> {
  const spooled: SpooledAttachment[] = [];
  for (const [index, input] of (inputs ?? []).entries()) {
    const bytes = await bytesOf(input, index, spool);
    const hash = await store(bytes, spool);
    const filename = input.filename ?? (input.path === undefined ? undefined : basename(input.path));
    spooled.push({
      hash,
      bytes: bytes.length,
      filename: filename === undefined ? undefined : headerText(filename, 'filename'),
      contentType: input.contentType === undefined ? undefined : mediaType(input.contentType, index),
      contentDisposition: input.contentDisposition,
      cid: input.cid === undefined ? undefined : contentId(input.cid, index),
      contentTransferEncoding: input.contentTransferEncoding,
      headers: input.headers === undefined ? undefined : readHeaders(input.headers),
    });
  }
  return spooled;
}

/** The same for `alternatives` and `icalEvent`. */
export async function spoolAlternatives(
  fields: Pick<MessageFields, 'alternatives' | 'icalEvent'>,
  spool: Spool,
): Promise<SpooledAlternative[]> {
  const { icalEvent } = fields;
  const inputs = (fields.alternatives ?? []).map((one) => ({ ...one, method: undefined as string | undefined }));
  if (icalEvent !== undefined) {
    const method = (icalEvent.method ?? 'PUBLISH').toUpperCase();
    if (!/^[A-Z]+$/.test(method)) throw invalid(0, 'icalEvent.method is a word such as REQUEST');
    inputs.push({
      content: icalEvent.content,
      contentType: 'text/calendar',
      method,
      filename: icalEvent.filename ?? 'invite.ics',
    });
  }
  const spooled: SpooledAlternative[] = [];
  for (const [index, input] of inputs.entries()) {
    const bytes = await bytesOf({ content: input.content }, index, spool);
    spooled.push({
      hash: await store(bytes, spool),
      contentType: mediaType(input.contentType, index),
      filename: input.filename === undefined ? undefined : headerText(input.filename, 'filename'),
      method: input.method,
    });
  }
  return spooled;
}

async function store(bytes: Buffer, spool: Spool): Promise<string> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (!(await spool.has(hash))) await spool.put(hash, bytes);
  return hash;
}

function invalid(index: number, reason: string, cause?: unknown): MailRelayError {
  return new MailRelayError('ATTACHMENT_INVALID', { index, reason: `attachment ${index}: ${reason}` }, { cause });
}

function mediaType(text: string, index: number): string {
  const value = headerText(text, 'contentType');
  // RFC 6838 section 4.2 has at most 127 characters on either side.
  if (!/^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;.{0,500})?$/.test(value))
    throw invalid(index, 'contentType is no media type');
  return value;
}

function contentId(text: string, index: number): string {
  const value = headerText(text, 'cid');
  if (!/^[\x21-\x7e]{1,500}$/.test(value)) throw invalid(index, 'cid is 1 to 500 visible ASCII characters');
  return value;
}

async function bytesOf(input: AttachmentInput, index: number, spool: Spool): Promise<Buffer> {
  const { content } = input;
  const sources = [content, input.path, input.href].filter((source) => source !== undefined).length;
  if (sources !== 1) throw invalid(index, 'give exactly one of content, path and href');
  if (input.path !== undefined) return fromPath(input.path, index, spool);
  if (input.href !== undefined) return fromHref(input.href, index, spool);
  if (typeof content === 'string') return bounded(Buffer.from(content, input.encoding ?? 'utf8'), spool);
  if (content instanceof Uint8Array)
    return bounded(Buffer.from(content.buffer, content.byteOffset, content.byteLength), spool);
  if (content instanceof Readable) return collect(content, index, spool);
  throw invalid(index, 'content is neither text nor bytes nor a stream');
}

function bounded(bytes: Buffer, spool: Spool): Buffer {
  if (bytes.length > spool.maxBytes) throw tooLarge(spool);
  return bytes;
}

function tooLarge(spool: Spool): MailRelayError {
  return new MailRelayError('MESSAGE_TOO_LARGE', { reason: `an attachment is larger than ${spool.maxBytes} bytes` });
}

async function collect(stream: AsyncIterable<Uint8Array | string>, index: number, spool: Spool): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const buffer = Buffer.from(chunk as Uint8Array);
      bytes += buffer.length;
      if (bytes > spool.maxBytes) throw tooLarge(spool);
      chunks.push(buffer);
    }
  } catch (error) {
    throw isMailRelayError(error) ? error : invalid(index, 'its stream failed', error);
  }
  return Buffer.concat(chunks);
}

async function fromPath(path: string, index: number, spool: Spool): Promise<Buffer> {
  const refused = (): MailRelayError =>
    new MailRelayError('ATTACHMENT_NOT_ALLOWED', {
      index,
      reason: `attachment ${index} has a path that is not below a folder of the option \`attachments.paths\``,
    });
  const folders = await Promise.all(spool.paths.map((folder) => realpath(folder).catch(() => resolve(folder))));
  const inside = (file: string): boolean =>
    folders.some((folder) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep));
  const file = await realpath(path).catch((error: unknown) => {
    // Whether a file exists outside of the allow-list is nobody's business.
    throw inside(resolve(path)) ? invalid(index, 'its file cannot be read', error) : refused();
  });
  if (!inside(file)) throw refused();
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw invalid(index, 'its file cannot be read', error);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw invalid(index, 'its path is no file');
    if (stats.size > spool.maxBytes) throw tooLarge(spool);
    return bounded(await handle.readFile(), spool);
  } finally {
    await handle.close();
  }
}

async function fromHref(href: string, index: number, spool: Spool): Promise<Buffer> {
  const url = URL.canParse(href) ? new URL(href) : undefined;
  if (url?.protocol !== 'https:' || !spool.hosts.includes(url.host)) {
    throw new MailRelayError('ATTACHMENT_NOT_ALLOWED', {
      index,
      reason: `attachment ${index} has an href that is not https on a host of the option \`attachments.hosts\``,
    });
  }
  // Redirects could lead anywhere, so none is followed.
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(30_000) }).catch(
    (error: unknown) => {
      throw invalid(index, 'its href did not answer', error);
    },
  );
  if (!response.ok || response.body === null) throw invalid(index, `its href answered ${response.status}`);
  return collect(response.body, index, spool);
}
