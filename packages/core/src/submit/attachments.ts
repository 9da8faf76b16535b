import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { SpooledAlternative, SpooledAttachment } from '../message.ts';
import { bounded as boundedHeaders, headerText, readHeaders } from './headers.ts';
import type { AttachmentInput, CalendarInput, MessageFields } from './input.ts';
import { bounded, bytesOf, decoded, invalid, type Sources } from './sources.ts';

/** What goes with a message, and its bytes by hash. Nothing is stored yet. */
export interface Enclosed {
  readonly attachments: readonly SpooledAttachment[];
  readonly alternatives: readonly SpooledAlternative[];
  readonly bytes: ReadonlyMap<string, Buffer>;
}

/** Media types and names are checked before any source is read. */
interface Part<T> {
  readonly described: Omit<T, 'hash' | 'bytes'>;
  read(left: Pick<Sources, 'maxBytes'>): Promise<Buffer>;
}

/**
 * Reads `attachments`, `alternatives` and `icalEvent`.
 *
 * @throws MailRelayError `ATTACHMENT_INVALID`, `ATTACHMENT_NOT_ALLOWED`, `HEADER_INVALID`, `MESSAGE_TOO_LARGE`.
 */
export async function readEnclosed(
  fields: Pick<MessageFields, 'attachments' | 'alternatives' | 'icalEvent'>,
  sources: Sources,
): Promise<Enclosed> {
  const attachments = (fields.attachments ?? []).map((input, index) => attachmentPart(input, index, sources));
  const alternatives = alternativeParts(fields);
  const bytes = new Map<string, Buffer>();
  let maxBytes = sources.maxBytes;
  async function take<T extends object>({ described, read }: Part<T>): Promise<T> {
    const content = await read({ maxBytes });
    maxBytes -= content.length;
    const hash = createHash('sha256').update(content).digest('hex');
    bytes.set(hash, content);
    return { ...described, hash, bytes: content.length } as unknown as T;
  }
  const taken: SpooledAttachment[] = [];
  for (const part of attachments) taken.push(await take(part));
  const others: SpooledAlternative[] = [];
  for (const part of alternatives) others.push(await take(part));
  return { attachments: taken, alternatives: others, bytes };
}

function attachmentPart(input: AttachmentInput, index: number, sources: Sources): Part<SpooledAttachment> {
  const filename = input.filename ?? nameIn(input);
  const described = {
    filename: optional(filename, 'filename'),
    contentType: input.contentType === undefined ? undefined : mediaType(input.contentType, index),
    contentDisposition: input.contentDisposition,
    cid: input.cid === undefined ? undefined : contentId(input.cid, index),
    contentTransferEncoding: input.contentTransferEncoding,
    headers: input.headers === undefined ? undefined : boundedHeaders(readHeaders(input.headers)),
  };
  return { described, read: ({ maxBytes }) => bytesOf(input, index, { ...sources, maxBytes }) };
}

/** The name of an attachment that says only where it is. */
function nameIn({ path, href }: AttachmentInput): string | undefined {
  if (path !== undefined) return basename(path);
  if (href === undefined || !URL.canParse(href)) return undefined;
  const last = new URL(href).pathname.split('/').at(-1) ?? '';
  try {
    return basename(decodeURIComponent(last)) || undefined;
  } catch {
    return last;
  }
}

function alternativeParts({
  alternatives = [],
  icalEvent,
}: Pick<MessageFields, 'alternatives' | 'icalEvent'>): Part<SpooledAlternative>[] {
  const parts = alternatives.map((input, index): Part<SpooledAlternative> => {
    const contentType = mediaType(input.contentType, index);
    const described = { contentType, filename: optional(input.filename, 'filename'), method: undefined };
    return { described, read: async (left) => bounded(decoded(input.content, input.encoding, index), left) };
  });
  return icalEvent === undefined ? parts : [...parts, calendarPart(icalEvent)];
}

function calendarPart(given: CalendarInput | string | Uint8Array): Part<SpooledAlternative> {
  const event = typeof given === 'string' || given instanceof Uint8Array ? { content: given } : given;
  const method = (event.method ?? 'PUBLISH').toUpperCase();
  if (!/^[A-Z]+$/.test(method)) throw invalid(0, 'icalEvent.method is a word such as REQUEST');
  const filename = headerText(event.filename ?? 'invite.ics', 'filename');
  return {
    described: { contentType: 'text/calendar', filename, method },
    read: async (left) => bounded(decoded(event.content, event.encoding), left),
  };
}

function optional(value: string | undefined, field: string): string | undefined {
  return value === undefined ? undefined : headerText(value, field);
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
