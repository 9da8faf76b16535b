import { detectMimeType } from 'nodemailer/lib/mime-funcs';
import type { Content, HeaderField, SpooledAttachment } from '../../message.ts';
import { base64Lines, encodeBody } from './body.ts';
import { encodeWords, isAscii, mailboxes, sharedHeaders } from './headers.ts';
import { type Attachments, attachmentBytes, type MailParts } from './parts.ts';

/** What all mails of one content share, written out once: headers, boundaries and encoded attachments. */
export interface Skeleton {
  /** Memory that its attachments take. */
  readonly bytes: number;
  /** Writes one mail; undefined where this one needs more than the skeleton has. */
  fill(parts: MailParts): Buffer | undefined;
}

/** Longest header value that needs no folding. */
const MAX_VALUE = 900;

/**
 * Prepares a content; undefined where it is richer than a skeleton can be (inline images, calendars, long headers …).
 *
 * @param boundary - unguessable text, the same for each attempt
 */
export async function createSkeleton(
  content: Content,
  { attachments, boundary }: { readonly attachments: Attachments; readonly boundary: string },
): Promise<Skeleton | undefined> {
  if (!isPlain(content)) return undefined;
  const inner = `=_a${boundary}`;
  const outer = `=_m${boundary}`;
  const mixed = content.attachments.length > 0;
  const first = fields([
    ...sharedHeaders(content),
    ['From', mailboxes([content.from])],
    ...(content.sender === undefined ? [] : [['Sender', mailboxes([content.sender])] as const]),
  ]);
  const second = fields([
    ...(content.cc.length === 0 ? [] : [['Cc', mailboxes(content.cc)] as const]),
    ...(content.replyTo.length === 0 ? [] : [['Reply-To', mailboxes(content.replyTo)] as const]),
    ...(content.inReplyTo === undefined ? [] : [['In-Reply-To', content.inReplyTo] as const]),
    ...(content.references.length === 0 ? [] : [['References', content.references.join('\r\n ')] as const]),
  ]);
  const opening = mixed
    ? `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="${outer}"\r\n\r\n--${outer}\r\n`
    : 'MIME-Version: 1.0\r\n';
  const attached = await Promise.all(content.attachments.map((one) => attachmentPart(one, attachments)));
  const closing = Buffer.from(
    mixed ? `${attached.map((part) => `\r\n--${outer}\r\n${part}`).join('')}\r\n--${outer}--\r\n` : '\r\n',
    'latin1',
  );

  function body({ html, text, crlf }: MailParts): string {
    if (html === undefined) return `Content-Type: text/plain; charset=utf-8\r\n${encodeBody(text ?? '', crlf)}`;
    const htmlPart = `Content-Type: text/html; charset=utf-8\r\n${encodeBody(html, crlf)}`;
    if (text === undefined) return htmlPart;
    return `Content-Type: multipart/alternative; boundary="${inner}"\r\n\r\n--${inner}\r\nContent-Type: text/plain; charset=utf-8\r\n${encodeBody(text, crlf)}\r\n--${inner}\r\n${htmlPart}\r\n--${inner}--\r\n`;
  }

  return {
    bytes: closing.length,
    fill(parts) {
      const { to, subject, messageId, date, headers } = parts;
      if (subject.length > MAX_VALUE || !headers.every(fits)) return undefined;
      const own = fields([
        ...(to.length === 0 ? [] : [['To', mailboxes(to)] as const]),
        ['Subject', encodeWords(subject)],
        ['Message-ID', messageId],
        ['Date', new Date(date).toUTCString().replace('GMT', '+0000')],
        ...headers,
      ]);
      const head = first + own + second + opening;
      // Addresses may be in UTF-8 (RFC 6532); all that follows is ASCII.
      return Buffer.concat([Buffer.from(head), Buffer.from(body(parts), 'latin1'), closing]);
    },
  };
}

function fields(list: readonly HeaderField[]): string {
  return list.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

function fits([, value]: HeaderField): boolean {
  return value.length <= MAX_VALUE && isAscii(value);
}

/** Whether a skeleton can hold the mails of a content, but for subjects that need folding. */
export function isPlain({ attachments, alternatives, headers }: Content): boolean {
  return alternatives.length === 0 && headers.every(fits) && attachments.every(isPlainAttachment);
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

async function attachmentPart(attachment: SpooledAttachment, attachments: Attachments): Promise<string> {
  const { filename, hash } = attachment;
  const bytes = await attachmentBytes(attachments, hash);
  return `Content-Type: ${typeOf(attachment)}; name="${filename}"\r\nContent-Disposition: attachment; filename="${filename}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(bytes)}`;
}
