import { detectMimeType } from 'nodemailer/lib/mime-funcs';
import type { Content, SpooledAttachment } from '../../message.ts';
import { base64Lines, encodeBody } from './body.ts';
import { isAscii } from './headers.ts';
import { type Attachments, attachmentBytes, type MailParts, type WrittenMail } from './parts.ts';

/** What all mails of one content share: its encoded attachments. */
export interface Skeleton {
  /** Memory that its attachments take. */
  readonly bytes: number;
  /** Writes one mail below its header. */
  fill(head: string, parts: MailParts): WrittenMail;
}

/** Prepares a content; undefined where it is richer than a skeleton can be (inline images, calendars …). */
export async function createSkeleton(content: Content, attachments: Attachments): Promise<Skeleton | undefined> {
  if (!isPlain(content)) return undefined;
  const attached = await Promise.all(content.attachments.map((one) => attachmentPart(one, attachments)));
  const mixed = attached.length > 0;
  return {
    bytes: attached.reduce((sum, { length }) => sum + length, 0),
    fill(head, parts) {
      const outer = `=_m${parts.boundary}`;
      const opening = mixed ? `Content-Type: multipart/mixed; boundary="${outer}"\r\n\r\n--${outer}\r\n` : '';
      const next = Buffer.from(`\r\n--${outer}\r\n`);
      // Addresses may be in UTF-8 (RFC 6532); all that follows is ASCII.
      const raw = Buffer.concat([
        Buffer.from(head),
        Buffer.from(opening + bodyPart(parts), 'latin1'),
        ...attached.flatMap((part) => [next, part]),
        Buffer.from(mixed ? `\r\n--${outer}--\r\n` : '\r\n'),
      ]);
      return { raw, eightBit: false };
    },
  };
}

/** Whether a skeleton can hold the mails of a content. */
export function isPlain({ attachments, alternatives }: Content): boolean {
  return alternatives.length === 0 && attachments.every(isPlainAttachment);
}

function bodyPart({ html, text, crlf, boundary }: MailParts): string {
  const context = { crlf, boundary };
  if (html === undefined) return `Content-Type: text/plain; charset=utf-8\r\n${encodeBody(text ?? '', context)}`;
  const htmlPart = `Content-Type: text/html; charset=utf-8\r\n${encodeBody(html, context)}`;
  if (text === undefined) return htmlPart;
  const inner = `=_a${boundary}`;
  return `Content-Type: multipart/alternative; boundary="${inner}"\r\n\r\n--${inner}\r\nContent-Type: text/plain; charset=utf-8\r\n${encodeBody(text, context)}\r\n--${inner}\r\n${htmlPart}\r\n--${inner}--\r\n`;
}

function isPlainAttachment(attachment: SpooledAttachment): boolean {
  const { filename, cid, headers, contentDisposition, contentTransferEncoding } = attachment;
  return (
    filename !== undefined &&
    isAscii(filename) &&
    filename.length < 60 &&
    !/["\\]/.test(filename) &&
    /^[\w.+-]+\/[\w.+-]+$/.test(typeOf(attachment)) &&
    !/^(?:message|multipart)\//i.test(typeOf(attachment)) &&
    cid === undefined &&
    headers === undefined &&
    contentDisposition !== 'inline' &&
    (contentTransferEncoding === undefined || contentTransferEncoding === 'base64')
  );
}

function typeOf({ contentType, filename }: SpooledAttachment): string {
  return contentType ?? detectMimeType(filename ?? '');
}

async function attachmentPart(attachment: SpooledAttachment, attachments: Attachments): Promise<Buffer> {
  const { filename, hash } = attachment;
  const bytes = await attachmentBytes(attachments, hash);
  return Buffer.from(
    `Content-Type: ${typeOf(attachment)}; name="${filename}"\r\nContent-Disposition: attachment; filename="${filename}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(bytes)}`,
    'latin1',
  );
}
