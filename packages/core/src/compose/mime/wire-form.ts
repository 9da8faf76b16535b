import { detectMimeType } from 'nodemailer/lib/mime-funcs';
import type { SpooledAttachment } from '../../message.ts';
import { isEightBit, withCrlf } from './body.ts';

/** How the bytes of an attachment go over the wire. */
interface WireForm {
  readonly content: Buffer;
  readonly contentType: string;
  readonly contentTransferEncoding: '7bit' | '8bit' | 'base64' | 'quoted-printable';
}

/**
 * The encoding that was asked for, as far as SMTP allows it: what goes without one has CRLF line ends, short lines and no
 * NUL. A message in a message has no encoding (RFC 2046 section 5.2.1); one that needs it goes as any file does.
 */
export function wireForm(
  bytes: Buffer,
  {
    contentType,
    filename,
    contentTransferEncoding,
  }: Pick<SpooledAttachment, 'contentType' | 'filename' | 'contentTransferEncoding'>,
): WireForm {
  const type = contentType ?? detectMimeType(filename ?? '');
  const isMessage = /^message\//i.test(type);
  const isText = /^text\//i.test(type);
  // One character for each byte, and back, changes nothing but line ends.
  const lines = (): string => withCrlf(bytes.toString('latin1'));
  const file = { content: bytes, contentType: type, contentTransferEncoding: 'base64' } as const;
  if (/^multipart\//i.test(type)) return { ...file, contentType: 'application/octet-stream' };
  if (contentTransferEncoding === 'quoted-printable' && !isMessage) {
    return { ...file, content: isText ? Buffer.from(lines(), 'latin1') : bytes, contentTransferEncoding };
  }
  if (!isMessage && contentTransferEncoding !== '7bit') return file;
  const text = isMessage || isText ? lines() : bytes.toString('latin1');
  const eightBit = /[\x80-\xff]/.test(text);
  if (!isEightBit(text) || withCrlf(text) !== text || (eightBit && !isMessage))
    return isMessage ? { ...file, contentType: 'application/octet-stream' } : file;
  return {
    content: Buffer.from(text, 'latin1'),
    contentType: type,
    contentTransferEncoding: eightBit ? '8bit' : '7bit',
  };
}
