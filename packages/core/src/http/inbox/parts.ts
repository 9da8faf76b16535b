import type { Attachment, Email } from 'postal-mime';
import { notFound, page, text } from '../answers.ts';
import type { HttpContext } from '../context.ts';
import type { Answer } from '../port.ts';
import { readMail } from './mail.ts';

/** The mail is somebody's HTML: no scripts, no forms, an origin of its own. */
const POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' http: https: data:; style-src 'unsafe-inline' https:; font-src https: data:";

/** The HTML body for the frame. Pictures inside the mail (`cid:`) come from its attachments; links open in a new window. */
export async function htmlBody(context: HttpContext, id: string): Promise<Answer> {
  const mail = await readMail(context, id);
  if (mail?.html === undefined) return notFound;
  const base = '<base target="_blank">';
  const content = withPictures(mail, mail.html);
  const head = /<head\b[^>]*>/i.exec(content);
  const at = head === null ? 0 : head.index + head[0].length;
  return page(200, content.slice(0, at) + base + content.slice(at), { policy: POLICY, framedBy: 'self' });
}

function withPictures(mail: Email, content: string): string {
  return content.replace(/\bcid:([^"'\s)>]+)/gi, (whole, cid: string) => {
    const index = mail.attachments.findIndex(({ contentId }) => contentId === `<${decode(cid)}>`);
    return index < 0 ? whole : `attachments/${index}`;
  });
}

function decode(cid: string): string {
  try {
    return decodeURIComponent(cid);
  } catch {
    return cid;
  }
}

/** The mail as it would have been sent. */
export async function source(context: HttpContext, id: string): Promise<Answer> {
  const bytes = await context.engine.capturedSource(id);
  return bytes === undefined ? notFound : { ...text(200, ''), body: bytes };
}

/** An attachment, to be kept. */
export async function attachment(context: HttpContext, id: string, index: string): Promise<Answer> {
  const mail = await readMail(context, id);
  const found = /^\d{1,4}$/.test(index) ? mail?.attachments[Number(index)] : undefined;
  if (found === undefined) return notFound;
  const headers = {
    'Content-Type': /^[\w.+-]+\/[\w.+-]+$/.test(found.mimeType) ? found.mimeType : 'application/octet-stream',
    'Content-Disposition': `attachment; filename*=UTF-8''${fileName(found.filename ?? `part-${index}`)}`,
    'Content-Security-Policy': "sandbox; default-src 'none'",
  };
  return { ...text(200, '', headers), body: bytesOf(found) };
}

/** RFC 8187 section 3.2.1: everything but attribute characters is percent-encoded. */
function fileName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function bytesOf({ content }: Attachment): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}
